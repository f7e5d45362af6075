import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { defineJob, isRedriveError } from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { isPending, lockedByAnother } from '../support/locked.ts';
import { sqliteRedrive } from '../support/sqlite-redrive.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const job = defineJob({ name: 'job', handle: () => 'done' });

async function migratedFile(): Promise<string> {
  const filename = join(temporaryFolder(), 'app.db');
  await (await sqliteRedrive(filename)).migrate();
  return filename;
}

/** From here on waiting takes no time, while the other process really holds its lock. */
function stopTheClock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
}

/** Lets time pass until a promise is settled, or a minute is over. */
async function pass(until: Promise<unknown> = new Promise(() => {})): Promise<void> {
  const settled = new AbortController();
  until.then(
    () => settled.abort(),
    () => settled.abort(),
  );
  for (let ms = 0; ms < 60_000 && !settled.signal.aborted; ms += 500) await vi.advanceTimersByTimeAsync(500);
}

afterEach(() => vi.useRealTimers());

describe('a database that another process holds locked', () => {
  it('makes dispatch wait, without blocking this process, and is written once the lock is gone', async () => {
    const filename = await migratedFile();
    const redrive = await sqliteRedrive(filename);
    const first = await redrive.dispatch(job);
    const lock = await lockedByAnother(filename);
    const waiting = redrive.dispatch(job);
    expect(await isPending(waiting)).toBe(true);
    expect(rows(filename, 'SELECT uuid FROM redrive_jobs')).toEqual([{ uuid: first }]);
    await lock.release();
    const second = await waiting;
    expect(rows(filename, 'SELECT uuid FROM redrive_jobs ORDER BY id')).toEqual([{ uuid: first }, { uuid: second }]);
  });

  it.each(['dispatch', 'dispatchMany', 'retry', 'start', 'migrate'] as const)(
    'for too long: %s says so with STORE_LOCKED, and nothing of it is stored',
    async (call) => {
      const filename = await migratedFile();
      const redrive = await sqliteRedrive(filename, { jobs: [job] });
      const failed = await failOne(filename);
      await lockedByAnother(filename);
      const calls = {
        dispatch: () => redrive.dispatch(job),
        dispatchMany: () => redrive.dispatchMany([{ job }, { job }]),
        retry: () => redrive.failedJobs.retry(failed),
        start: () => redrive.start(),
        migrate: async () => (await sqliteRedrive(filename, { config: { logFailedJobsProperties: { tableName: 'more' } } })).migrate(),
      };
      stopTheClock();
      const refused = calls[call]().then(
        () => expect.fail('it was not refused'),
        (reason: unknown) => reason,
      );
      await pass(refused);
      const error = await refused;
      expect(isRedriveError(error, 'STORE_LOCKED')).toBe(true);
      expect((error as Error).message).toMatch(/^\S+app\.db is locked: .*find it \(for example with "fuser \S+app\.db"\) or wait$/);
      expect(rows(filename, 'SELECT status FROM redrive_jobs')).toEqual([{ status: 'failed' }]);
      expect(rows(filename, 'SELECT status FROM cbq_failed_jobs')).toEqual([{ status: 'failed' }]);
    },
  );

  it('can be looked at meanwhile', async () => {
    const filename = await migratedFile();
    const failed = await failOne(filename);
    await lockedByAnother(filename, 'exclusive');
    const redrive = await sqliteRedrive(filename, { access: 'look' });
    expect((await redrive.failedJobs.list()).items.map(({ jobId }) => jobId)).toEqual([failed]);
  });

  it('and that is new: whoever opens it waits until the other has made it', async () => {
    const filename = join(temporaryFolder(), 'app.db');
    new Database(filename).exec('CREATE TABLE theirs (id INTEGER)').close();
    const lock = await lockedByAnother(filename, 'exclusive');
    const redrive = await sqliteRedrive(filename);
    const waiting = redrive.dispatch(job);
    expect(await isPending(waiting)).toBe(true);
    await lock.release();
    expect(rows(filename, 'SELECT uuid FROM redrive_jobs')).toEqual([{ uuid: await waiting }]);
  });

  it('F31: while jobs run: the pool stays up, says so, and settles each once when the lock is gone', async () => {
    const filename = await migratedFile();
    const logger = new RecordingLogger();
    let end = (): void => undefined;
    const gate = defineJob({ name: 'gate', timeout: 0, handle: () => new Promise<void>((resolve) => (end = resolve)) });
    const redrive = await sqliteRedrive(filename, { jobs: [gate], logger });
    const id = await redrive.dispatch(gate);
    stopTheClock();
    const running = new Promise((resolve) => redrive.on('onJobMarshalled', resolve));
    const complete = new Promise((resolve) => redrive.on('onJobComplete', resolve));
    await redrive.start();
    await running;
    const lock = await lockedByAnother(filename);
    end();
    await pass(complete);
    expect(logger.says('Outcomes could not be written; trying again', 'error')).toBe(true);
    expect(logger.lines.some(({ fields }) => isRedriveError(fields['err'], 'STORE_LOCKED'))).toBe(true);
    await lock.release();
    await pass(complete);
    expect(rows(filename, 'SELECT uuid, status, attempt FROM redrive_jobs')).toEqual([{ uuid: id, status: 'completed', attempt: 1 }]);
    expect(rows(filename, 'SELECT * FROM redrive_attempts')).toEqual([]);
    // Stopping waits, too, and by the same clock.
    await pass(redrive.stop());
  });
});

/** A failed job; returns its id. */
async function failOne(filename: string): Promise<string> {
  const fails = defineJob({
    name: 'fails',
    handle: () => {
      throw new Error('on purpose');
    },
  });
  const redrive = await sqliteRedrive(filename, { jobs: [fails] });
  const id = await redrive.dispatch(fails);
  await redrive.workOnce();
  await redrive.stop();
  return id;
}
