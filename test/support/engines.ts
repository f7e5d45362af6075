import { join } from 'node:path';
import knexModule, { type Knex } from 'knex';
import { afterAll, describe, it, onTestFinished } from 'vitest';
import type { FaultErrors } from './faulty-provider.ts';
import { emptySchema, isBusy, makeDatabase, withServer, type ServerName, type TestDatabase } from './servers.ts';
import { size } from './size.ts';
import { canWrite, readTables, rows, type Tables } from './tables.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A database of one test's own, and what is in it, read past the program under test. */
export interface Ground {
  /** A connection's properties that lead to it: plain, so that another process can be given them. */
  readonly properties: Readonly<Record<string, unknown>>;
  tables(): Promise<Tables>;
  /** Rows by a query that every engine understands. */
  readonly rows: <Row>(sql: string) => Promise<readonly Row[]>;
  /** Whether nobody is in the middle of a transaction that writes. */
  isAtRest(): Promise<boolean>;
}

/** A ground on a server. */
export interface ServerGround extends Ground {
  /** Ends every connection to its database but the one that does it. */
  killConnections(): Promise<void>;
}

/** A ground that tests of one process use, one after the other. */
export interface SharedGround extends Ground {
  /** Whether its server is at work for somebody here. */
  readonly isBusy: () => boolean;
}

export interface EngineUnderTest {
  readonly name: 'SQLite' | 'PostgreSQL' | 'MySQL';
  /** An empty database, without tables; gone after the test. */
  readonly makeGround: () => Promise<Ground>;
  /** Empty as well, but maybe with tables, and not to be used once the next one is asked for: for many small tests. */
  readonly shareGround: () => Promise<SharedGround>;
  readonly errors: FaultErrors;
}

export interface ServerUnderTest extends EngineUnderTest {
  readonly makeGround: () => Promise<ServerGround>;
}

export const sqlite: EngineUnderTest = {
  name: 'SQLite',
  makeGround: async () => makeFile(),
  shareGround: async () => ({ ...makeFile(), isBusy: () => false }),
  errors: {
    broken: () => Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR' }),
    busy: () => Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' }),
  },
};

function makeFile(): Ground {
  const filename = join(temporaryFolder(), 'jobs.db');
  return {
    properties: { client: 'better-sqlite3', connection: { filename } },
    tables: async () => readTables(filename),
    rows: async (sql) => rows(filename, sql),
    isAtRest: async () => canWrite(filename),
  };
}

const engineNames: Readonly<Record<ServerName, EngineUnderTest['name']>> = { postgres: 'PostgreSQL', mysql: 'MySQL' };

const serverErrors: Readonly<Record<ServerName, FaultErrors>> = {
  postgres: {
    broken: () => Object.assign(new Error('could not read block 0'), { code: '58030' }),
    busy: () => Object.assign(new Error('deadlock detected'), { code: '40P01' }),
  },
  mysql: {
    broken: () => mysqlError(1030, 'Got error 5 "Input/output error" from storage engine InnoDB'),
    busy: () => mysqlError(1213, 'Deadlock found when trying to get lock; try restarting transaction'),
  },
};

function mysqlError(errno: number, sqlMessage: string): Error {
  return Object.assign(new Error(sqlMessage), { errno, sqlMessage });
}

const others: Readonly<Record<ServerName, string>> = {
  postgres: 'datname = current_database() AND pid <> pg_backend_pid()',
  mysql: 'db = DATABASE() AND id <> CONNECTION_ID()',
};

/** A worker that idles inside of a transaction has locked its session at least. */
const openTransactions: Readonly<Record<ServerName, string>> = {
  postgres: `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`,
  mysql: `SELECT count(*) AS n FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID()`,
};

function serverEngine(server: ServerName, database: TestDatabase): ServerUnderTest {
  // The Redrives of a test share it as parts of a program share theirs; the clock of the test sees when it is at rest.
  let shared: Knex | undefined;
  afterAll(() => shared?.destroy());
  return {
    name: engineNames[server],
    async makeGround() {
      const own = await makeDatabase(server);
      onTestFinished(() => own.drop());
      return groundOn(own, server);
    },
    async shareGround() {
      const knex = (shared ??= knexModule.knex({ ...database.config, pool: { min: 0, max: 20 } }));
      await emptySchema(database.knex, server === 'postgres' ? 'public' : database.name);
      return { ...groundOn(database, server), properties: { knex, autoMigrate: true }, isBusy: () => isBusy(knex) };
    },
    errors: serverErrors[server],
  };
}

/** A database on a server as the ground of a test; whoever made it drops it. */
export function groundOn({ config, knex }: Pick<TestDatabase, 'config' | 'knex'>, server: ServerName): ServerGround {
  const read = async <Row>(sql: string): Promise<readonly Row[]> => {
    const answer: unknown = await knex.raw(sql);
    const found = server === 'postgres' ? (answer as { rows: object[] }).rows : (answer as [object[]])[0];
    return found.map((row) => withNumbers(row) as Row);
  };
  const all = async <Row>(table: string): Promise<readonly Row[]> =>
    (await knex<object>(table).orderBy('id')).map((row) => withNumbers(row) as Row);
  return {
    properties: { ...config, autoMigrate: true },
    rows: read,
    async tables() {
      const [live] = await read<{ n: number }>('SELECT count(*) AS n FROM redrive_sessions WHERE dead_at IS NULL');
      return {
        jobs: await all('redrive_jobs'),
        attempts: await all('redrive_attempts'),
        announcements: await all('redrive_announcements'),
        failed: await all('cbq_failed_jobs'),
        liveSessions: live?.n ?? -1,
      };
    },
    isAtRest: async () => (await read<{ n: number }>(openTransactions[server]))[0]?.n === 0,
    async killConnections() {
      if (server === 'postgres')
        return void (await read(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${others.postgres}`));
      const connections = await read<{ id: number }>(`SELECT id FROM information_schema.processlist WHERE ${others.mysql}`);
      // One may have ended by itself meanwhile.
      for (const { id } of connections) await knex.raw(`KILL ${id}`).catch(() => undefined);
    },
  };
}

/** 64-bit integers arrive as text of some drivers. */
function withNumbers(row: object): object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'string' && /^-?\d{1,15}$/.test(value) && !textColumns.has(name) ? Number(value) : value,
    ]),
  );
}

const textColumns = new Set(['exceptionMessage', 'host', 'queue', 'mapping']);

/** The same tests on every engine: skipped with the reason, or failing where servers are required, for one that is not there. */
export async function onEachEngine(tests: (engine: EngineUnderTest) => void): Promise<void> {
  describe(sqlite.name, () => tests(sqlite));
  await onEachServer((engine) => tests(engine));
}

/** Tests of whole processes, which take long and tell little more on another engine: a small run has them on SQLite alone. */
export async function onEachEngineBySize(tests: (engine: EngineUnderTest) => void): Promise<void> {
  if (size !== 'small') return onEachEngine(tests);
  describe(sqlite.name, () => tests(sqlite));
  it('on PostgreSQL and MySQL', ({ skip }) => skip('tests of whole processes on PostgreSQL and MySQL: npm run test:ci'));
}

/** The same tests on every database server. */
export async function onEachServer(tests: (engine: ServerUnderTest) => void): Promise<void> {
  for (const server of ['postgres', 'mysql'] as const) {
    await withServer(server, (database) => describe(engineNames[server], () => tests(serverEngine(server, database))));
  }
}
