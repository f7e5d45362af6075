import { afterEach, describe, expect, it } from 'vitest';
import { AsyncProvider } from '../../providers/async/index.ts';
import {
  createRedrive,
  defineJob,
  noCapabilities,
  type Capabilities,
  type DispatchOptions,
  type Job,
  type Redrive,
} from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';

/** Takes jobs, and promises nothing beyond. */
class Plain extends AsyncProvider {
  override readonly capabilities: Capabilities = { ...noCapabilities, status: true };
}

const open: Redrive[] = [];

async function setup(): Promise<Redrive> {
  const redrive = await createRedrive({
    connections: { plain: { provider: Plain }, able: { provider: AsyncProvider } },
    workerPools: { pool: { connection: 'plain' } },
    jobs: [job, unique],
    logFailedJobs: true,
    logAttempts: false,
    logger: new RecordingLogger(),
  });
  open.push(redrive);
  return redrive;
}

afterEach(async () => {
  for (const redrive of open.splice(0)) await redrive.stop({ timeout: 0 });
});

const job = defineJob({ name: 'some.job', handle: () => Promise.reject(new Error('no')) });
const unique = defineJob({ name: 'unique.job', unique: () => 'one', handle: (_job: Job<object>) => 1 });

describe('a dispatch to a provider that cannot do what it asks for', () => {
  it.each<[string, DispatchOptions]>([
    ['delay', { delay: 1 }],
    ['priority', { priority: -1 }],
    ['transactions', { transaction: {} as never }],
  ])('is refused: %s', async (capability, options) => {
    const redrive = await setup();
    const refused = { code: 'CAPABILITY_MISSING', message: expect.stringContaining(`(capability ${capability})`) as string };
    await expect(redrive.dispatch(job, {}, options)).rejects.toMatchObject(refused);
    await expect(redrive.dispatchMany([{ job }, { job: 'by.name', options }])).rejects.toMatchObject({
      ...refused,
      message: expect.stringMatching(/^Entry 1 of the list: Job "by\.name" was not dispatched to connection "plain"/) as string,
    });
    expect(await redrive.stats()).toEqual([]);
  });

  it('is refused for a unique key, by class and by name', async () => {
    const redrive = await setup();
    const refused = { code: 'CAPABILITY_MISSING', message: expect.stringContaining('(capability unique)') as string };
    await expect(redrive.dispatch(unique, {})).rejects.toMatchObject(refused);
    await expect(redrive.dispatch('unique.job', {})).rejects.toMatchObject(refused);
    await expect(redrive.dispatch(unique, {}, { connection: 'able' })).resolves.toEqual(expect.any(String));
  });

  it('names all of it at once', async () => {
    const redrive = await setup();
    await expect(redrive.dispatch(unique, {}, { delay: 1, priority: 1 })).rejects.toMatchObject({
      faults: [expect.stringContaining('delay'), expect.stringContaining('priority'), expect.stringContaining('unique')],
    });
  });

  it('goes through where the options ask for nothing', async () => {
    const redrive = await setup();
    await expect(redrive.dispatch(job, {}, { delay: 0, priority: 0 })).resolves.toEqual(expect.any(String));
  });

  it('is an error for each job where it is a retry with a delay', async () => {
    const redrive = await setup();
    const id = await redrive.dispatch(job);
    await redrive.start();
    await expect.poll(() => redrive.failedJobs.count()).toBe(1);
    expect(await redrive.failedJobs.retry([id], { delay: '1m' })).toEqual({
      requeued: 0,
      outcomes: [{ id, status: 'error', detail: expect.stringContaining('knows no delay') as string }],
    });
    expect(await redrive.failedJobs.count()).toBe(1);
  });
});
