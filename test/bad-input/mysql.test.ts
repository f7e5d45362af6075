import knexModule, { type Knex } from 'knex';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defineJob, isRedriveError, type Redrive } from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { databaseRedrive } from '../support/database-redrive.ts';
import { makeDatabase, withServer, type TestDatabase } from '../support/servers.ts';

const job = defineJob<Record<string, unknown>>({ name: 'job', handle: () => 'done' });

async function refused(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await call.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  );
  if (isRedriveError(error)) return { code: error.code, message: error.message };
  throw error;
}

/** Everything that opens a database says the same. */
async function expectRefused(redrive: Redrive, code: string, ...words: readonly string[]): Promise<void> {
  for (const call of [() => redrive.migrate(), () => redrive.dispatch(job, {}), () => redrive.start()]) {
    const told = await refused(call());
    expect(told.code).toBe(code);
    for (const word of words) expect(told.message).toContain(word);
    expect(told.message).not.toContain('secret');
  }
  const { ok, connections } = await redrive.health();
  expect(ok).toBe(false);
  expect(connections['main']).toMatchObject({ ok: false, error: expect.stringContaining(words[0] ?? '') as string });
}

describe('a MySQL server that cannot be used', () => {
  it.each([
    ['refuses connections, by host and port', { host: '127.0.0.1', port: 9, user: 'app', password: 'secret', database: 'app' }],
    ['refuses connections, by URL', 'mysql://app:secret@127.0.0.1:9/app'],
  ])('because it %s', async (_how, connection) => {
    const redrive = await databaseRedrive({ client: 'mysql2', connection }, { jobs: [job] });
    await expectRefused(redrive, 'STORE_UNREACHABLE', 'mysql://127.0.0.1:9/app cannot be reached');
  });

  it('because the address is none', async () => {
    const redrive = await databaseRedrive({ client: 'mysql2', connection: { host: '127.0.0.1', user: 'app' } }, { jobs: [job] });
    await expectRefused(redrive, 'CONFIG_INVALID', 'names no database');
  });
});

await withServer('mysql', ({ name, config, knex: admin }) => {
  const properties = { ...config, autoMigrate: true };
  let made = 0;

  function usersKnex(settings: Partial<Knex.Config> = {}): Knex {
    const users = knexModule.knex({ ...config, ...settings });
    onTestFinished(() => users.destroy());
    return users;
  }

  /** A user with a password and these rights on the database, by the properties of a connection. */
  async function asUser(rights: string, database = name): Promise<Readonly<Record<string, unknown>>> {
    const user = `u${process.pid}_${++made}`;
    await admin.raw(`CREATE USER '${user}'@'%' IDENTIFIED BY 'secret'`);
    onTestFinished(async () => void (await admin.raw(`DROP USER '${user}'@'%'`)));
    if (rights !== '') await admin.raw(`GRANT ${rights} ON ${database}.* TO '${user}'@'%'`);
    return { client: 'mysql2', connection: { ...config.connection, user, password: 'secret', database } };
  }

  async function freshDatabase(): Promise<TestDatabase> {
    const database = await makeDatabase('mysql');
    onTestFinished(() => database.drop());
    return database;
  }

  describe('a MySQL database that cannot be used', () => {
    it('because its server is older than 8.0.17', async () => {
      const old = usersKnex();
      const client = old.client as { acquireConnection(): Promise<{ query(options: { sql: string }, done: unknown): void }> };
      const connect = client.acquireConnection.bind(client);
      client.acquireConnection = async () => {
        const connection = await connect();
        const query = connection.query.bind(connection);
        connection.query = (options, done) => query({ ...options, sql: options.sql.replace('VERSION()', "'5.7.44-log'") }, done);
        return connection;
      };
      await expectRefused(await databaseRedrive({ knex: old }, { jobs: [job] }), 'STORE_TOO_OLD', 'MySQL 5.7.44', 'MySQL 8.0.17 or later');
    });

    it('because there is none of this name', async () => {
      const connection = { ...config.connection, database: 'no_such_database' };
      await expectRefused(
        await databaseRedrive({ client: 'mysql2', connection }, { jobs: [job] }),
        'STORE_MISSING',
        "Unknown database 'no_such_database'",
      );
    });

    it('because the password is wrong', async () => {
      const { connection, ...rest } = await asUser('ALL');
      const redrive = await databaseRedrive({ ...rest, connection: { ...(connection as object), password: 'guess' } }, { jobs: [job] });
      await expectRefused(redrive, 'STORE_DENIED', 'Access denied for user', 'check user and password');
    });

    it('because its tables are missing, and making them is not what a server is used to', async () => {
      const database = await freshDatabase();
      const redrive = await databaseRedrive(database.config, { jobs: [job] });
      for (const call of [() => redrive.dispatch(job, {}), () => redrive.start()]) {
        expect(await refused(call())).toMatchObject({
          code: 'STORE_UNMIGRATED',
          message: expect.stringContaining('run "redrive migrate"') as string,
        });
      }
      await redrive.migrate();
      await redrive.dispatch(job, {});
      await database.knex.raw('DROP TABLE redrive_jobs');
      expect(await refused(redrive.dispatch(job, {}))).toMatchObject({ code: 'STORE_UNMIGRATED' });
    });

    it('because this user may look at the tables, but neither make nor write them: nothing of a dispatch is stored', async () => {
      const database = await freshDatabase();
      const reader = await asUser('SELECT', database.name);
      expect(await refused((await databaseRedrive(reader, { jobs: [job] })).migrate())).toMatchObject({
        code: 'STORE_DENIED',
        message: expect.stringContaining('GRANT the user') as string,
      });
      await (await databaseRedrive(database.config)).migrate();
      const redrive = await databaseRedrive(reader, { jobs: [job] });
      expect(await refused(redrive.dispatch(job, {}))).toMatchObject({
        code: 'STORE_DENIED',
        message: expect.stringContaining('INSERT command denied') as string,
      });
      expect(await redrive.stats('default')).toMatchObject({ ready: 0 });
    });

    it.each([
      ['redrive_jobs', 'CREATE TABLE redrive_jobs (number integer)', 'redrive_jobs is there already and was not made by Redrive'],
      ['cbq_failed_jobs', 'CREATE TABLE cbq_failed_jobs (id integer, reason text)', "it is not cbq's: it lacks connection"],
    ])('because %s is a table of somebody else, which stays as it is', async (table, create, words) => {
      const database = await freshDatabase();
      await database.knex.raw(create);
      const redrive = await databaseRedrive(database.config, { jobs: [job] });
      for (let attempt = 0; attempt < 2; attempt++) {
        expect(await refused(redrive.migrate())).toMatchObject({
          code: 'MIGRATION_FAILED',
          message: expect.stringContaining(words) as string,
        });
      }
      expect(Object.keys(await database.knex(table).columnInfo())).toHaveLength(table === 'redrive_jobs' ? 1 : 2);
      // Once it is out of the way, nothing else is.
      await database.knex.schema.renameTable(table, 'theirs');
      await redrive.migrate();
      await redrive.dispatch(job, {});
    });

    it('because a name is too long, or none', async () => {
      const long = 'x'.repeat(300);
      for (const [given, words] of [
        [{ tableName: long.slice(0, 255) }, 'has 255 characters; MySQL takes 49 at most'],
        [{ schema: long.slice(0, 100) }, 'has 100 characters'],
        [{ tableName: 'jobs ' }, 'MySQL takes in no name'],
      ] as const) {
        const redrive = await databaseRedrive({ ...properties, ...given }, { jobs: [job] });
        expect(await refused(redrive.migrate())).toMatchObject({
          code: 'CONFIG_INVALID',
          message: expect.stringContaining(words) as string,
        });
      }
    });

    it('but not because a name holds quotes and marks', async () => {
      const database = await freshDatabase();
      const given = { ...database.config, tableName: 'my `jobs` "?" \'?\'', prefix: '`r?`_', autoMigrate: true };
      const redrive = await databaseRedrive(given, { jobs: [job], config: { logFailedJobsProperties: { tableName: '`failed` ?' } } });
      await redrive.migrate();
      await redrive.dispatch(job, { text: 'it\'s ? `quoted` \\ " \u0000 🦊' });
      await redrive.start();
      await redrive.idle({ timeout: '20s' });
      expect(await redrive.stats('default')).toMatchObject({ completed: 1, failed: 0 });
    });

    it('because a queue has a name of 300 characters: nothing is stored', async () => {
      const redrive = await databaseRedrive(properties, {
        jobs: [job],
        config: { workerPools: { pool: { connection: 'main', queues: '*' } } },
      });
      await redrive.migrate();
      expect(await refused(redrive.dispatch(job, {}, { queue: 'q'.repeat(300) }))).toMatchObject({
        code: 'OPTIONS_INVALID',
        message: expect.stringContaining('queue: must be a name of 1 to 255 characters') as string,
      });
      expect(await redrive.stats()).toEqual([]);
    });

    it('because it takes no writes now: it is a replica, or was made read-only', async () => {
      await (await databaseRedrive(properties)).migrate();
      const readOnly = usersKnex({
        pool: {
          min: 0,
          max: 4,
          afterCreate: (connection: { query(sql: string, done: () => void): void }, done: (error: unknown, connection: unknown) => void) =>
            connection.query('SET SESSION TRANSACTION READ ONLY', () => done(undefined, connection)),
        },
      });
      const reading = await databaseRedrive({ knex: readOnly }, { jobs: [job] });
      expect(await refused(reading.dispatch(job, {}))).toMatchObject({
        code: 'STORE_READ_ONLY',
        message: expect.stringContaining('connect to the primary server') as string,
      });
    });

    it("because all connections of the user's pool are in use", async () => {
      await (await databaseRedrive(properties)).migrate();
      const users = usersKnex({ pool: { min: 0, max: 1 }, acquireConnectionTimeout: 100, log: { warn: () => undefined } });
      const redrive = await databaseRedrive({ knex: users }, { jobs: [job] });
      const holder = await users.transaction();
      expect(await refused(redrive.dispatch(job, {}))).toMatchObject({
        code: 'STORE_UNREACHABLE',
        message: expect.stringContaining("raise the pool's max") as string,
      });
      await holder.rollback();
    });

    it("because a user's connections cut what does not fit", async () => {
      const careless = usersKnex({
        pool: {
          min: 0,
          max: 2,
          afterCreate: (connection: { query(sql: string, done: () => void): void }, done: (error: unknown, connection: unknown) => void) =>
            connection.query("SET SESSION sql_mode = ''", () => done(undefined, connection)),
        },
      });
      const redrive = await databaseRedrive({ knex: careless }, { jobs: [job] });
      expect(await refused(redrive.dispatch(job, {}))).toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('lacks STRICT_TRANS_TABLES') as string,
      });
    });
  });

  describe('a payload above what MySQL takes in one statement', () => {
    it('is refused at dispatch, and nothing of the list is stored', async () => {
      const redrive = await databaseRedrive(properties, { jobs: [job] });
      await redrive.migrate();
      const before = await redrive.stats('default');
      const large = { text: 'x'.repeat(17 * 1_024 * 1_024) };
      expect(await refused(redrive.dispatch(job, large))).toMatchObject({
        code: 'PAYLOAD_TOO_LARGE',
        message: expect.stringContaining('max_allowed_packet is 16777216') as string,
      });
      await refused(redrive.dispatchMany([redrive.job(job, {}), redrive.job(job, large)]));
      expect(await redrive.stats('default')).toEqual(before);
    });

    it('does not hold up a worker where only the record of its failure is too large', async () => {
      const logger = new RecordingLogger();
      const failing = defineJob<{ text: string }>({
        name: 'failing',
        handle: () => {
          throw new Error('the cause');
        },
      });
      const database = await freshDatabase();
      const redrive = await databaseRedrive({ ...database.config, autoMigrate: true }, { jobs: [failing, job], logger });
      // With its properties beside it, the record is twice as large as the job.
      const id = await redrive.dispatch(failing, { text: 'x'.repeat(9 * 1_024 * 1_024) });
      await redrive.start();
      await redrive.dispatch(job, {});
      await redrive.idle({ timeout: '25s' });
      expect(await redrive.stats('default')).toMatchObject({ completed: 1, failed: 1, reserved: 0 });
      expect(await redrive.failedJobs.find(id)).toMatchObject({
        kind: 'exception',
        message: expect.stringContaining('the cause [the store refused the full record]') as string,
      });
      // The job itself has kept everything.
      const [row] = await database.knex('redrive_jobs').where({ uuid: id }).select(database.knex.raw('length(memento) as bytes'));
      expect((row as { bytes: number }).bytes).toBeGreaterThan(9 * 1_024 * 1_024);
    });
  });
});
