import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { RedriveError } from '../../src/errors.ts';
import { jobPattern } from '../../src/interceptor/job-pattern.ts';
import { defineJob, job, type JobOptions } from '../../src/job/define.ts';
import { Job } from '../../src/job/job.ts';
import { QueueProvider } from '../../src/provider/queue-provider.ts';

function invalid(config: unknown, env: Record<string, string> = {}): RedriveError {
  try {
    resolveConfig(config, env);
  } catch (error) {
    if (error instanceof RedriveError && error.code === 'CONFIG_INVALID') return error;
    throw error;
  }
  throw new Error('was accepted');
}

function faults(config: unknown, env?: Record<string, string>): readonly string[] {
  return invalid(config, env).faults;
}

const provider = { init() {}, push() {}, startWorker() {} };
const connections = { main: { provider } };

function pool(settings: object): unknown {
  return { connections, workerPools: { mail: { connection: 'main', ...settings } } };
}

function jobWith(options: object): unknown {
  return { jobs: [defineJob({ name: 'ping', handle: () => {}, ...(options as JobOptions) })] };
}

describe('a config with faults', () => {
  it('is refused with all of them at once, each with its path', () => {
    const error = invalid({
      conections: {},
      connections: { main: { provider, defaultQueue: '' } },
      defaultConnection: 'mian',
      workerPools: { mail: { connection: 'man', quantity: 0, timout: 5 } },
      logAttempts: 'yes',
    });
    expect(error.message.split('\n')).toEqual(['The config has 7 faults:', ...error.faults.map((fault) => `  ${fault}`)]);
    expect([...error.faults].sort()).toEqual([
      'conections: unknown key (did you mean "connections"?)',
      'connections.main.defaultQueue: is empty; give a name',
      'defaultConnection: "mian" names no connection (did you mean "main"?)',
      'logAttempts: must be true or false, not "yes"',
      'workerPools.mail.connection: "man" names no connection (did you mean "main"?)',
      'workerPools.mail.quantity: must be a whole number from 1 to 10000, not 0',
      'workerPools.mail.timout: unknown key (did you mean "timeout"?)',
    ]);
  });

  it('is counted in the singular where there is one', () => {
    expect(invalid({ release: '' }).message).toBe('The config has 1 fault:\n  release: is empty; give a name');
  });

  it.each([
    [null, 'config: must be a plain object, not null'],
    [undefined, 'config: must be a plain object, not undefined'],
    ['x', 'config: must be a plain object, not a string'],
    [[], 'config: must be a plain object, not an array'],
    [new Map(), 'config: must be a plain object, not a Map'],
    [Promise.resolve({}), 'config: is a Promise; await it and pass what it gives'],
    [() => ({}), 'config: is a function; call it and pass the object it returns (only the config file may export a function)'],
    [new Proxy({}, {}), 'config: is a Proxy; pass a plain object'],
  ])('says so of %s as a whole', (config, fault) => {
    expect(faults(config)).toEqual([fault]);
  });

  it('may hold getters that throw', () => {
    const config = {
      get jobs() {
        throw new Error('not yet');
      },
    };
    expect(faults(config)).toEqual(['config: cannot be read: not yet']);
  });

  it('may come from another realm', () => {
    expect(resolveConfig(vm.runInNewContext('({ logAttempts: false })'), {}).logAttempts).toBe(false);
  });

  it('never ends in anything but CONFIG_INVALID, whatever it is', () => {
    const keys = fc.constantFrom(
      'connections',
      'workerPools',
      'jobs',
      'interceptors',
      'redact',
      'logger',
      'logFailedJobsProperties',
      'defaultWorkerBackoff',
      'encryption',
      'release',
      'x',
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.dictionary(keys, fc.oneof(fc.anything(), fc.dictionary(fc.string(), fc.anything())))),
        (config) => {
          try {
            resolveConfig(config, {});
          } catch (error) {
            expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
            expect((error as RedriveError).faults.every((fault) => /^\S.*: \S/s.test(fault))).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('names the nearest known key at every level', () => {
    expect(faults({ workrPools: {} })).toEqual(['workrPools: unknown key (did you mean "workerPools"?)']);
    expect(faults({ connections: { main: { provider, property: {} } } })).toEqual([
      'connections.main.property: unknown key (did you mean "properties"?)',
    ]);
    expect(faults(pool({ queue: 'x' }))).toEqual(['workerPools.mail.queue: unknown key (did you mean "queues"?)']);
    expect(faults({ logFailedJobsProperties: { table: 'x', tablename: 'x' } })).toEqual([
      'logFailedJobsProperties.table: unknown key; known are tableName, datasource, store, queryOptions, cleanup',
      'logFailedJobsProperties.tablename: unknown key (did you mean "tableName"?)',
    ]);
    expect(faults({ logFailedJobsProperties: { queryOptions: { timeot: 5 } } })).toEqual([
      'logFailedJobsProperties.queryOptions.timeot: unknown key (did you mean "timeout"?)',
    ]);
    expect(faults({ logFailedJobsProperties: { cleanup: { criteria: { olderThen: 5 } } } })).toContain(
      'logFailedJobsProperties.cleanup.criteria.olderThen: unknown key (did you mean "olderThan"?)',
    );
    expect(faults(jobWith({ maxAtempts: 3 }))).toEqual([
      'jobs[0].maxAtempts: unknown key (did you mean "maxAttempts"?), in the options of the job "ping"',
    ]);
  });

  it.each([
    ['encryption', { keys: [{ id: 'a', key: 'b' }] }],
    ['alerts', [{ name: 'storm' }]],
    ['batchRepositoryProperties', { tableName: 'batches' }],
  ])('is told that %s is not available in this version', (key, value) => {
    expect(faults({ [key]: value })).toEqual([`${key}: is not available in this version; remove it`]);
  });

  it('is told which parts of the failed-jobs log are not available in this version', () => {
    expect(faults({ logFailedJobsProperties: { store: 'redis', cleanup: { enabled: true } } })).toEqual([
      'logFailedJobsProperties.store: "redis" is not available in this version; use "auto", "database", "memory"',
      'logFailedJobsProperties.cleanup.enabled: scheduled clean-up is not available in this version; set it to false',
    ]);
    expect(
      resolveConfig(
        { logFailedJobsProperties: { store: 'memory', cleanup: { enabled: false, frequency: '0 2 * * *', criteria: () => {} } } },
        {},
      ).failedJobs,
    ).toBe(undefined);
    expect(faults({ logFailedJobsProperties: { store: 'memry' } })[0]).toContain('(did you mean "memory"?)');
  });

  it('may have junk in the environment', () => {
    expect(faults({ release: '' }, { REDRIVE_REGISTER_WORKERS: 'maybe' })).toEqual([
      'release: is empty; give a name',
      'REDRIVE_REGISTER_WORKERS: must be "true" or "false", not "maybe"',
    ]);
  });
});

describe('faults of connections and pools', () => {
  it.each([
    [{ connections: [] }, 'connections: must be an object from names to settings, not an array'],
    [
      { connections: { main: QueueProvider } },
      'connections.main: must be an object with provider, properties, defaultQueue, not the class QueueProvider',
    ],
    [
      { connections: { main: {} } },
      'connections.main.provider: is missing; give a provider class, a service identifier bound in the container, or an instance (a class is undefined where imports run in a circle)',
    ],
    [
      { connections: { main: { provider, properties: 'postgres://user:secret@host/db' } } },
      'connections.main.properties: must be a plain object, not a string',
    ],
    [{ connections: { main: { provider, defaultQueue: '*' } } }, 'connections.main.defaultQueue: "*" means every queue; name one'],
    [{ connections: { '': { provider } } }, 'connections[""]: is empty; give a name'],
    [{ connections: { ['n'.repeat(256)]: { provider } } }, `connections.${'n'.repeat(256)}: is 256 characters long; 255 are allowed`],
    [{ connections: JSON.parse('{"__proto__":{"provider":"x"}}') as unknown }, 'connections.__proto__: is no usable name; give another'],
    [{ defaultConnection: 'main' }, 'defaultConnection: "main" names no connection; add it under connections'],
    [{ connections, defaultConnection: 'redis' }, 'defaultConnection: "redis" names no connection; known are "main"'],
    [{ workerPools: { mail: {} } }, 'workerPools.mail.connection: is missing; name one of connections'],
    [
      { connections, logFailedJobsProperties: { datasource: 'mian' } },
      'logFailedJobsProperties.datasource: "mian" names no connection (did you mean "main"?)',
    ],
    [
      { connections, logFailedJobsProperties: { datasource: 'postgres://u:secret@h/db' } },
      'logFailedJobsProperties.datasource: a URL names no connection; known are "main"',
    ],
    [
      { logFailedJobsProperties: { datasource: { connection: 'x' } } },
      "logFailedJobsProperties.datasource: must be a connection's name, a Knex config with a client, or a Knex instance, not an object",
    ],
    [
      { logFailedJobsProperties: { tableName: 'x'.repeat(64) } },
      `logFailedJobsProperties.tableName: must be a name of 1 to 63 characters, not "${'x'.repeat(60)}…"`,
    ],
  ])('%#: are told where they are', (config, fault) => {
    expect(faults(config)).toEqual([fault]);
  });

  it.each([
    [{ queues: [] }, 'queues: is an empty list; name a queue, or leave it out for the default queue of the connection'],
    [{ queues: ['a', 'b', 'a'] }, 'queues[2]: "a" is listed twice; remove one'],
    [{ queues: ['a', '*'] }, 'queues[1]: "*" means every queue and stands alone; remove it or the others'],
    [{ queues: ['a', 5] }, 'queues[1]: must be a name (a string), not a number'],
    [{ queues: 5 }, 'queues: must be a queue, a list of queues, or "*", not a number'],
    [{ queues: ' ' }, 'queues: is empty; give a name'],
    [{ queues: 'a\u0000b' }, 'queues: holds a control character; remove it'],
    [{ quantity: 10_001 }, 'quantity: must be a whole number from 1 to 10000, not 10001'],
    [{ quantity: 1.5 }, 'quantity: must be a whole number from 1 to 10000, not 1.5'],
    [{ maxAttempts: -1 }, 'maxAttempts: must be a whole number of at least 0 (0: no limit), not -1'],
    [
      { timeout: '5 parsecs' },
      'timeout: must be a duration (seconds as a number, or a string such as "250ms", "30s", "5m", "2h" or "7d"), not "5 parsecs"',
    ],
    [
      { backoff: [1, 'soon'] },
      'backoff[1]: must be a duration (seconds as a number, or a string such as "250ms", "30s", "5m", "2h" or "7d"), not "soon"',
    ],
    [
      { backoff: {} },
      'backoff: must be a duration, a list of durations, exponential(), linear(), constant(), or a function, not an object',
    ],
  ])('%#: of a pool', (settings, fault) => {
    expect(faults(pool(settings))).toEqual([`workerPools.mail.${fault}`]);
  });

  it('a provider that lacks methods is told which', () => {
    class Half {
      push(): void {}
    }
    const lacking = 'init(), startWorker(); extend QueueProvider';
    expect(faults({ connections: { main: { provider: Half } } })).toEqual([
      `connections.main.provider: the class Half is no provider: it lacks ${lacking}`,
    ]);
    expect(faults({ connections: { main: { provider: new Half() } } })).toEqual([
      `connections.main.provider: a Half is no provider: it lacks ${lacking}`,
    ]);
    expect(faults({ connections: { main: { provider: QueueProvider } } })[0]).toContain('it lacks push(), startWorker()');
    expect(faults({ connections: { main: { provider: () => provider } } })[0]).toContain(
      'must be a provider class, a service identifier bound in the container, or an instance, not the function provider',
    );
    expect(faults({ connections: { main: { provider: 5 } } })[0]).toContain('not a number');
  });

  it('a provider may inherit its methods, be of the old kind of class, or sit behind a Proxy', () => {
    class Base {
      init(): void {}
      push(): void {}
    }
    class Heir extends Base {
      startWorker(): void {}
    }
    function Old(): void {}
    Object.assign(Old.prototype as object, provider);
    const resolved = resolveConfig(
      {
        connections: {
          a: { provider: Heir },
          b: { provider: new Heir() },
          c: { provider: Old },
          d: { provider: new Proxy(new Heir(), {}) },
        },
      },
      {},
    );
    expect([...resolved.connections.values()].map((connection) => connection.provider.from)).toEqual([
      'class',
      'instance',
      'class',
      'instance',
    ]);
  });
});

describe('faults of jobs', () => {
  @job('emails.welcome')
  class SendWelcomeEmail extends Job {
    handle(): void {}
  }

  it.each([
    ['SendWelcomeEmail', 'is a service identifier; pass the job class itself'],
    [Symbol('job'), 'is a service identifier; pass the job class itself'],
    [new SendWelcomeEmail(), 'is an instance (a SendWelcomeEmail); each attempt needs a fresh object, so pass the class'],
    [() => {}, 'is a function, which is no class; write defineJob({ name, handle }) to make a job of a function'],
    [undefined, 'is undefined; pass a job class (a class is undefined where imports run in a circle)'],
    [null, 'is null; pass a job class'],
    [
      class Nameless extends Job {
        handle(): void {}
      },
      "the class Nameless has no name of its own; add @job('name') above it",
    ],
    [class Heir extends SendWelcomeEmail {}, "the class Heir has no name of its own; add @job('name') above it"],
  ])('%#: an entry that is no named class', (entry, fault) => {
    expect(faults({ jobs: [entry] })).toEqual([`jobs[0]: ${fault}`]);
  });

  it('a class without handle', () => {
    class Idle {
      run(): void {}
    }
    job('idle')(Idle as never);
    expect(faults({ jobs: [Idle] })).toEqual(['jobs[0]: the class Idle has no handle method; write one: async handle() { ... }']);
  });

  it('a class whose handle is a field is fine', () => {
    @job('arrow')
    class Arrow extends Job {
      handle = async (): Promise<void> => {};
    }
    expect(resolveConfig({ jobs: [Arrow] }, {}).jobs).toEqual([Arrow]);
  });

  it('a job registered twice', () => {
    @job('emails.welcome')
    class Other extends Job {
      handle(): void {}
    }
    expect(faults({ jobs: [SendWelcomeEmail, Other, SendWelcomeEmail] })).toEqual([
      'jobs[1]: the class Other has the name "emails.welcome" of the class SendWelcomeEmail (jobs[0]); give it another',
      'jobs[2]: the class SendWelcomeEmail is listed twice (see jobs[0]); remove one',
    ]);
  });

  it('a list that is none', () => {
    expect(faults({ jobs: SendWelcomeEmail })).toEqual([
      'jobs: must be a list of job classes, such as [SendWelcomeEmail], not the class SendWelcomeEmail',
    ]);
  });

  it.each([
    [{ maxAttempts: 1.5 }, 'maxAttempts: must be a whole number of at least 0 (0: no limit), not 1.5'],
    [{ maxAttempts: '3' }, 'maxAttempts: must be a whole number of at least 0 (0: no limit), not "3"'],
    [{ timeout: -1 }, 'timeout: must be a duration (seconds as a number, or a string such as "250ms", "30s", "5m", "2h" or "7d"), not -1'],
    [{ backoff: null }, 'backoff: must be a duration, a list of durations, exponential(), linear(), constant(), or a function, not null'],
    [{ failOn: TypeError }, 'failOn: must be a list of error classes, such as [TypeError], not the function TypeError'],
    [
      { failOn: [TypeError, 'RangeError', () => true] },
      'failOn[1]: must be an error class, not a string',
      'failOn[2]: must be an error class, not a function',
    ],
    [{ markAsFailed: 1 }, 'markAsFailed: must be true or false, not 1'],
    [{ retryOn: [TypeError] }, 'retryOn: is not available in this version; remove it'],
    [{ retryUntil: '1d' }, 'retryUntil: is not available in this version; remove it'],
    [{ unique: true }, 'unique: is not available in this version; remove it'],
    [{ isolate: 'thread' }, 'isolate: is not available in this version; remove it'],
    [{ schema: { '~standard': {} } }, 'schema: is not available in this version; remove it'],
  ])('%#: an option', (options, ...expected) => {
    expect(faults(jobWith(options))).toEqual(expected.map((fault) => `jobs[0].${fault}, in the options of the job "ping"`));
  });

  it('a hook among the options of @job', () => {
    @job('ping', { onFailure() {} } as JobOptions)
    class Ping extends Job {
      handle(): void {}
    }
    expect(faults({ jobs: [Ping] })).toEqual([
      'jobs[0].onFailure: is a method of the job class, not an option, in the options of the job "ping"',
    ]);
  });

  it('options that are undefined are not set', () => {
    expect(resolveConfig(jobWith({ maxAttempts: undefined, retryOn: undefined }), {}).jobs).toHaveLength(1);
  });
});

describe('faults of interceptors, logger and redact', () => {
  it('an interceptor without a point, with the nearest', () => {
    class Silent {
      notify(): void {}
    }
    const none = 'has no method named after an interception point, such as onJobFailed';
    expect(faults({ interceptors: [Silent, new Silent(), {}] })).toEqual([
      `interceptors[0]: the class Silent ${none}`,
      `interceptors[1]: a Silent ${none}`,
      `interceptors[2]: an object ${none}`,
    ]);
    expect(faults({ interceptors: [{ onjobfaild() {} }] })).toEqual([`interceptors[0]: an object ${none} (did you mean "onJobFailed"?)`]);
  });

  it('a method near a point, also beside a right one', () => {
    class Mistyped {
      onJobFaild(): void {}
      onJobExceptions(): void {}
      onJobFailed(): void {}
      onlyHere(): void {}
      onStartup(): void {}
    }
    expect(faults({ interceptors: [Mistyped] })).toEqual([
      'interceptors[0].onJobFaild: is no interception point (did you mean "onJobFailed"?)',
      'interceptors[0].onJobExceptions: is no interception point (did you mean "onJobException"?)',
    ]);
    expect(faults({ interceptors: [{ onJobFailure() {} }] })).toEqual([
      'interceptors[0].onJobFailure: is no interception point (did you mean "onJobFailed"?)',
    ]);
  });

  it('F23 an empty jobPattern, in a class or an object', () => {
    class Careless {
      @jobPattern('')
      onJobFailed(): void {}
      @jobPattern(new RegExp(''))
      onJobException(): void {}
    }
    const empty = 'its jobPattern is empty and would match every job; give a pattern such as /^payments\\./, or remove it';
    expect(faults({ interceptors: [Careless, new Careless()] })).toEqual(
      [0, 1].flatMap((index) => ['onJobFailed', 'onJobException'].map((point) => `interceptors[${index}].${point}: ${empty}`)),
    );
  });

  it('an entry that can be no interceptor', () => {
    expect(faults({ interceptors: [() => {}, 5, undefined] })).toEqual([
      'interceptors[0]: must be an interceptor class, a service identifier bound in the container, or an instance, not a function; for a single function use redrive.on(point, listener)',
      'interceptors[1]: must be an interceptor class, a service identifier bound in the container, or an instance, not a number',
      'interceptors[2]: is missing; give an interceptor class, a service identifier bound in the container, or an instance (a class is undefined where imports run in a circle)',
    ]);
    expect(faults({ interceptors: {} })).toEqual(['interceptors: must be a list of interceptors, such as [NotifyOps], not an object']);
  });

  it('a hostile Proxy', () => {
    const hostile = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('no');
        },
      },
    );
    expect(faults({ interceptors: [hostile] })).toEqual(['interceptors[0]: a Proxy cannot be inspected: no']);
  });

  it('a logger that lacks methods', () => {
    expect(faults({ logger: { debug() {}, info() {}, warn() {}, error() {} } })).toEqual([
      "logger: must be a logger of pino's shape; an object lacks fatal, child",
    ]);
    expect(faults({ logger: 'pino' })[0]).toContain('lacks debug, info, warn, error, fatal, child');
  });

  it('rules of redact that would hide nothing, or everything', () => {
    expect(faults({ redact: ['a..b', '', new RegExp(''), 5, 'ok.*', /ok/] })).toEqual([
      'redact[0]: "a..b" is no dot path; write it like "properties.card.number" or "*.password"',
      'redact[1]: "" is no dot path; write it like "properties.card.number" or "*.password"',
      'redact[2]: is an empty RegExp, which matches everywhere; give a pattern',
      'redact[3]: must be a dot path such as "*.password" or a RegExp, not a number',
    ]);
    expect(faults({ redact: '*.password' })).toEqual(['redact: must be a list of dot paths and RegExps, not a string']);
  });
});
