import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRedrive, defineJob, type Job } from '../../src/index.ts';
import { DatabaseProvider } from '../../providers/database/index.ts';

it('walks one job through the whole path', async () => {
  const filename = join(mkdtempSync(join(tmpdir(), 'redrive-')), 'app.db');
  let broken = true;
  const flaky = defineJob({ name: 'flaky', maxAttempts: 2, handle: (job: Job<{ n: number }>) => { if (broken) throw new Error(`no ${job.properties.n} ${job.attempt}`); return 'ok'; } });
  const redrive = await createRedrive({
    connections: { default: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename } } } },
    workerPools: { main: { connection: 'default', quantity: 2 } },
    jobs: [flaky],
    logFailedJobs: true,
  });
  const id = await redrive.dispatch(flaky, { n: 42 });
  await redrive.start();
  expect(await redrive.idle({ timeout: '5s' })).toBe(true);
  const { items } = await redrive.failedJobs.list();
  expect(items.length).toBe(1);
  console.log(await redrive.failedJobs.find(id));
  broken = false;
  console.log(await redrive.failedJobs.retry(id));
  await redrive.idle({ timeout: '5s' });
  expect((await redrive.failedJobs.find(1))?.status).toBe('resolved');
  await redrive.stop();
});
