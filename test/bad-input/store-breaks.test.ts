import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { defineJob, isRedriveError, type ErrorCode, type Redrive } from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { sqliteRedrive } from '../support/sqlite-redrive.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A job that runs until it is let go, and a pool at work on a file. */
interface Scene {
  readonly folder: string;
  readonly filename: string;
  readonly redrive: Redrive;
  readonly dispatch: () => Promise<string>;
  readonly running: () => Promise<unknown>;
  readonly release: () => void;
  readonly complete: Promise<string>;
  /** Resolves when the log has an error of this code. */
  readonly says: (code: ErrorCode) => Promise<void>;
}

async function working(): Promise<Scene> {
  const folder = join(temporaryFolder(), 'data');
  const template = join(folder, '..', 'template.db');
  const filename = join(folder, 'app.db');
  const maker = await sqliteRedrive(template);
  await maker.migrate();
  await maker.stop();
  mkdirSync(folder);
  const logger = new RecordingLogger();
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const job = defineJob({ name: 'gate', timeout: 0, handle: () => gate });
  const redrive = await sqliteRedrive(filename, { jobs: [job], logger, properties: { lease: '1s' } });
  const running = new Promise((resolve) => redrive.on('onJobMarshalled', resolve));
  const complete = new Promise<string>((resolve) => redrive.on('onJobComplete', (event) => resolve(event.job.id)));
  await redrive.start();
  return {
    folder,
    filename,
    redrive,
    release: () => release(),
    dispatch: () => redrive.dispatch(job),
    running: () => running,
    complete,
    async says(code) {
      while (!logger.lines.some(({ level, fields }) => level === 'error' && isRedriveError(fields['err'], code)))
        await new Promise((resolve) => setTimeout(resolve, 20));
    },
  };
}

async function refusal(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await call.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  );
  if (isRedriveError(error)) return { code: error.code, message: error.message };
  throw error;
}

describe('a database file that goes away while a pool works', () => {
  it('F31: deleted: the process stays up and says so, and nothing is written where nobody would find it', async () => {
    const { filename, redrive, dispatch, says } = await working();
    rmSync(filename);
    const { code, message } = await refusal(dispatch());
    expect(code).toBe('STORE_MISSING');
    expect(message).toContain(filename);
    expect(message).toMatch(/put it back/);
    await says('STORE_MISSING');
    expect((await redrive.health()).ok).toBe(false);
    expect(existsSync(filename)).toBe(false);
  });

  it('F31: deleted with its folder', async () => {
    const { folder, dispatch, says } = await working();
    rmSync(folder, { recursive: true });
    expect((await refusal(dispatch())).code).toBe('STORE_MISSING');
    await says('STORE_MISSING');
  });

  it('F31: moved away and back: the running job is settled once, and what was queued is run', async () => {
    const { filename, dispatch, running, release, complete, says } = await working();
    const first = await dispatch();
    await running();
    moveAll(filename, `${filename}.away`);
    release();
    await says('STORE_MISSING');
    moveAll(`${filename}.away`, filename);
    expect(await complete).toBe(first);
    expect(rows(filename, 'SELECT uuid, status, attempt FROM redrive_jobs')).toEqual([{ uuid: first, status: 'completed', attempt: 1 }]);
  });

  it.each([
    ['another database with the tables', (folder: string) => readFileSync(join(folder, '..', 'template.db'))],
    ['an empty file', () => ''],
    ['a text file', () => 'this is no database\n'.repeat(100)],
  ])('F31: replaced by %s: nothing is written to either file until the old one is back', async (_what, content) => {
    const { folder, filename, dispatch, release, complete, says } = await working();
    const replacement = content(folder);
    writeFileSync(join(folder, 'new.db'), replacement);
    renameSync(filename, join(folder, 'old.db'));
    renameSync(join(folder, 'new.db'), filename);
    const { code, message } = await refusal(dispatch());
    expect(code).toBe('STORE_MISSING');
    expect(message).toContain(filename);
    expect(message).toMatch(/was replaced .* start them again/);
    await says('STORE_MISSING');
    expect(readFileSync(filename).equals(Buffer.from(replacement))).toBe(true);
    renameSync(join(folder, 'old.db'), filename);
    release();
    const id = await dispatch();
    expect(await complete).toBe(id);
    expect(rows(filename, 'SELECT uuid FROM redrive_jobs')).toEqual([{ uuid: id }]);
  });

  it('F31: tables dropped: the pool stays up and says which command mends it, and goes on when that was run', async () => {
    const { filename, dispatch, release, complete, says } = await working();
    const database = new Database(filename);
    database.exec('DROP TABLE redrive_jobs; DELETE FROM redrive_migrations');
    database.close();
    expect((await refusal(dispatch())).code).toBe('STORE_UNMIGRATED');
    await says('STORE_UNMIGRATED');
    await (await sqliteRedrive(filename, { config: { logFailedJobs: false } })).migrate();
    release();
    expect(await dispatch()).toBe(await complete);
  });

  it('F30, F31: for good: a stop does not wait for ever to write an outcome, and the file moved back has the job to be rescued', async () => {
    const { filename, redrive, dispatch, running, release, says } = await working();
    const id = await dispatch();
    await running();
    moveAll(filename, `${filename}.away`);
    release();
    await says('STORE_MISSING');
    await redrive.stop({ timeout: '100ms' });
    moveAll(`${filename}.away`, filename);
    expect(rows(filename, 'SELECT uuid, status FROM redrive_jobs')).toEqual([{ uuid: id, status: 'reserved' }]);
    const complete = defineJob({ name: 'gate', maxAttempts: 2, handle: () => 'done' });
    const next = await sqliteRedrive(filename, { jobs: [complete], properties: { lease: '1s' } });
    const completed = new Promise<string>((resolve) => next.on('onJobComplete', (event) => resolve(event.job.id)));
    await next.start();
    expect(await completed).toBe(id);
  });
});

/** A SQLite file with what lies beside it. */
function moveAll(from: string, to: string): void {
  for (const suffix of ['-shm', '-wal', '']) renameSync(`${from}${suffix}`, `${to}${suffix}`);
}
