import { afterEach, expect, it } from 'vitest';
import { AsyncProvider } from '../../providers/async/index.ts';
import { createRedrive, defineJob, type DispatchOptions, type JobClass, type Redrive, type RedriveConfig } from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';

const open: Redrive[] = [];

afterEach(async () => {
  for (const redrive of open.splice(0)) await redrive.stop({ timeout: 0 });
});

const plain = defineJob({ name: 'plain', handle: () => 1 });
const own = defineJob({ name: 'own', maxAttempts: 4, handle: () => 1 });
const unlimited = defineJob({ name: 'unlimited', maxAttempts: 0, handle: () => 1 });

it.each<[string, JobClass, DispatchOptions, RedriveConfig, number]>([
  ['of the dispatch', own, { maxAttempts: 7 }, {}, 7],
  ['of the job', own, {}, {}, 4],
  ['of the job, which sets none', unlimited, {}, {}, 0],
  ['of the pool that serves the queue', plain, { queue: 'high' }, {}, 3],
  ['of the pool that serves every queue', plain, { queue: 'other' }, {}, 5],
  ['of the config, where no pool serves the connection', plain, {}, { workerPools: {}, defaultWorkerMaxAttempts: 2 }, 2],
  ['of Redrive, where nobody says anything', plain, {}, { workerPools: {} }, 1],
])('onJobAdded, status and a job failed by hand tell the limit %s', async (_whose, job, options, config, limit) => {
  const redrive = await createRedrive({
    connections: { main: { provider: AsyncProvider } },
    workerPools: {
      any: { connection: 'main', queues: '*', maxAttempts: 5 },
      high: { connection: 'main', queues: 'high', maxAttempts: 3 },
    },
    jobs: [plain, own, unlimited],
    logFailedJobs: true,
    logger: new RecordingLogger(),
    ...config,
  });
  open.push(redrive);
  const added: number[] = [];
  redrive.on('onJobAdded', ({ job: { maxAttempts } }) => void added.push(maxAttempts));
  const id = await redrive.dispatch(job, {}, options);
  expect(added).toEqual([limit]);
  expect((await redrive.status(id))?.maxAttempts).toBe(limit);
  await redrive.failedJobs.markFailed(id);
  expect((await redrive.failedJobs.find(id))?.maxAttempts).toBe(limit);
});
