import vm from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { RedriveError } from '../../src/errors.ts';
import { defineJob, type JobOptions } from '../../src/job/define.ts';
import { QueueProvider } from '../../src/provider/queue-provider.ts';
import { faultsOf, refusalOf } from './faults-of.ts';

const provider = { init() {}, push() {}, startWorker() {} };
const connections = { main: { provider } };

function pool(settings: object): unknown {
  return { connections, workerPools: { mail: { connection: 'main', ...settings } } };
}

describe('a config with faults', () => {
  it('is refused with all of them at once, each with its path', () => {
    const error = refusalOf({
      conections: {},
      connections: { main: { provider, defaultQueue: '' } },
      defaultConnection: 'mian',
      workerPools: { mail: { connection: 'man', quantity: 0, timout: 5 } },
      logAttempts: 'yes',
    });
    expect(error.message.split('\n')).toEqual(['The config has 7 faults:', ...error.faults.map((fault) => `  ${fault}`)]);
    expect([...error.faults].toSorted()).toEqual([
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
    expect(refusalOf({ release: '' }).message).toBe('The config has 1 fault:\n  release: is empty; give a name');
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
    expect(faultsOf(config)).toEqual([fault]);
  });

  it('may hold getters that throw', () => {
    const config = {
      get jobs() {
        throw new Error('not yet');
      },
    };
    expect(faultsOf(config)).toEqual(['config: cannot be read: not yet']);
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
    expect(faultsOf({ workrPools: {} })).toEqual(['workrPools: unknown key (did you mean "workerPools"?)']);
    expect(faultsOf({ connections: { main: { provider, property: {} } } })).toEqual([
      'connections.main.property: unknown key (did you mean "properties"?)',
    ]);
    expect(faultsOf(pool({ queue: 'x' }))).toEqual(['workerPools.mail.queue: unknown key (did you mean "queues"?)']);
    expect(faultsOf({ logFailedJobsProperties: { table: 'x', tablename: 'x' } })).toEqual([
      'logFailedJobsProperties.table: unknown key; known are tableName, datasource, store, queryOptions, cleanup',
      'logFailedJobsProperties.tablename: unknown key (did you mean "tableName"?)',
    ]);
    expect(faultsOf({ logFailedJobsProperties: { queryOptions: { timeot: 5 } } })).toEqual([
      'logFailedJobsProperties.queryOptions.timeot: unknown key (did you mean "timeout"?)',
    ]);
    expect(faultsOf({ logFailedJobsProperties: { cleanup: { criteria: { olderThen: 5 } } } })).toContain(
      'logFailedJobsProperties.cleanup.criteria.olderThen: unknown key (did you mean "olderThan"?)',
    );
    expect(faultsOf({ jobs: [defineJob({ name: 'ping', handle: () => {}, ...({ maxAtempts: 3 } as JobOptions) })] })).toEqual([
      'jobs[0].maxAtempts: unknown key (did you mean "maxAttempts"?), in the options of the job "ping"',
    ]);
  });

  it.each([
    ['encryption', { keys: [{ id: 'a', key: 'b' }] }],
    ['batchRepositoryProperties', { tableName: 'batches' }],
  ])('is told that %s is not available in this version', (key, value) => {
    expect(faultsOf({ [key]: value })).toEqual([`${key}: is not available in this version; remove it`]);
  });

  it('is told which parts of the failed-jobs log are not available in this version', () => {
    expect(faultsOf({ logFailedJobsProperties: { store: 'redis' } })).toEqual([
      'logFailedJobsProperties.store: "redis" is not available in this version; use "auto", "database", "memory"',
    ]);
    expect(
      resolveConfig(
        { logFailedJobsProperties: { store: 'memory', cleanup: { enabled: false, frequency: '0 2 * * *', criteria: () => {} } } },
        {},
      ).failedJobs,
    ).toBe(undefined);
    expect(faultsOf({ logFailedJobsProperties: { store: 'memry' } })[0]).toContain('(did you mean "memory"?)');
  });

  it('may have junk in the environment', () => {
    expect(faultsOf({ release: '' }, { REDRIVE_REGISTER_WORKERS: 'maybe' })).toEqual([
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
    expect(faultsOf(config)).toEqual([fault]);
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
    expect(faultsOf(pool(settings))).toEqual([`workerPools.mail.${fault}`]);
  });

  it('a provider that lacks methods is told which', () => {
    class Half {
      push(): void {}
    }
    const lacking = 'init(), startWorker(); extend QueueProvider';
    expect(faultsOf({ connections: { main: { provider: Half } } })).toEqual([
      `connections.main.provider: the class Half is no provider: it lacks ${lacking}`,
    ]);
    expect(faultsOf({ connections: { main: { provider: new Half() } } })).toEqual([
      `connections.main.provider: a Half is no provider: it lacks ${lacking}`,
    ]);
    expect(faultsOf({ connections: { main: { provider: QueueProvider } } })[0]).toContain('it lacks push(), startWorker()');
    expect(faultsOf({ connections: { main: { provider: () => provider } } })[0]).toContain(
      'must be a provider class, a service identifier bound in the container, or an instance, not the function provider',
    );
    expect(faultsOf({ connections: { main: { provider: 5 } } })[0]).toContain('not a number');
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
