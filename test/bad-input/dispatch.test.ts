import { join } from 'node:path';
import { inject } from 'inversify';
import { describe, expect, it } from 'vitest';
import { createRedrive, defineJob, isRedriveError, job as jobDecorator, Job, type ErrorCode, type Redrive } from '../../src/index.ts';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { sqliteRedrive } from '../support/sqlite-redrive.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const job = defineJob<Record<string, unknown>>({ name: 'mails.send', handle: () => 'done' });
const other = defineJob({ name: 'mails.sort', handle: () => 'done' });

async function refused(call: () => unknown): Promise<{ code: ErrorCode; message: string }> {
  try {
    await call();
  } catch (error) {
    if (isRedriveError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  return expect.fail('it was not refused');
}

const cyclic: Record<string, unknown> = {};
cyclic['again'] = cyclic;

/** What is wrong with a dispatch, its code, and what the message has to say. */
const bad: readonly (readonly [string, (redrive: Redrive) => unknown, ErrorCode, readonly string[]])[] = [
  [
    'an unknown connection',
    (redrive) => redrive.dispatch(job, {}, { connection: 'mian' }),
    'CONNECTION_UNKNOWN',
    ['"mian"', 'did you mean "main"?', 'connections: main'],
  ],
  [
    'a queue that no pool serves',
    (redrive) => redrive.dispatch(job, {}, { queue: 'hihg' }),
    'QUEUE_UNKNOWN',
    ['"hihg"', 'did you mean "high"?', "add it to a pool's queues"],
  ],
  [
    'an unknown option',
    (redrive) => redrive.dispatch(job, {}, { quue: 'high' } as object),
    'OPTIONS_INVALID',
    ['quue', 'did you mean "queue"?'],
  ],
  [
    'a delay that is none',
    (redrive) => redrive.dispatch(job, {}, { delay: '5 parsecs' }),
    'OPTIONS_INVALID',
    ['delay', '5 parsecs', '"30s"'],
  ],
  ['a negative delay', (redrive) => redrive.dispatch(job, {}, { delay: -1 }), 'OPTIONS_INVALID', ['delay']],
  ['a priority of 1.5', (redrive) => redrive.dispatch(job, {}, { priority: 1.5 }), 'OPTIONS_INVALID', ['priority', 'integer']],
  [
    'maxAttempts of -1',
    (redrive) => redrive.dispatch(job, {}, { maxAttempts: -1 }),
    'OPTIONS_INVALID',
    ['maxAttempts', '0 means no limit'],
  ],
  ['a backoff function', (redrive) => redrive.dispatch(job, {}, { backoff: () => 1 }), 'OPTIONS_INVALID', ['backoff', 'cannot be stored']],
  ['a transaction that is none', (redrive) => redrive.dispatch(job, {}, { transaction: {} as never }), 'OPTIONS_INVALID', ['transaction']],
  ['a class that is no job', (redrive) => redrive.dispatch(class Mailer {} as never), 'JOB_UNNAMED', ['Mailer', "@job('some.name')"]],
  ['no job at all', (redrive) => redrive.dispatch(undefined as never), 'JOB_UNNAMED', ['undefined']],
  ['an empty name', (redrive) => redrive.dispatch(' '), 'JOB_UNNAMED', ['name']],
  [
    'a Date in the properties',
    (redrive) => redrive.dispatch(job, { at: new Date(0) }),
    'PROPERTIES_INVALID',
    ['"mails.send"', 'properties.at', 'toISOString()'],
  ],
  [
    'a Map deep in the properties',
    (redrive) => redrive.dispatch(job, { a: [{ b: new Map() }] }),
    'PROPERTIES_INVALID',
    ['properties.a[0].b', 'Object.fromEntries'],
  ],
  ['a BigInt in the properties', (redrive) => redrive.dispatch(job, { n: 1n }), 'PROPERTIES_INVALID', ['properties.n', 'String(value)']],
  ['NaN in the properties', (redrive) => redrive.dispatch(job, { n: Number.NaN }), 'PROPERTIES_INVALID', ['properties.n', 'NaN']],
  ['a cycle in the properties', (redrive) => redrive.dispatch(job, cyclic), 'PROPERTIES_INVALID', ['properties.again', 'cycle']],
  ['properties that are a list', (redrive) => redrive.dispatch(job, [1] as never), 'PROPERTIES_INVALID', ['properties', 'plain object']],
  ['properties that are a text', (redrive) => redrive.dispatch(job, 'x' as never), 'PROPERTIES_INVALID', ['properties', 'plain object']],
  [
    'properties with a getter that throws',
    (redrive) =>
      redrive.dispatch(job, {
        get secret(): never {
          throw new Error('no entry');
        },
      }),
    'PROPERTIES_INVALID',
    ['properties.secret', 'no entry'],
  ],
  [
    'one bad entry of many',
    (redrive) => redrive.dispatchMany([{ job }, { job, properties: { n: 1n } }, { job }]),
    'PROPERTIES_INVALID',
    ['Entry 1', 'properties.n'],
  ],
  [
    'one entry of many for nowhere',
    (redrive) => redrive.dispatchMany([{ job }, { job, options: { queue: 'hihg' } }]),
    'QUEUE_UNKNOWN',
    ['Entry 1', '"hihg"'],
  ],
];

describe('a dispatch with something wrong', () => {
  it.each(bad)('%s is refused with a code and a hint, and nothing is stored', async (_what, call, code, hints) => {
    const filename = join(temporaryFolder(), 'app.db');
    const redrive = await sqliteRedrive(filename, {
      jobs: [job, other],
      config: { workerPools: { pool: { connection: 'main', queues: ['high', 'default'] } } },
    });
    await redrive.migrate();
    const refusal = await refused(() => call(redrive));
    expect(refusal.code).toBe(code);
    for (const hint of hints) expect(refusal.message).toContain(hint);
    expect(rows(filename, 'SELECT * FROM redrive_jobs')).toEqual([]);
    // And the next one is taken.
    await redrive.dispatch(job, { n: 1 }, { queue: 'high' });
    expect(rows(filename, 'SELECT queue FROM redrive_jobs')).toEqual([{ queue: 'high' }]);
  });

  it('any queue is taken where the config shows no pools: they may run elsewhere', async () => {
    const filename = join(temporaryFolder(), 'app.db');
    const redrive = await sqliteRedrive(filename, { config: { workerPools: {} } });
    await redrive.dispatch('anything', {}, { queue: 'anywhere' });
    expect(rows(filename, 'SELECT queue FROM redrive_jobs')).toEqual([{ queue: 'anywhere' }]);
  });
});

describe('a config with something wrong', () => {
  it('is refused with every fault at once, and no file is made', async () => {
    const filename = join(temporaryFolder(), 'app.db');
    const twice = defineJob({ name: 'mails.send', handle: () => 'another' });
    const config = {
      connections: { main: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename } } } },
      conections: {},
      workerPools: { pool: { connection: 'mian', quantiy: 3 } },
      jobs: [job, twice],
      logFailedJobs: true,
      logFailedJobsProperties: { datasource: 'log' },
    };
    const { code, message } = await refused(() => createRedrive(config));
    expect(code).toBe('CONFIG_INVALID');
    for (const hint of [
      'conections',
      'did you mean "connections"?',
      'workerPools.pool.connection',
      '"mian"',
      'workerPools.pool.quantiy',
      'did you mean "quantity"?',
      'jobs[1]',
      'mails.send',
      'logFailedJobsProperties.datasource',
    ]) {
      expect(message).toContain(hint);
    }
    expect(() => rows(filename, 'SELECT 1')).toThrow();
  });

  it("a provider's properties are refused before anything is opened, each with its path", async () => {
    const filename = join(temporaryFolder(), 'app.db');
    const redrive = await sqliteRedrive(filename, { properties: { lease: '10ms', prefetch: -1, pollInterval: 'soon' } });
    const { code, message } = await refused(() => redrive.dispatch(job));
    expect(code).toBe('CONFIG_INVALID');
    for (const path of [
      'connections.main.properties.lease',
      'connections.main.properties.prefetch',
      'connections.main.properties.pollInterval',
    ])
      expect(message).toContain(path);
    expect(() => rows(filename, 'SELECT 1')).toThrow();
  });
});

@jobDecorator('needs.mailer')
class NeedsMailer extends Job {
  constructor(@inject('Mailer') readonly mailer: unknown) {
    super();
  }
  override handle(): string {
    return 'sent';
  }
}

@jobDecorator('needs.token')
class NeedsToken extends Job {
  constructor(@inject(Symbol.for('test/unbound')) readonly token: unknown) {
    super();
  }
  override handle(): string {
    return 'sent';
  }
}

describe('a job that needs a service nobody bound', () => {
  it('is told by start(), with every other such job, before anything runs; what was dispatched stays queued', async () => {
    const filename = join(temporaryFolder(), 'app.db');
    const redrive = await sqliteRedrive(filename, { jobs: [job, NeedsMailer, NeedsToken] });
    const ids = [await redrive.dispatch(NeedsMailer), await redrive.dispatch(job)];
    const { code, message } = await refused(() => redrive.start());
    expect(code).toBe('JOB_UNRESOLVABLE');
    for (const hint of ['job "needs.mailer"', 'Mailer', 'job "needs.token"', 'test/unbound', 'bind']) expect(message).toContain(hint);
    expect((await refused(() => redrive.workOnce())).code).toBe('JOB_UNRESOLVABLE');
    await redrive.stop();
    expect(rows(filename, 'SELECT uuid, status, attempt FROM redrive_jobs ORDER BY id')).toEqual(
      ids.map((uuid) => ({ uuid, status: 'ready', attempt: 0 })),
    );
    expect(rows(filename, 'SELECT * FROM cbq_failed_jobs')).toEqual([]);
    expect(rows(filename, 'SELECT * FROM redrive_sessions')).toEqual([]);
  });
});

describe('a Redrive that was stopped', () => {
  it('refuses every call with STOPPED, so that nothing is opened again behind its back', async () => {
    const filename = join(temporaryFolder(), 'app.db');
    const redrive = await sqliteRedrive(filename, { jobs: [job] });
    await redrive.start();
    await redrive.stop();
    const calls: Readonly<Record<string, () => unknown>> = {
      dispatch: () => redrive.dispatch(job),
      dispatchMany: () => redrive.dispatchMany([{ job }]),
      start: () => redrive.start(),
      workOnce: () => redrive.workOnce(),
      status: () => redrive.status('x'),
      migrate: () => redrive.migrate(),
      list: () => redrive.failedJobs.list(),
      retry: () => redrive.failedJobs.retry('1'),
    };
    for (const [name, call] of Object.entries(calls)) {
      expect(await refused(call), name).toEqual({ code: 'STOPPED', message: expect.stringContaining('make a new one') });
    }
  });
});
