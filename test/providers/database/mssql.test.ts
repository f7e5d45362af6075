// knex is CommonJS: plain Node sees its default export only.
import knexModule from 'knex';
import { describe, expect, it } from 'vitest';
import { SqlFailureLog } from '../../../interceptors/log-failed-jobs/sql-failure-log.ts';
import { failedJobsMigrations } from '../../../migrations/failed-jobs.ts';
import { MssqlDialect } from '../../../providers/database/dialects/mssql/dialect.ts';
import { mssqlEngine } from '../../../providers/database/dialects/mssql/engine.ts';
import { explain, troubleOf } from '../../../providers/database/dialects/mssql/errors.ts';
import { mssqlMigration } from '../../../providers/database/dialects/mssql/migrate.ts';
import { parametersOf } from '../../../providers/database/dialects/mssql/parameters.ts';
import { ServerStore } from '../../../providers/database/dialects/server/server-store.ts';
import { TransactionalMigrator } from '../../../providers/database/dialects/server/transactional-migrator.ts';
import { noWakeUps } from '../../../providers/database/dialects/server/wake-ups.ts';
import { DatabaseProvider } from '../../../providers/database/index.ts';
import { Stores } from '../../../providers/database/store-source.ts';
import { createRedrive } from '../../../src/create-redrive.ts';
import { first } from '../../../src/store/script.ts';
import { isRedriveError } from '../../../src/errors.ts';
import { publishedColumns } from '../../cbq/published-table.ts';
import { failureRecord } from '../memory/records.ts';
import { FakeMssql, fakeTedious, type FakeAnswer } from '../../support/fake-mssql.ts';

// No SQL Server runs where these tests do: what is compared is the text that it would be sent.

type Answers = readonly (readonly [textContains: string, answer: FakeAnswer])[];

const always: Answers = [
  ['DATEDIFF_BIG', { rows: [{ now: 1_700_000_000_000n }] }],
  ['DB_NAME()', { rows: [{ id: 'here' }] }],
  ['sp_getapplock', { rows: [{ got: 0 }] }],
  ['sp_sequence_get_range', { rows: [{ drawn: 41n }] }],
  ['SCOPE_IDENTITY', { rows: [{ id: 7n }] }],
];

async function setup(answers: Answers = []): Promise<{ store: ServerStore; server: FakeMssql }> {
  const server = new FakeMssql([...answers, ...always]);
  const engine = mssqlEngine(fakeTedious);
  const sql = new MssqlDialect({ schema: 'dbo', prefix: 'redrive_' });
  const pool = { acquire: async () => server, release: async () => undefined, close: async () => undefined };
  const location = 'mssql://db:1433/app';
  const migrator = new TransactionalMigrator({ engine, pool, sql, location, ...mssqlMigration(fakeTedious, sql, 'app') });
  const store = await ServerStore.open({ engine, pool, sql, location, access: 'create', migrator, wakeUps: noWakeUps }, server);
  server.sent.length = 0;
  return { store, server };
}

async function codeOf(task: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await task;
  } catch (error) {
    if (isRedriveError(error)) return error;
    throw error;
  }
  throw new Error('It went well');
}

const steps = failedJobsMigrations('cbq_failed_jobs');

/** A column of `INFORMATION_SCHEMA.COLUMNS`. */
function column(
  name: string,
  type: string,
  { length = null as number | null, isNullable = false, otherwise = null as string | null } = {},
) {
  return {
    COLUMN_NAME: name,
    COLUMN_DEFAULT: otherwise,
    DATA_TYPE: type,
    CHARACTER_MAXIMUM_LENGTH: length,
    IS_NULLABLE: isNullable ? 'YES' : 'NO',
  };
}

/** The types that qb's grammar for SQL Server gives the columns of cbq's migrations. */
const publishedOnMssql = [
  column('id', 'bigint'),
  column('connection', 'varchar', { length: 255 }),
  column('queue', 'varchar', { length: 255 }),
  column('mapping', 'varchar', { length: 255 }),
  column('memento', 'varchar', { length: -1 }),
  column('properties', 'varchar', { length: -1 }),
  column('exceptionType', 'nvarchar', { length: 255, isNullable: true }),
  column('exceptionMessage', 'varchar', { length: 255 }),
  column('exceptionDetail', 'varchar', { length: 255, isNullable: true }),
  column('exceptionExtendedInfo', 'nvarchar', { length: -1, isNullable: true }),
  column('exceptionStackTrace', 'varchar', { length: -1 }),
  column('exception', 'varchar', { length: -1 }),
  column('failedDate', 'datetime2', { otherwise: '(getdate())' }),
  column('originalId', 'bigint', { isNullable: true }),
];

const isThere: Answers[number] = [
  'FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = cbq_failed_jobs',
  { rows: [{ TABLE_NAME: 'cbq_failed_jobs' }] },
];

describe('the failed-jobs table on SQL Server', () => {
  it('has the columns that cbq publishes, with room for any text in any alphabet, and then our own, which may be null', async () => {
    const { store, server } = await setup();
    expect((await store.migrate(steps)).applied).toEqual(steps.map(({ name }) => name));
    const create = server.statements.find((text) => text.startsWith('CREATE TABLE [cbq_failed_jobs]')) ?? '';
    const columns = create
      .slice(create.indexOf('(') + 1, -1)
      .split(/, (?=\[)/)
      .map((text) => text.trim());
    expect(columns.slice(0, 14)).toEqual([
      '[id] bigint identity(1,1) not null primary key',
      '[connection] nvarchar(255) not null',
      '[queue] nvarchar(255) not null',
      '[mapping] nvarchar(255) not null',
      '[memento] nvarchar(max) not null',
      '[properties] nvarchar(max) not null',
      '[exceptionType] nvarchar(max)',
      '[exceptionMessage] nvarchar(max) not null',
      '[exceptionDetail] nvarchar(max)',
      '[exceptionExtendedInfo] nvarchar(max)',
      '[exceptionStackTrace] nvarchar(max) not null',
      '[exception] nvarchar(max) not null',
      '[failedDate] bigint not null',
      '[originalId] nvarchar(255)',
    ]);
    expect(columns.slice(0, 13).map((text) => /\[(\w+)\]/.exec(text)?.[1])).toEqual([...publishedColumns]);
    expect(columns.slice(13).filter((text) => text.includes('not null'))).toEqual([]);
  });

  it('is found by the job once, and in the order of lists, by indexes that are made where they are missing', async () => {
    const { store, server } = await setup();
    await store.migrate(steps);
    expect(server.statements.filter((text) => /INDEX .*ON \[cbq_failed_jobs\]/.test(text))).toEqual([
      'CREATE UNIQUE INDEX [cbq_failed_jobs_job] ON [cbq_failed_jobs] (job_id) WHERE job_id IS NOT NULL',
      'CREATE INDEX [cbq_failed_jobs_time] ON [cbq_failed_jobs] ([status], [failed_at])',
      'CREATE INDEX [cbq_failed_jobs_series] ON [cbq_failed_jobs] ([status], [series], [failed_at])',
      'CREATE INDEX [cbq_failed_jobs_release] ON [cbq_failed_jobs] ([status], [release], [failed_at])',
    ]);
    expect(server.statements).toContain('CREATE SEQUENCE [redrive_failure_seq] AS bigint START WITH 1 INCREMENT BY 1');
    const { store: again, server: second } = await setup([['from [sys].[indexes]', { rows: [{ name: 'cbq_failed_jobs_job' }] }]]);
    await again.migrate(steps);
    expect(second.statements.filter((text) => /CREATE (?:UNIQUE )?INDEX .*ON \[cbq_failed_jobs\]/.test(text))).toEqual([]);
  });

  it('that cbq made is upgraded where it stands: text of any length and alphabet, our columns beside it, nothing taken away', async () => {
    const { store, server } = await setup([isThere, ['[COLUMN_DEFAULT]', { rows: publishedOnMssql }]]);
    await store.migrate(steps);
    const altered = server.statements.filter((text) => text.startsWith('ALTER TABLE [cbq_failed_jobs]'));
    expect(altered.slice(0, 11)).toEqual(
      [
        '[memento] nvarchar(max) NOT NULL',
        '[properties] nvarchar(max) NOT NULL',
        '[exceptionType] nvarchar(max) NULL',
        '[exceptionMessage] nvarchar(max) NOT NULL',
        '[exceptionDetail] nvarchar(max) NULL',
        '[exceptionStackTrace] nvarchar(max) NOT NULL',
        '[exception] nvarchar(max) NOT NULL',
        '[connection] nvarchar(255) NOT NULL',
        '[queue] nvarchar(255) NOT NULL',
        '[mapping] nvarchar(255) NOT NULL',
        '[originalId] nvarchar(255) NULL',
      ].map((change) => `ALTER TABLE [cbq_failed_jobs] ALTER COLUMN ${change}`),
    );
    expect(altered[11]).toMatch(/^ALTER TABLE \[cbq_failed_jobs\] ADD \[job_id\] nvarchar\(36\), .*\[event_id\] nvarchar\(36\)$/);
    expect(server.statements.filter((text) => /^DROP|DROP COLUMN|CREATE TABLE \[cbq_failed_jobs\]/.test(text))).toEqual([]);
  });

  it('is refused where it is something else, and what was begun is rolled back', async () => {
    const { store, server } = await setup([isThere, ['[COLUMN_DEFAULT]', { rows: [column('id', 'int')] }]]);
    const { code, message } = await codeOf(store.migrate(steps));
    expect(code).toBe('MIGRATION_FAILED');
    expect(message).toContain("it is not cbq's: it lacks connection, queue, mapping");
    expect(server.sent.at(-1)).toMatchObject({ text: 'IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION', as: 'batch' });
    expect(server.sent.map(({ text }) => text)).not.toContain('COMMIT');
  });

  it('is planned by doing it, without its indexes, and taking it back; the plan has values in place', async () => {
    const { store, server } = await setup();
    const { steps: planned } = await store.planMigration(steps);
    expect(planned.map(({ name }) => name)).toEqual(steps.map(({ name }) => name));
    const statements = planned.flatMap((step) => step.statements);
    expect(statements).toContain('CREATE UNIQUE INDEX [cbq_failed_jobs_job] ON [cbq_failed_jobs] (job_id) WHERE job_id IS NOT NULL');
    expect(statements.filter((text) => /@p\d/.test(text))).toEqual([]);
    expect(server.sent.filter(({ text }) => text.startsWith('CREATE UNIQUE INDEX'))).toEqual([]);
    expect(server.sent.at(-1)?.text).toBe('IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION');
  });

  it('waits for another process that migrates, and says so where that does not end', async () => {
    const { store } = await setup([['sp_getapplock', { rows: [{ got: -1 }] }]]);
    expect((await codeOf(store.migrate(steps))).code).toBe('STORE_LOCKED');
  });
});

const jobId = '01890a5d-ac96-774b-bcce-b302099a8057';

describe('the failed-jobs log on SQL Server', () => {
  const table = '[dbo].[cbq_failed_jobs]';
  async function openLog(answers: Answers = []): Promise<{ log: SqlFailureLog; server: FakeMssql }> {
    const { store, server } = await setup(answers);
    return { log: new SqlFailureLog(store, { tableName: 'cbq_failed_jobs' }), server };
  }

  it('writes a failure under a new number, and tells it', async () => {
    const { log, server } = await openLog();
    expect(await log.append([failureRecord({ jobId })])).toEqual([{ jobId, id: 7 }]);
    const [begin] = server.sent;
    expect(begin).toMatchObject({
      as: 'batch',
      text: expect.stringMatching(/^SET XACT_ABORT ON; SET LOCK_TIMEOUT 5000; .*BEGIN TRANSACTION$/),
    });
    expect(server.sent.at(-1)).toMatchObject({ as: 'batch', text: 'COMMIT' });
    const draw = server.sent.find(({ text }) => text.includes('sp_sequence_get_range'));
    expect(draw?.parameters.map(({ value }) => value)).toEqual(['[dbo].[redrive_failure_seq]', 1]);
    expect(server.statements).toContain(`SELECT id, run, status, [rule], memento FROM ${table} WITH (UPDLOCK, ROWLOCK) WHERE job_id = @p0`);
    const insert = server.sent.find(({ text }) => text.startsWith(`INSERT INTO ${table}`));
    expect(insert?.text).toMatch(
      /^INSERT INTO \[dbo\]\.\[cbq_failed_jobs\] \(\[connection\], .*\) VALUES \(@p0, .*\); SELECT CAST\(SCOPE_IDENTITY\(\) AS bigint\) AS id$/,
    );
    const columns = [...(/\((\[.*?)\) VALUES/.exec(insert?.text ?? '')?.[1] ?? '').matchAll(/\[(\w+)\]/g)].map(([, name]) => name);
    const of = (name: string): unknown => insert?.parameters[columns.indexOf(name)];
    expect(of('failure_seq')).toMatchObject({ type: 'Int', value: 41 });
    expect(of('failed_at')).toMatchObject({ type: 'Int' });
    expect(of('status')).toMatchObject({ type: 'NVarChar', value: 'failed' });
    const series = server.statements.find((text) => text.startsWith('INSERT INTO [dbo].[redrive_series]'));
    expect(series).toMatch(
      /SELECT @p0, .* WHERE NOT EXISTS \(SELECT 1 FROM \[dbo\]\.\[redrive_series\] WITH \(UPDLOCK, HOLDLOCK\) WHERE \[series\] = @p5\)$/,
    );
  });

  it('leaves a timestamp of cbq to the database, and reopens a job that fails again', async () => {
    const known = { id: 9n, run: 1, status: 'retrying', rule: 'attempts-left', memento: '{}' };
    const { log, server } = await openLog([
      ['INFORMATION_SCHEMA.COLUMNS', { rows: [{ type: 'datetime2' }] }],
      [`[rule], memento FROM ${table}`, { rows: [known] }],
    ]);
    expect(await log.append([failureRecord({ jobId })])).toEqual([{ jobId, id: 9 }]);
    const update = server.statements.find((text) => text.startsWith(`UPDATE ${table} SET`)) ?? '';
    expect(update).toMatch(/^UPDATE .* SET \[connection\] = @p0, .*\[edited_memento\] = @p\d+ WHERE id = @p\d+$/);
    expect(update).not.toContain('[failedDate]');
    expect(server.statements.filter((text) => text.startsWith(`INSERT INTO ${table}`))).toEqual([]);
  });

  it('reads a row as it is elsewhere: whole numbers of 64 bits are numbers', async () => {
    const { log } = await openLog([
      [
        `SELECT * FROM ${table} WHERE id = @p0`,
        { rows: [{ id: 7n, job_id: jobId, failure_seq: 41n, failed_at: 1_700_000_000_000n, status: 'failed', run: 2 }] },
      ],
    ]);
    expect(await log.find(7)).toMatchObject({ id: 7, jobId, seq: 41, failedAt: 1_700_000_000_000, run: 2 });
  });

  it('moves rows forward, resolves and removes them by what other engines are sent as well', async () => {
    const row = { id: 7n, found: jobId, job_id: jobId };
    const { log, server } = await openLog([
      ['AS found', { rows: [row] }],
      ['SELECT job_id FROM', { rows: [row] }],
      ['UPDATE', { rowCount: 1 }],
    ]);
    await log.retrying([{ jobId, run: 2, at: 1 }]);
    await log.resolved([{ jobId, run: 2, at: 1 }]);
    await log.resolveFailed(7, { run: 1, note: 'done', audit: { entryId: 'e', at: 1, by: 'me', action: 'resolved' } });
    await log.forget([7]);
    expect(server.statements).toEqual(
      expect.arrayContaining([
        `UPDATE ${table} SET status = 'retrying', run = @p0, note = coalesce(@p1, note) WHERE job_id IN (@p2) AND run < @p3`,
        `UPDATE ${table} SET status = 'resolved', run = @p0, note = coalesce(@p1, note) WHERE job_id = @p2 AND run <= @p3 AND status <> 'resolved'`,
        `SELECT job_id FROM ${table} WITH (UPDLOCK, ROWLOCK) WHERE id = @p0 AND status = 'failed' AND run = @p1`,
        `SELECT id AS found FROM ${table} WITH (UPDLOCK, ROWLOCK) WHERE id IN (@p0) AND (status IS NULL OR status <> 'retrying') ORDER BY id`,
      ]),
    );
  });

  it('lists, searches and counts', async () => {
    const { log, server } = await openLog([
      [
        'FROM [dbo].[redrive_series] s',
        {
          rows: [{ series: 'abc', connection: 'default', queue: 'slow', kind: 'exception', fingerprint: 'f', job: 'mail', type: 'Error' }],
        },
      ],
      ['count(*)', { rows: [{ v0: 3 }] }],
    ]);
    const page = { limit: 25, order: 'newest' as const };
    await log.list({}, page);
    await log.list({ queue: 'slow', since: new Date(1), text: 'no' }, { ...page, after: { at: 5, id: 6 } });
    expect(await log.count({ queue: 'slow' })).toBe(3);
    expect(server.statements).toEqual(
      expect.arrayContaining([
        `SELECT failed_at AS at, id FROM ${table} WHERE status = @p0 ORDER BY failed_at DESC, id DESC OFFSET 0 ROWS FETCH NEXT @p1 ROWS ONLY`,
        `SELECT failed_at AS at, id FROM ${table} WHERE status = @p0 AND [series] = @p1 AND failed_at >= @p2 AND failed_at < @p3 AND (failed_at < @p4 OR id < @p5) ORDER BY failed_at DESC, id DESC OFFSET 0 ROWS FETCH NEXT @p6 ROWS ONLY`,
        `SELECT (SELECT count(*) FROM ${table} WHERE status = @p0 AND [series] = @p1) AS v0`,
      ]),
    );
  });

  it('is asked nothing that only another engine would understand', async () => {
    const series = { series: 'abc', connection: 'default', queue: 'slow', kind: 'exception', fingerprint: 'f', job: 'mail', type: 'Error' };
    const bulk = {
      id: 3n,
      actor: 'me',
      chosen_by: '{}',
      options: '{}',
      state: 'running',
      through_seq: 9n,
      collecting: '"start"',
      matched: 0,
      fence: 1,
      driven_until: 0,
      next_at: 0,
      created_at: 1,
      tally: null,
    };
    const { log, server } = await openLog([
      ['FROM [dbo].[redrive_series] s JOIN', { rows: [series] }],
      ['FROM [dbo].[redrive_bulk_retries]', { rows: [bulk] }],
      ['SELECT * FROM [dbo].[redrive_audit]', { rows: [] }],
      ['failed_at AS at', { rows: [{ at: 5n, id: 7n }] }],
      [
        'FROM [dbo].[cbq_failed_jobs] WITH',
        { rows: [{ id: 7n, job_id: jobId, found: 7n, run: 1, status: 'failed', failedDate: 1, memento: '{}', exception: '{}' }] },
      ],
      ['status IS NULL AND failed_at IS NULL AND id >', { rows: [] }],
      ['UPDATE', { rowCount: 1 }],
    ]);
    const audit = { entryId: 'e', at: 1, by: 'me', action: 'retried' as const };
    const spans = { from: 0, ms: 3_600_000, count: 24 };
    const mayGoOn = (): boolean => true;
    await log.append([failureRecord({ jobId }), failureRecord({ jobId: `${jobId.slice(0, -1)}8`, run: 2 })]);
    await log.retrying([{ jobId, run: 2, at: 1, bulkRetry: 3 }]);
    await log.list({ text: 'a', ids: [1, jobId] }, { limit: 5, order: 'oldest' });
    await log.list({ release: 'v1' }, { limit: 5, order: 'oldest', after: { at: 1, id: 1 }, through: 9 });
    await log.tally({}, { spans, samples: 2, mayGoOn });
    await log.tally({ text: 'x' }, { mayGoOn });
    await log.histogram({ queue: 'slow' }, { spans: { ...spans, count: 900 }, mayGoOn });
    await log.histogram({}, { spans: { ...spans, count: 900 }, mayGoOn });
    await log.glance([1, 2]);
    await log.pick({ job: 'mail' }, { order: 'oldest', through: 9, after: { at: 0, id: 0 } });
    await log.claim(7, jobId);
    await log.numberRows();
    await log.lastSeq();
    await log.audit.record({ ...audit, ids: [7] });
    await log.audit.list({ limit: 5, before: 9, since: 1, by: 'me' });
    await log.recent.count({ since: 0, fingerprints: ['f'] }, 5);
    await log.recent.groups({ since: 0 }, 5);
    await log.recent.newFingerprints(0);
    await log.claims.find('x');
    await log.claims.swap('x', undefined, { at: 1, leaseUntil: null, detail: null });
    await log.claims.swap('x', { at: 1, leaseUntil: null, detail: null, version: 1 }, { at: 2, leaseUntil: null, detail: null });
    const { bulkRetries } = log;
    await bulkRetries.list({ limit: 5, before: 9 });
    await bulkRetries.undriven(1);
    await bulkRetries.take(3, { now: 1, until: 2 });
    const hold = { id: 3, fence: 1, until: 9, nextAt: 1 };
    await bulkRetries.collect(hold, [{ seq: 1, failedJob: 7, jobId, run: 2 }], null, audit);
    await bulkRetries.pending(3, { after: 0, limit: 5 });
    await bulkRetries.skip(3, [{ seq: 1, detail: 'no' }]);
    await bulkRetries.tally(3);
    await bulkRetries.compact(5);
    for (const { text, parameters, as } of server.sent) {
      const bare = text.replaceAll(/'(?:[^']|'')*'|\[[^\]]*\]/g, '_');
      expect(bare).not.toMatch(/\bLIMIT\b|FOR UPDATE|RETURNING|ON CONFLICT|GROUP BY \d|["`?]/i);
      expect(bare).not.toMatch(reserved);
      const marks = [...bare.matchAll(/@p(\d+)/g)].map(([, number]) => Number(number));
      expect(marks.toSorted((a, b) => a - b)).toEqual(parameters.map((_, index) => index));
      expect(as).toBe(parameters.length === 0 ? 'batch' : 'procedure');
    }
    expect(server.sent.length).toBeGreaterThan(80);
  });

  /** Words of Transact-SQL that are names of columns or aliases elsewhere. */
  const reserved =
    /(?:\bAS |, |\. ?|SELECT )(?:rule|key|begin|end|percent|plan|user|index|function|open|file|current|order|group|table|schema|release_)\b/i;

  it('writes whole numbers into the text where there are more values than a request takes', () => {
    const many = Array.from({ length: 2_500 }, (_, index) => index);
    const { text, values } = parametersOf(`SELECT 'a?' AS [b?] WHERE id IN (${many.map(() => '?').join(', ')}) AND queue = ?`, [
      ...many,
      'slow',
    ]);
    expect(values).toEqual(['slow']);
    expect(text).toMatch(/^SELECT 'a\?' AS \[b\?\] WHERE id IN \(0, 1, .*, 2499\) AND queue = @p0$/);
    expect(parametersOf('a = ? AND b = ?', [1, 'x'])).toEqual({ text: 'a = @p0 AND b = @p1', values: [1, 'x'] });
  });

  it.each([
    [1205, 'contention', 'STORE_LOCKED'],
    [1222, 'contention', 'STORE_LOCKED'],
    [2601, 'taken', 'STORE_BROKEN'],
    [208, undefined, 'STORE_UNMIGRATED'],
    [18_456, undefined, 'STORE_DENIED'],
    [4060, undefined, 'STORE_MISSING'],
    [3906, undefined, 'STORE_READ_ONLY'],
    [50_000, undefined, 'STORE_BROKEN'],
    ['ESOCKET', 'disconnected', 'STORE_UNREACHABLE'],
    ['ETIMEOUT', 'disconnected', 'STORE_UNREACHABLE'],
    ['ELOGIN', undefined, 'STORE_DENIED'],
  ])('takes the error %s for %s, and tells it as %s', (number, trouble, code) => {
    const error = Object.assign(new Error('so it says'), typeof number === 'number' ? { number } : { code: number });
    expect(troubleOf(error)).toBe(trouble);
    expect(explain(error, 'mssql://db:1433/app')).toMatchObject({ code, message: expect.stringContaining('mssql://db:1433/app') });
  });

  it('is given the time that a query may take, and a minute where nothing is said', async () => {
    const late = Object.assign(new Error('Timeout: Request failed to complete in 1ms'), { code: 'ETIMEOUT' });
    const { store, server } = await setup([['SELECT 2', { error: late }]]);
    await store.read(() => first('SELECT 1'));
    const slow = store.read(function* () {
      yield { sql: 'SELECT 2', bindings: [], timeoutMs: 1 };
    });
    await expect(slow).rejects.toMatchObject({ code: 'STORE_TIMEOUT' });
    expect(server.sent.map(({ withinMs }) => withinMs)).toEqual([60_000, 1]);
  });

  it('is begun anew where it met a deadlock', async () => {
    let met = 0;
    const { store } = await setup([
      [
        'UPDATE',
        {
          get error() {
            return met++ === 0 ? Object.assign(new Error('deadlock victim'), { number: 1205 }) : undefined;
          },
        },
      ],
    ]);
    await new SqlFailureLog(store, { tableName: 'cbq_failed_jobs' }).resolved([{ jobId, run: 2, at: 1 }]);
    expect(met).toBeGreaterThan(1);
  });
});

describe('SQL Server in a config', () => {
  const server = { client: 'mssql', connection: { host: 'db.invalid', user: 'sa', password: 'secret', database: 'app' } };

  it('needs a driver that is not installed by itself', async () => {
    const { code, message } = await codeOf(new Stores().open(server, 'change'));
    expect(code).toBe('DRIVER_MISSING');
    expect(message).toContain('npm install tedious');
    expect(message).not.toContain('secret');
  });

  it.each([
    ['no database', { ...server, connection: { host: 'db.invalid' } }, 'names no database'],
    ['a Knex instance', knexModule.knex({ client: 'mssql' }), 'a Knex instance is not taken'],
  ])('is refused with %s', async (_what, address, text) => {
    const { code, message } = await codeOf(new Stores().open(address, 'change'));
    expect(code).toBe('CONFIG_INVALID');
    expect(message).toContain(text);
  });

  it.each([
    ['its config', server],
    ['a Knex instance', { knex: knexModule.knex({ client: 'mssql' }) }],
  ])('keeps no jobs: a DatabaseProvider with %s says where they can be', async (_what, properties) => {
    const redrive = await createRedrive({ connections: { default: { provider: DatabaseProvider, properties } } });
    const { code, message } = await codeOf(redrive.migrate());
    expect(code).toBe('STORE_UNSUPPORTED');
    expect(message).toContain('jobs are not kept in SQL Server; keep them in "better-sqlite3", "pg" or "mysql2"');
    await redrive.stop();
  });
});
