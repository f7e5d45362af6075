import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { createRedrive } from '../../src/create-redrive.ts';
import { defineJob } from '../../src/job/define.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

it('with only a database, jobs of a connection of any name keep their history and can be retried', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'redrive-other-'));
  folders.push(folder);
  const address = {
    provider: DatabaseProvider,
    properties: { client: 'better-sqlite3', connection: { filename: join(folder, 'app.db') } },
  };
  const job = defineJob({
    name: 'fails',
    handle: () => {
      throw new Error('no');
    },
  });
  const logger = new RecordingLogger();
  const app = await createRedrive({
    connections: { billing: address },
    workerPools: { pool: { connection: 'billing' } },
    jobs: [job],
    logFailedJobs: true,
    logger,
  });
  const id = await app.dispatch(job);
  await app.start();
  await app.idle();
  await app.stop();
  const operator = await createRedrive(
    { connections: { default: address }, logFailedJobs: true, logger },
    { access: 'change', standsIn: true },
  );
  const found = await operator.failedJobs.find(id);
  expect(found?.connection).toBe('billing');
  expect(found?.history).toHaveLength(1);
  expect((await operator.failedJobs.retry(id)).requeued).toBe(1);
  expect((await operator.status(id))?.status).toBe('queued');
  await operator.stop();
});
