import knexModule, { type Knex } from 'knex';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defineJob, isRedriveError, type Redrive } from '../../src/index.ts';
import { databaseRedrive } from '../support/database-redrive.ts';
import { fakePostgres } from '../support/fake-postgres.ts';
import { withServer } from '../support/servers.ts';

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

describe('a PostgreSQL server that cannot be used', () => {
  it.each([
    [
      'refuses connections, by host and port',
      { host: '127.0.0.1', port: 9, user: 'app', password: 'secret', database: 'app' },
      'postgres://127.0.0.1:9/app cannot be reached',
    ],
    ['refuses connections, by URL', 'postgres://app:secret@127.0.0.1:9/app', 'postgres://127.0.0.1:9/app cannot be reached'],
    [
      'is on a host there is not',
      'postgres://app:secret@no-such-host.invalid/app',
      'postgres://no-such-host.invalid:5432/app cannot be reached',
    ],
  ])('because it %s', async (_how, connection, words) => {
    await expectRefused(await databaseRedrive({ client: 'pg', connection }, { jobs: [job] }), 'STORE_UNREACHABLE', words);
  });

  it('because it is none: something else listens there', async () => {
    const port = await fakePostgres({ hangsUp: true });
    const connection = { host: '127.0.0.1', port, user: 'app' };
    await expectRefused(await databaseRedrive({ client: 'pg', connection }, { jobs: [job] }), 'STORE_UNREACHABLE', 'cannot be reached');
  });

  it.each([
    ['28P01', 'password authentication failed for user "app"'],
    ['28000', 'no pg_hba.conf entry for host "10.0.0.1", user "app", database "app", no encryption'],
  ])('because it refuses the user (%s)', async (code, message) => {
    const port = await fakePostgres({ refuses: { code, message } });
    const connection = { host: '127.0.0.1', port, user: 'app', password: 'secret', database: 'app' };
    await expectRefused(
      await databaseRedrive({ client: 'pg', connection }, { jobs: [job] }),
      'STORE_DENIED',
      message,
      'correct user and password',
    );
  });

  it('because it has no connection to spare', async () => {
    const port = await fakePostgres({ refuses: { code: '53300', message: 'sorry, too many clients already' } });
    await expectRefused(
      await databaseRedrive({ client: 'pg', connection: { host: '127.0.0.1', port } }, { jobs: [job] }),
      'STORE_UNREACHABLE',
      'sorry, too many clients',
      'max_connections',
    );
  });

  it('because it is older than 13', async () => {
    const port = await fakePostgres({
      rows: [
        ['server_version_num', { version: '12', server: '12.22', schema: 'public' }],
        ['version()', { version: 'PostgreSQL 12.22 on x86_64' }],
      ],
    });
    await expectRefused(
      await databaseRedrive({ client: 'pg', connection: { host: '127.0.0.1', port, database: 'app' } }, { jobs: [job] }),
      'STORE_TOO_OLD',
      'PostgreSQL 12.22',
      '13 or later',
    );
  });
});

await withServer('postgres', ({ config, knex: admin }) => {
  const properties = { ...config, autoMigrate: true };

  function usersKnex(settings: Partial<Knex.Config> = {}): Knex {
    const users = knexModule.knex({ ...config, ...settings });
    onTestFinished(() => users.destroy());
    return users;
  }

  let made = 0;
  /** A schema of the test's own. */
  const schema = (): string => `bad_${++made}`;

  async function asRole(grants: (role: string) => readonly string[]): Promise<Readonly<Record<string, unknown>>> {
    const role = `role_${process.pid}_${++made}`;
    await admin.raw(`CREATE ROLE ${role} LOGIN`);
    onTestFinished(async () => {
      await admin.raw(`DROP OWNED BY ${role}`);
      await admin.raw(`DROP ROLE ${role}`);
    });
    for (const grant of grants(role)) await admin.raw(grant);
    return { client: 'pg', connection: { ...config.connection, user: role }, autoMigrate: true };
  }

  describe('a PostgreSQL database that cannot be used', () => {
    it('because there is none of this name', async () => {
      const connection = { ...config.connection, database: 'no_such_database' };
      await expectRefused(
        await databaseRedrive({ client: 'pg', connection }, { jobs: [job] }),
        'STORE_MISSING',
        'database "no_such_database" does not exist',
      );
    });

    it('because its tables are missing, and making them is not what a server is used to', async () => {
      const redrive = await databaseRedrive({ ...config, schema: schema() }, { jobs: [job] });
      for (const call of [() => redrive.dispatch(job, {}), () => redrive.start()]) {
        expect(await refused(call())).toMatchObject({
          code: 'STORE_UNMIGRATED',
          message: expect.stringContaining('run "redrive migrate"') as string,
        });
      }
      await redrive.migrate();
      await redrive.dispatch(job, {});
    });

    it('because this user may create nothing there, or not even look', async () => {
      const mayLook = await asRole(() => []);
      expect(await refused((await databaseRedrive({ ...mayLook, schema: schema() })).migrate())).toMatchObject({
        code: 'STORE_DENIED',
        message: expect.stringContaining('permission denied for database') as string,
      });
      const theirs = schema();
      await (await databaseRedrive({ ...properties, schema: theirs })).migrate();
      const denied = await databaseRedrive({ ...mayLook, schema: theirs }, { jobs: [job] });
      expect(await refused(denied.dispatch(job, {}))).toMatchObject({
        code: 'STORE_DENIED',
        message: expect.stringContaining(`permission denied for schema ${theirs}`) as string,
      });
    });

    it('because this user may look at the tables, but not write: nothing of a dispatch is stored', async () => {
      const name = schema();
      await (await databaseRedrive({ ...properties, schema: name })).migrate();
      const reader = await asRole((role) => [
        `GRANT USAGE ON SCHEMA ${name} TO ${role}`,
        `GRANT SELECT ON ALL TABLES IN SCHEMA ${name} TO ${role}`,
      ]);
      const redrive = await databaseRedrive({ ...reader, schema: name }, { jobs: [job] });
      expect(await refused(redrive.dispatch(job, {}))).toMatchObject({ code: 'STORE_DENIED' });
      expect(await redrive.stats('default')).toMatchObject({ ready: 0 });
    });

    it.each([
      ['redrive_jobs', 'CREATE TABLE ??.redrive_jobs (number integer)', 'redrive_jobs is there already and was not made by Redrive'],
      ['cbq_failed_jobs', 'CREATE TABLE ??.cbq_failed_jobs (id integer, reason text)', "it is not cbq's: it lacks connection"],
    ])('because %s is a table of somebody else: nothing is changed', async (_table, create, words) => {
      const name = schema();
      await admin.raw(`CREATE SCHEMA ??; ${create}`, [name, name]);
      const redrive = await databaseRedrive({ ...properties, schema: name }, { jobs: [job] });
      expect(await refused(redrive.migrate())).toMatchObject({
        code: 'MIGRATION_FAILED',
        message: expect.stringContaining(words) as string,
      });
      expect(await admin('information_schema.tables').where({ table_schema: name }).pluck('table_name')).toHaveLength(1);
    });

    it('because its search path leads nowhere', async () => {
      const redrive = await databaseRedrive({ ...config, searchPath: ['nowhere'] });
      expect(await refused(redrive.migrate())).toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('leads to no schema') as string,
      });
    });

    it('because it takes no writes now: it is a standby, or was made read-only', async () => {
      const name = schema();
      const redrive = await databaseRedrive({ ...properties, schema: name }, { jobs: [job] });
      await redrive.migrate();
      const readOnly = usersKnex({
        pool: {
          min: 0,
          max: 4,
          afterCreate: (connection: { query(sql: string, done: () => void): void }, done: (error: unknown, connection: unknown) => void) =>
            connection.query('SET default_transaction_read_only = on', () => done(undefined, connection)),
        },
      });
      const reading = await databaseRedrive({ knex: readOnly, schema: name }, { jobs: [job] });
      expect(await refused(reading.dispatch(job, {}))).toMatchObject({
        code: 'STORE_READ_ONLY',
        message: expect.stringContaining('name the primary server') as string,
      });
      expect(await reading.stats('default')).toMatchObject({ ready: 0 });
    });

    it("because all connections of the user's pool are in use", async () => {
      const name = schema();
      await (await databaseRedrive({ ...properties, schema: name })).migrate();
      const users = usersKnex({ pool: { min: 0, max: 1 }, acquireConnectionTimeout: 100, log: { warn: () => undefined } });
      const redrive = await databaseRedrive({ knex: users, schema: name }, { jobs: [job] });
      const holder = await users.transaction();
      expect(await refused(redrive.dispatch(job, {}))).toMatchObject({
        code: 'STORE_UNREACHABLE',
        message: expect.stringContaining("raise the pool's max") as string,
      });
      await holder.rollback();
      await redrive.dispatch(job, {});
      expect(await redrive.stats('default')).toMatchObject({ ready: 1 });
    });

    it('because somebody dropped a table while it was in use', async () => {
      const name = schema();
      const redrive = await databaseRedrive({ ...properties, schema: name }, { jobs: [job] });
      await redrive.dispatch(job, {});
      await admin.raw('DROP TABLE ??.redrive_jobs', [name]);
      expect(await refused(redrive.dispatch(job, {}))).toMatchObject({
        code: 'STORE_UNMIGRATED',
        message: expect.stringContaining('redrive_jobs') as string,
      });
    });
  });

  describe('names on PostgreSQL', () => {
    const long = 'n'.repeat(300);
    it.each([
      ['tableName', { tableName: long.slice(0, 255) }, {}, '48 at most'],
      ['a tableName that becomes too long in bytes', { tableName: 'ü'.repeat(25) }, {}, 'has 50 bytes'],
      ['prefix', { prefix: long.slice(0, 255) }, {}, '32 at most'],
      ['schema', { schema: long.slice(0, 255) }, {}, '63 at most'],
      ['schema beyond any length', { schema: long }, {}, 'schema'],
      ["the log's tableName", {}, { logFailedJobsProperties: { tableName: long } }, 'logFailedJobsProperties.tableName'],
      ["the log's schema", {}, { logFailedJobsProperties: { queryOptions: { schema: 'n'.repeat(100) } } }, '1 to 63 characters'],
    ])('%s of 300 characters is a fault of the config that says the limit', async (_what, given, inConfig, words) => {
      const told = await refused(databaseRedrive({ ...properties, ...given }, { config: inConfig }).then((redrive) => redrive.migrate()));
      expect(told).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) as string });
    });

    it('with quotes and other signs are quoted wherever they go', async () => {
      const names = { schema: `it's "my" $1 schema`, prefix: `p"re'fix; `, tableName: `jo"bs' --` };
      const failing = defineJob({
        name: 'failing',
        handle: () => {
          throw new TypeError('always');
        },
      });
      const redrive = await databaseRedrive(
        { ...properties, ...names },
        { jobs: [failing], config: { logFailedJobsProperties: { tableName: `fai"led' %s` } } },
      );
      await redrive.start();
      const id = await redrive.dispatch(failing, {});
      await redrive.idle({ timeout: '20s' });
      const { items } = await redrive.failedJobs.list();
      expect(items).toMatchObject([{ jobId: id, type: 'TypeError' }]);
      expect(await redrive.failedJobs.retry([id])).toMatchObject({ requeued: 1 });
      await redrive.idle({ timeout: '20s' });
      expect(await redrive.failedJobs.find(id)).toMatchObject({ run: 2, history: [{ run: 1 }, { run: 2 }] });
      expect(await redrive.failedJobs.count({ type: 'TypeError' })).toBe(1);
      const made = await admin('information_schema.tables').where({ table_schema: names.schema }).pluck('table_name');
      expect(made).toEqual(expect.arrayContaining([names.tableName, `${names.prefix}sessions`, `fai"led' %s`]));
      await redrive.migrate({ rollback: true });
      expect(await admin('information_schema.tables').where({ table_schema: names.schema }).pluck('table_name')).toEqual([]);
    });
  });
});
