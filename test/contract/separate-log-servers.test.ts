import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import knexModule from 'knex';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { createRedrive, defineJob } from '../../src/index.ts';
import { providerConformance } from '../../src/testing/conformance/suite.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { databaseRedrive } from '../support/database-redrive.ts';
import { Proxy } from '../support/proxy.ts';
import { emptySchema, isBusy, withServer } from '../support/servers.ts';
import { size } from '../support/size.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const sqlite = (filename: string): { client: string; connection: { filename: string }; useNullAsDefault: true } => ({
  client: 'better-sqlite3',
  connection: { filename },
  useNullAsDefault: true,
});

await withServer('postgres', ({ config, knex }) => {
  const shared = knexModule.knex({ ...config, pool: { min: 0, max: 20 } });
  afterAll(() => shared.destroy());

  /** A log on a server is migrated by hand, as its operator would. */
  async function migrateLog(folder: string): Promise<void> {
    const redrive = await createRedrive(
      {
        connections: { main: { provider: DatabaseProvider, properties: sqlite(join(folder, 'jobs.db')) } },
        logFailedJobs: true,
        logFailedJobsProperties: { datasource: shared, queryOptions: { schema: 'log' } },
      },
      { logger: new RecordingLogger() },
    );
    await redrive.migrate();
    await redrive.stop();
  }

  if (size === 'small')
    it('the contract', ({ skip }) => skip('the contract with a failed-jobs log on another server than the jobs: npm run test:ci'));
  else {
    providerConformance({
      name: 'SQLite with the failed-jobs log in PostgreSQL',
      async create() {
        const folder = await mkdtemp(join(tmpdir(), 'redrive-separate-'));
        await migrateLog(folder);
        return {
          connection: { provider: DatabaseProvider, properties: sqlite(join(folder, 'jobs.db')) },
          logFailedJobsProperties: { datasource: shared, queryOptions: { schema: 'log' } },
          isBusy: () => isBusy(shared),
          async dispose() {
            await emptySchema(knex, 'log');
            await rm(folder, { recursive: true, force: true });
          },
        };
      },
    });

    providerConformance({
      name: 'PostgreSQL with the failed-jobs log in SQLite',
      async create() {
        const folder = await mkdtemp(join(tmpdir(), 'redrive-separate-'));
        return {
          connection: { provider: DatabaseProvider, properties: { knex: shared, schema: 'jobs', autoMigrate: true, pollInterval: '1m' } },
          logFailedJobsProperties: { datasource: sqlite(join(folder, 'log.db')) },
          isBusy: () => isBusy(shared),
          async dispose() {
            await emptySchema(knex, 'jobs');
            await rm(folder, { recursive: true, force: true });
          },
        };
      },
    });
  }

  describe('jobs in SQLite, their failed-jobs log in PostgreSQL', () => {
    it('F24: a log that goes away and comes back loses nothing and doubles nothing', { timeout: 60_000 }, async () => {
      const { host, port } = config.connection as { host: string; port: number };
      const proxy = await Proxy.to({ host, port });
      const filename = join(temporaryFolder(), 'jobs.db');
      const told: string[] = [];
      const job = defineJob<{ n: number }>({
        name: 'failing',
        handle: () => {
          throw new TypeError('always');
        },
      });
      const datasource = { client: 'pg', connection: { ...config.connection, port: proxy.port } };
      const logger = new RecordingLogger();
      const redrive = await databaseRedrive(sqlite(filename), {
        jobs: [job],
        logger,
        config: { logFailedJobsProperties: { datasource, queryOptions: { schema: 'away' } } },
      });
      redrive.on('onJobFailed', ({ job: { id } }) => void told.push(id));
      await redrive.migrate();
      onTestFinished(() => knex.raw('DROP SCHEMA away CASCADE'));
      await redrive.start();
      const logged = (): Promise<string[]> => knex.withSchema('away').from('cbq_failed_jobs').pluck<string[]>('job_id');
      const ids = [await redrive.dispatch(job, { n: 0 })];
      await vi.waitFor(async () => expect(await logged()).toEqual(ids), { timeout: 10_000 });
      await proxy.down();
      for (let n = 1; n <= 20; n++) ids.push(await redrive.dispatch(job, { n }));
      await vi.waitFor(() => expect(logger.says('The failed-jobs log could not be written; trying again', 'error')).toBe(true), {
        timeout: 10_000,
      });
      await proxy.up();
      await vi.waitFor(async () => expect(await logged()).toHaveLength(ids.length), { timeout: 30_000 });
      await vi.waitFor(() => expect(rows(filename, 'SELECT event_id FROM redrive_announcements')).toEqual([]), { timeout: 30_000 });
      expect((await logged()).toSorted()).toEqual(ids.toSorted());
      expect(told.toSorted()).toEqual(ids.toSorted());
      expect(rows(filename, 'SELECT status, count(*) AS n FROM redrive_jobs GROUP BY status')).toEqual([
        { status: 'failed', n: ids.length },
      ]);
    });
  });
});
