import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { defineJob, isRedriveError, type ErrorCode, type Redrive, type RedriveConfig } from '../../src/index.ts';
import type { StoreAccess } from '../../src/store/sql-store.ts';
import { Child } from '../support/child.ts';
import { sqliteRedrive } from '../support/sqlite-redrive.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { rows } from '../support/tables.ts';
import type { NobodyCall, NobodyOrders, NobodySaid } from './nobody.ts';

const job = defineJob({ name: 'job', handle: () => 'done' });

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What a call is refused with; fails the test where it is not, or without a code. */
async function refusal(call: Promise<unknown>): Promise<Refusal> {
  const error = await call.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  );
  if (!isRedriveError(error)) throw error;
  expect(error.message).not.toContain('\n');
  return { code: error.code, message: error.message };
}

/** Everything a program may ask of a store first. */
const firstCalls: readonly (readonly [string, StoreAccess, (redrive: Redrive) => Promise<unknown>])[] = [
  ['dispatch', 'change', (redrive) => redrive.dispatch('job')],
  ['retry', 'change', (redrive) => redrive.failedJobs.retry('1')],
  ['list', 'look', (redrive) => redrive.failedJobs.list()],
  ['start', 'change', (redrive) => redrive.start()],
];

/** A file with Redrive's tables and some jobs in it. */
async function filledFile(filename: string, count = 1): Promise<void> {
  const redrive = await sqliteRedrive(filename);
  await redrive.dispatchMany(Array.from({ length: count }, (_, n) => ({ job, properties: { n, padding: 'x'.repeat(1_000) } })));
  await redrive.stop();
}

describe('a database file that is not there', () => {
  it.each(firstCalls)('is told by %s with access "%s", and not created', async (_name, access, call) => {
    const filename = join(temporaryFolder(), 'app.db');
    const { code, message } = await refusal(call(await sqliteRedrive(filename, { access })));
    expect(code).toBe('STORE_MISSING');
    expect(message).toContain(filename);
    expect(message).toContain('redrive migrate');
    expect(existsSync(filename)).toBe(false);
  });

  it('is created by dispatch, migrate and start where access is "create", which is what code has', async () => {
    const folder = temporaryFolder();
    for (const [name, call] of Object.entries({
      dispatch: (redrive: Redrive) => redrive.dispatch(job),
      migrate: (redrive: Redrive) => redrive.migrate(),
      start: (redrive: Redrive) => redrive.start(),
    })) {
      await call(await sqliteRedrive(join(folder, `${name}.db`), { jobs: [job] }));
      expect(rows(join(folder, `${name}.db`), 'SELECT count(*) AS n FROM redrive_jobs')).toEqual([{ n: name === 'dispatch' ? 1 : 0 }]);
    }
  });

  it('is used once it is there: the same Redrive goes on after the fault is mended', async () => {
    const filename = join(temporaryFolder(), 'app.db');
    const redrive = await sqliteRedrive(filename, { access: 'change' });
    expect((await refusal(redrive.dispatch(job))).code).toBe('STORE_MISSING');
    await (await sqliteRedrive(filename)).migrate();
    const id = await redrive.dispatch(job);
    expect(rows(filename, 'SELECT uuid FROM redrive_jobs')).toEqual([{ uuid: id }]);
  });

  it.each(['look', 'change', 'create'] as const)(
    'nor its folder: names the folder, with access "%s", and creates neither',
    async (access) => {
      const folder = join(temporaryFolder(), 'not', 'there');
      const { code, message } = await refusal((await sqliteRedrive(join(folder, 'app.db'), { access })).failedJobs.list());
      expect(code).toBe('STORE_MISSING');
      expect(message).toContain(`folder ${folder} does not exist; create it`);
      expect(existsSync(folder)).toBe(false);
    },
  );
});

describe('a database file that several share', () => {
  it('is migrated once for connections and a log that start at the same time', async () => {
    const filename = join(temporaryFolder(), 'app.db');
    const connection = (tableName: string): RedriveConfig['connections'] => ({
      [tableName]: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename }, tableName } },
    });
    const redrive = await sqliteRedrive(filename, {
      jobs: [job],
      config: {
        connections: { ...connection('main'), ...connection('more'), ...connection('most') },
        workerPools: { pool: { connection: 'main' } },
      },
    });
    await redrive.start();
    for (const name of ['main', 'more', 'most']) {
      const id = await redrive.dispatch(job, {}, { connection: name });
      expect(rows(filename, `SELECT uuid FROM ${name}`)).toEqual([{ uuid: id }]);
    }
    expect(rows(filename, 'SELECT name FROM redrive_migrations GROUP BY name HAVING count(*) > 1')).toEqual([]);
    expect(rows(filename, "SELECT count(*) AS n FROM redrive_migrations WHERE name LIKE 'jobs%'")).toEqual([{ n: 3 }]);
  });

  it.each(['with spaces.db', 'näive ファイル.db', 'a#b?c=d&e%20f.db', "it's.db", ':memory', 'app'])('may be called %j', async (name) => {
    const filename = join(temporaryFolder(), name);
    const id = await (await sqliteRedrive(filename)).dispatch(job);
    expect(rows(filename, 'SELECT uuid FROM redrive_jobs')).toEqual([{ uuid: id }]);
  });
});

describe('a file that is no database of ours', () => {
  const notDatabases: readonly (readonly [string, (filename: string) => void | Promise<void>, ErrorCode])[] = [
    [
      'a text file',
      (filename) => writeFileSync(filename, 'Dear diary, today I was opened as a database.\n'.repeat(50)),
      'STORE_NOT_A_DATABASE',
    ],
    ['a short text file', (filename) => writeFileSync(filename, 'not a database'), 'STORE_NOT_A_DATABASE'],
    ['a folder', (filename) => mkdirSync(filename), 'STORE_NOT_A_DATABASE'],
    ['a database of which only the head is left', truncatedTo(600), 'STORE_BROKEN'],
    ['a database that lacks its end', truncatedTo(0.5), 'STORE_BROKEN'],
    ['a database with garbage in its middle', overwritten, 'STORE_BROKEN'],
  ];

  /** `size` below 1 is a share of the file. */
  function truncatedTo(size: number): (filename: string) => Promise<void> {
    return async (filename) => {
      await filledFile(filename, 200);
      truncateSync(filename, size < 1 ? Math.floor(statSync(filename).size * size) : size);
    };
  }

  async function overwritten(filename: string): Promise<void> {
    await filledFile(filename, 200);
    const { size } = statSync(filename);
    const file = openSync(filename, 'r+');
    for (let at = 4_096; at < size; at += 4_096) writeSync(file, Buffer.alloc(4_096, 0xa5), 0, Math.min(4_096, size - at), at);
    closeSync(file);
  }

  it.each(notDatabases)('%s is refused with a code by every call, and left as it is', async (what, make, expected) => {
    const filename = join(temporaryFolder(), 'app.db');
    await make(filename);
    const before = what === 'a folder' ? undefined : readFileSync(filename);
    for (const [, access, call] of firstCalls) {
      const { code, message } = await refusal(call(await sqliteRedrive(filename, { access })));
      expect(code).toBe(expected);
      expect(message).toContain(filename);
      // What to do next.
      expect(message).toMatch(/name (a|another)|restore/);
    }
    if (before !== undefined) expect(readFileSync(filename).equals(before)).toBe(true);
  });

  it('an empty file is an empty database: not migrated, and filled by migrate', async () => {
    const filename = join(temporaryFolder(), 'app.db');
    writeFileSync(filename, '');
    expect((await refusal((await sqliteRedrive(filename, { access: 'change' })).dispatch(job))).code).toBe('STORE_UNMIGRATED');
    await (await sqliteRedrive(filename)).migrate();
    expect(await (await sqliteRedrive(filename, { access: 'change' })).dispatch(job)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each(firstCalls)(
    "a database without Redrive's tables: %s (access '%s') says which command makes them, and makes none",
    async (_name, access, call) => {
      const filename = join(temporaryFolder(), 'app.db');
      const database = new Database(filename);
      database.exec('CREATE TABLE theirs (id INTEGER PRIMARY KEY)');
      database.close();
      const { code, message } = await refusal(call(await sqliteRedrive(filename, { access })));
      expect(code).toBe('STORE_UNMIGRATED');
      expect(message).toContain(filename);
      expect(message).toContain('run "redrive migrate"');
      expect(rows(filename, "SELECT name FROM sqlite_master WHERE type = 'table'")).toEqual([{ name: 'theirs' }]);
    },
  );

  it.each(['redrive_jobs', 'cbq_failed_jobs'])(
    'a table %s of somebody else is not touched: migrate names it and says what to do',
    async (table) => {
      const filename = join(temporaryFolder(), 'app.db');
      const database = new Database(filename);
      database.exec(`CREATE TABLE ${table} (theirs TEXT); INSERT INTO ${table} VALUES ('precious')`);
      database.close();
      const { code, message } = await refusal((await sqliteRedrive(filename)).migrate());
      expect(code).toBe('MIGRATION_FAILED');
      expect(message).toContain(table);
      expect(message).toMatch(/tableName|rename/);
      expect(rows(filename, `SELECT * FROM ${table}`)).toEqual([{ theirs: 'precious' }]);
      // Nor is anything else left half done.
      expect(rows(filename, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")).toEqual(
        table === 'cbq_failed_jobs' ? expect.anything() : [{ name: table }],
      );
    },
  );

  it('tables of ours that somebody changed since: the call says what is missing and which command mends it', async () => {
    const filename = join(temporaryFolder(), 'app.db');
    await filledFile(filename);
    const database = new Database(filename);
    database.exec('DROP TABLE redrive_jobs; CREATE TABLE redrive_jobs (theirs TEXT)');
    database.close();
    const { code, message } = await refusal((await sqliteRedrive(filename, { access: 'change' })).dispatch(job));
    expect(code).toBe('STORE_UNMIGRATED');
    expect(message).toContain('redrive_jobs');
  });
});

describe('a file or folder that this user may not write', () => {
  interface Given {
    /** Of the file; undefined: there is none. */
    readonly file?: number;
    readonly folder: number;
  }

  /** What the calls of a process without rights come to. */
  async function asNobody({ file, folder: folderMode }: Given, calls: readonly NobodyCall[]): Promise<readonly NobodySaid[]> {
    // Within a folder of its own, since the test's has to be removable.
    const folder = join(temporaryFolder(), 'theirs');
    chmodSync(join(folder, '..'), 0o755);
    mkdirSync(folder);
    const filename = join(folder, 'app.db');
    if (file !== undefined) await filledFile(filename);
    if (file !== undefined) chmodSync(filename, file);
    chmodSync(folder, folderMode);
    onTestFinished(() => chmodSync(folder, 0o700));
    const child = new Child<NobodySaid>(new URL('nobody.ts', import.meta.url), { filename, calls } satisfies NobodyOrders);
    expect(await child.ended, child.printed).toEqual({ code: 0, signal: null });
    return child.messages;
  }

  it('a read-only file in a folder that may be written can be looked at, and nothing else', async () => {
    const said = await asNobody({ file: 0o444, folder: 0o777 }, [
      { call: 'list', access: 'look' },
      { call: 'dispatch', access: 'change' },
      { call: 'migrate', access: 'create' },
    ]);
    expect(said).toEqual([
      { result: { items: [] } },
      { code: 'STORE_READ_ONLY', message: expect.stringMatching(/app\.db cannot be written by this user; check its permissions$/) },
      { code: 'STORE_READ_ONLY', message: expect.stringContaining('check its permissions') },
    ]);
  });

  it('a file in a folder that may not be written is refused, with the folder as the reason', async () => {
    for (const file of [0o444, 0o666]) {
      const said = await asNobody({ file, folder: 0o555 }, [
        { call: 'list', access: 'look' },
        { call: 'dispatch', access: 'change' },
      ]);
      for (const { code, message } of said) {
        expect(code).toMatch(/^STORE_(READ_ONLY|MISSING)$/);
        expect(message).toMatch(/folder|permissions/);
      }
    }
  });

  it('a file that may not be read is refused', async () => {
    const said = await asNobody({ file: 0o000, folder: 0o777 }, [{ call: 'list', access: 'look' }]);
    expect(said).toEqual([
      { code: 'STORE_READ_ONLY', message: expect.stringContaining('cannot be read by this user; check its permissions') },
    ]);
  });

  it('a file that cannot be created is refused', async () => {
    const said = await asNobody({ folder: 0o555 }, [{ call: 'migrate', access: 'create' }]);
    expect(said).toEqual([{ code: expect.stringMatching(/^STORE_(READ_ONLY|MISSING)$/), message: expect.stringContaining('folder') }]);
  });
});
