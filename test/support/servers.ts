import { afterAll, describe } from 'vitest';
import knexModule, { type Knex } from 'knex';

export type ServerName = 'postgres' | 'mysql';

/** With this in the environment a test is never skipped for want of a server. */
const isRequired = process.env['REDRIVE_TEST_SERVICES'] === 'required';

/** A database of one test file's own. */
export interface TestDatabase {
  readonly name: string;
  /** A Knex config that leads to it. */
  readonly config: { readonly client: string; readonly connection: Readonly<Record<string, string | number>> };
  /** For looking past the program under test; as the server's administrator. */
  readonly knex: Knex;
  drop(): Promise<void>;
}

interface Server {
  readonly client: string;
  readonly connection: Readonly<Record<string, string | number>>;
  /** How to get one, for who reads that a test was skipped. */
  readonly hint: string;
  readonly make: (name: string) => readonly string[];
  readonly drop: (name: string) => string;
}

const { REDRIVE_TEST_POSTGRES_PORT = '5432', REDRIVE_TEST_MYSQL_PORT = '3306' } = process.env;

const servers: Readonly<Record<ServerName, Server>> = {
  postgres: {
    client: 'pg',
    connection: { host: '127.0.0.1', port: Number(REDRIVE_TEST_POSTGRES_PORT), user: 'postgres', database: 'test' },
    hint: 'PostgreSQL on 127.0.0.1:5432, user postgres without a password, database test',
    // No test crashes this server (those that crash one have their own), so nobody has to wait for the disk.
    make: (name) => [`CREATE DATABASE ${name}`, `ALTER DATABASE ${name} SET synchronous_commit = off`],
    drop: (name) => `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`,
  },
  mysql: {
    client: 'mysql2',
    connection: { host: '127.0.0.1', port: Number(REDRIVE_TEST_MYSQL_PORT), user: 'root', database: 'test' },
    hint: 'MySQL or MariaDB on 127.0.0.1:3306, user root without a password, database test',
    make: (name) => [`CREATE DATABASE ${name}`],
    drop: (name) => `DROP DATABASE IF EXISTS ${name}`,
  },
};

/** Whether anybody waits for, or uses, a connection of this instance. */
export function isBusy(knex: Knex): boolean {
  const { pool } = knex.client as { readonly pool: { numUsed(): number; numPendingAcquires(): number; numPendingCreates(): number } };
  return pool.numUsed() + pool.numPendingAcquires() + pool.numPendingCreates() > 0;
}

/** Why there is no such server; undefined where it answers. */
async function whyMissing(name: ServerName): Promise<string | undefined> {
  const { client, connection, hint } = servers[name];
  const knex = knexModule.knex({ client, connection, acquireConnectionTimeout: 3_000, pool: { min: 0, max: 1 }, log: quiet });
  try {
    await knex.raw('SELECT 1');
    return undefined;
  } catch (error) {
    return `needs ${hint} (${error instanceof Error ? error.message || error.name : String(error)})`;
  } finally {
    await knex.destroy();
  }
}

const quiet = { warn: () => undefined, error: () => undefined, debug: () => undefined };

/** Removes every row of Redrive's tables in a schema of PostgreSQL, or a database of MySQL, but not what was migrated: far quicker than making them anew. */
export async function emptySchema(knex: Knex, schema: string): Promise<void> {
  const tables = await knex('information_schema.tables')
    .where({ table_schema: schema })
    .whereNot({ table_name: 'redrive_migrations' })
    .pluck<string[]>('table_name');
  // One transaction waits for the disk once.
  await knex.transaction(async (transaction) => {
    for (const table of tables) await transaction.withSchema(schema).from(table).delete();
  });
}

let made = 0;

/** Makes a database with a name of its own. */
export async function makeDatabase(server: ServerName): Promise<TestDatabase> {
  const { client, connection, make, drop } = servers[server];
  const name = `redrive_test_${process.pid}_${Date.now().toString(36)}_${++made}`;
  const administer = async (...statements: readonly string[]): Promise<void> => {
    const administrator = knexModule.knex({ client, connection, pool: { min: 0, max: 1 } });
    try {
      for (const statement of statements) await administrator.raw(statement);
    } finally {
      await administrator.destroy();
    }
  };
  await administer(...make(name));
  const config = { client, connection: { ...connection, database: name } };
  const knex = knexModule.knex({ ...config, pool: { min: 0, max: 2 } });
  return {
    name,
    config,
    knex,
    async drop() {
      await knex.destroy();
      await administer(drop(name));
    },
  };
}

/**
 * Tests that need a server: skipped, with the reason in their name, where there is none, or failing where servers are required. They are
 * given one database for all of them, which is dropped after the last.
 */
export async function withServer(server: ServerName, tests: (database: TestDatabase) => void): Promise<void> {
  const missing = await whyMissing(server);
  if (missing !== undefined && isRequired) throw new Error(`REDRIVE_TEST_SERVICES=required, but this test ${missing}`);
  if (missing !== undefined) {
    describe.skip(`skipped: ${missing}`, () => tests(absent));
    return;
  }
  const database = await makeDatabase(server);
  afterAll(() => database.drop());
  tests(database);
}

/** Stands in where tests are only listed, not run. */
const absent: TestDatabase = {
  name: '',
  config: { client: '', connection: {} },
  knex: undefined as unknown as Knex,
  drop: async () => undefined,
};
