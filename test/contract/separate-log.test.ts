import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import knexModule from 'knex';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import type { FailureLog } from '../../src/record/failure-log.ts';
import type { RedriveConfig } from '../../src/config/redrive-config.ts';
import { defineJob, isRedriveError } from '../../src/index.ts';
import { providerConformance } from '../../src/testing/conformance/suite.ts';
import { using, World } from '../../src/testing/conformance/world.ts';
import { lockedByAnother } from '../support/locked.ts';
import { readTables, rows, type Tables } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const sqlite = (filename: string): { client: string; connection: { filename: string }; useNullAsDefault: true } => ({
  client: 'better-sqlite3',
  connection: { filename },
  useNullAsDefault: true,
});

providerConformance({
  name: 'SQLite with the failed-jobs log in another file',
  async create() {
    const folder = await mkdtemp(join(tmpdir(), 'redrive-separate-'));
    return {
      connection: { provider: DatabaseProvider, properties: sqlite(join(folder, 'jobs.db')) },
      logFailedJobsProperties: { datasource: sqlite(join(folder, 'log.db')) },
      dispose: () => rm(folder, { recursive: true, force: true }),
    };
  },
});

interface Scene {
  readonly world: World;
  readonly dispatch: () => Promise<string>;
  /** From now on the job succeeds. */
  readonly mend: () => void;
  readonly logFile: string;
  readonly tables: () => Tables;
}

type Settings = (log: string) => Partial<RedriveConfig>;

const asConfig: Settings = (log) => ({ logFailedJobsProperties: { datasource: sqlite(log) } });

async function inScene(settings: Settings, test: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  const jobsFile = join(folder, 'jobs.db');
  const logFile = join(folder, 'log.db');
  let broken = true;
  const job = defineJob({
    name: 'breaks',
    handle: () => {
      if (broken) throw new TypeError('the cause');
    },
  });
  const connection = { provider: DatabaseProvider, properties: sqlite(jobsFile) };
  const { connections, ...config } = settings(logFile);
  const world = await World.make(async () => ({ connection, dispose: async () => undefined }), {
    jobs: [job],
    config: { ...config, connections: { main: connection, ...connections } },
  });
  await using(world, () =>
    test({
      world,
      logFile,
      dispatch: () => world.redrive.dispatch(job),
      mend: () => (broken = false),
      tables: () => readTables(jobsFile, logFile),
    }),
  );
}

describe('the failed-jobs log in another file than the jobs', () => {
  const datasources: readonly (readonly [string, Settings])[] = [
    ['a Knex config', asConfig],
    [
      'a Knex instance, which stays open',
      (log) => {
        const knex = knexModule.knex(sqlite(log));
        onTestFinished(() => knex.destroy());
        return { logFailedJobsProperties: { datasource: knex } };
      },
    ],
    [
      "a connection's name",
      (log) => ({
        connections: { archive: { provider: DatabaseProvider, properties: sqlite(log) } },
        logFailedJobsProperties: { datasource: 'archive' },
      }),
    ],
  ];

  it.each(datasources)(
    'given as %s, holds the failed job (F22) through failed, retrying and resolved (F38), and the file of the jobs holds none',
    async (_how, settings) => {
      await inScene(settings, async ({ world, dispatch, mend, logFile, tables }) => {
        const jobId = await dispatch();
        await world.redrive.start();
        await world.until('everybody to be told', () => world.at('onJobFailed').length === 1);
        const failed = await world.failedJob();
        expect(failed).toMatchObject({ jobId, type: 'TypeError', message: 'the cause', connection: 'main', history: [{ attempt: 1 }] });
        expect(world.at('onJobFailed')[0]).toMatchObject({ failedJobId: failed.id, redelivered: false });
        expect(rows(logFile, 'SELECT job_id FROM cbq_failed_jobs')).toEqual([{ job_id: jobId }]);
        expect(rows(join(logFile, '..', 'jobs.db'), "SELECT name FROM sqlite_master WHERE name = 'cbq_failed_jobs'")).toEqual([]);
        await world.until('the announcement to be forgotten', () => tables().announcements.length === 0);

        mend();
        await world.redrive.failedJobs.retry(jobId, { delay: '1m' });
        expect((await world.failedJob('retrying')).id).toBe(failed.id);
        await world.clock.advance('1m');
        expect((await world.failedJob('resolved')).id).toBe(failed.id);
        await world.clock.advance('1m');
        expect(tables()).toMatchObject({
          announcements: [],
          failed: [{ id: failed.id, job_id: jobId, status: 'resolved', run: 2 }],
          jobs: [{ status: 'completed', run: 2 }],
        });
      });
    },
  );

  it('F24: that cannot be written: the failure is told once the row is there, and once only', async () => {
    await inScene(asConfig, async ({ world, dispatch, logFile, tables }) => {
      const jobId = await dispatch();
      await world.redrive.migrate();
      const lock = await lockedByAnother(logFile);
      const pass = stopTheClock(world);
      await world.redrive.start();
      await pass(() => world.logger.says('The failed-jobs log could not be written; trying again', 'error'));
      expect(world.logger.lines.some(({ fields }) => isRedriveError(fields['err'], 'STORE_LOCKED'))).toBe(true);
      expect(world.told.filter(({ point }) => point !== 'onJobAdded' && point !== 'onJobMarshalled')).toEqual([]);
      expect(tables()).toMatchObject({
        jobs: [{ status: 'failed', attempt: 1 }],
        attempts: [{ job_id: jobId }],
        announcements: [{ kind: 'failed', job_id: jobId }],
        failed: [],
      });
      await lock.release();
      await pass(() => tables().announcements.length === 0);
      expectToldOnce(world, tables(), { redelivered: false });
    });
  });

  it('F24: that cannot be written, and the worker dies meanwhile: another worker writes the row and tells of it', async () => {
    await inScene(asConfig, async ({ world, dispatch, logFile, tables }) => {
      await dispatch();
      await world.redrive.migrate();
      const lock = await lockedByAnother(logFile);
      const dead = await world.stoppable();
      const pass = stopTheClock(world);
      await dead.redrive.start();
      await pass(() => tables().announcements.length === 1);
      await world.redrive.start();
      await pass(() => world.logger.says('The failed-jobs log could not be written; trying again', 'error'), 60);
      await lock.release();
      await pass(() => tables().announcements.length === 0);
      expectToldOnce(world, tables(), { redelivered: true });
    });
  });

  it('F24: that cannot be written when the worker stops: it stops all the same, and the next one tells', async () => {
    await inScene(asConfig, async ({ world, dispatch, logFile, tables }) => {
      await dispatch();
      await world.redrive.migrate();
      const lock = await lockedByAnother(logFile);
      const pass = stopTheClock(world);
      await world.redrive.start();
      await pass(() => world.logger.says('The failed-jobs log could not be written; trying again', 'error'));
      let stopped = false;
      void world.redrive.stop({ timeout: '5s' }).then(() => (stopped = true));
      await pass(() => stopped);
      expect(tables().announcements).toHaveLength(1);
      await lock.release();
      world.redrive = await world.another();
      await world.redrive.start();
      await pass(() => tables().announcements.length === 0);
      expectToldOnce(world, tables(), { redelivered: true });
    });
  });

  it('F38: that cannot be written while a failed job is retried and succeeds: it is resolved there once it can be, by the same worker', async () => {
    await inScene(asConfig, async ({ world, dispatch, mend, logFile, tables }) => {
      const jobId = await dispatch();
      await world.redrive.start();
      await world.until('everybody to be told', () => world.at('onJobFailed').length === 1 && tables().announcements.length === 0);
      mend();
      const lock = await lockedByAnother(logFile);
      const pass = stopTheClock(world);
      // Whether the log can be told at once or not, the job moves.
      const retried = world.redrive.failedJobs.retry(jobId);
      await pass(() => world.at('onJobComplete').length === 1);
      await pass(() => false, 60);
      await lock.release();
      await pass(() => tables().announcements.length === 0);
      expect(await retried).toMatchObject({ requeued: 1 });
      expect(tables()).toMatchObject({ failed: [{ job_id: jobId, status: 'resolved', run: 2 }], jobs: [{ status: 'completed', run: 2 }] });
    });
  });
});

afterEach(() => vi.useRealTimers());

/** From here on waiting for a lock takes no time. Returns how to let time pass, by the world's clock as well, until something holds. */
function stopTheClock(world: World): (holds: () => boolean, seconds?: number) => Promise<void> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  return async (holds, seconds = 300) => {
    for (let second = 0; second < seconds && !holds(); second += 1) {
      await world.clock.advance('1s');
      await vi.advanceTimersByTimeAsync(1_000);
    }
  };
}

function expectToldOnce(world: World, tables: Tables, how: { readonly redelivered: boolean }): void {
  expect(tables.failed).toMatchObject([{ status: 'failed', kind: 'exception', run: 1, exceptionMessage: 'the cause' }]);
  expect(world.at('onJobFailed').map(({ eventId, failedJobId, redelivered }) => ({ eventId, failedJobId, redelivered }))).toEqual([
    { eventId: tables.failed[0]?.event_id, failedJobId: tables.failed[0]?.id, redelivered: how.redelivered },
  ]);
  expect(tables.attempts).toHaveLength(1);
  expect(tables.jobs).toMatchObject([{ status: 'failed', attempt: 1 }]);
}

describe('a forget, while others tell the log of the same job', () => {
  async function failed({ world, dispatch }: Scene): Promise<{ readonly jobId: string; readonly log: FailureLog }> {
    const jobId = await dispatch();
    await world.redrive.start();
    await world.until('everybody to be told', () => world.at('onJobFailed').length === 1);
    return { jobId, log: await world.failureLog() };
  }

  it('F49: has removed a failed job whose record a worker took back first', () =>
    inScene(asConfig, async (scene) => {
      const { jobId, log } = await failed(scene);
      const forget = log.forget.bind(log);
      vi.spyOn(log, 'forget').mockImplementation(async (ids, options) => {
        await forget(ids, options);
        return forget(ids, options);
      });
      const { redrive } = scene.world;
      expect(await redrive.failedJobs.forget(jobId)).toEqual({ removed: 1, outcomes: [{ id: jobId, status: 'removed' }] });
      expect((await redrive.audit()).items[0]).toMatchObject({ action: 'deleted', count: 1 });
    }));

  it('F51: takes with a job that has ended the record of it, which says yet that it is being retried', () =>
    inScene(asConfig, async (scene) => {
      const { world, mend, tables } = scene;
      const { jobId, log } = await failed(scene);
      const looked = await log.pick({ ids: [jobId] }, { order: 'oldest' });
      const resolved = vi.spyOn(log, 'resolved').mockRejectedValue(new Error('away'));
      mend();
      await world.redrive.failedJobs.retry(jobId);
      await world.until('the job to be complete', () => tables().jobs[0]?.status === 'completed');
      expect(tables().failed).toMatchObject([{ job_id: jobId, status: 'retrying' }]);
      // It was looked at before it was put back.
      vi.spyOn(log, 'pick').mockResolvedValueOnce(looked);
      expect((await world.redrive.failedJobs.forget(jobId)).removed).toBe(1);
      resolved.mockRestore();
      await world.clock.advance('5m');
      expect(tables()).toMatchObject({ failed: [], announcements: [] });
      expect(await world.redrive.status(jobId)).toBeUndefined();
    }));
});
