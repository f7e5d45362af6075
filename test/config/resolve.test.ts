import { inject, injectable } from 'inversify';
import knex from 'knex';
import { describe, expect, it, vi } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import type { RedriveConfig } from '../../src/config/redrive-config.ts';
import { exponential } from '../../src/job/backoff.ts';
import { defineJob, job } from '../../src/job/define.ts';
import { Job } from '../../src/job/job.ts';
import { safeLogger } from '../../src/logger.ts';
import { noCapabilities } from '../../src/provider/capabilities.ts';
import { QueueProvider } from '../../src/provider/queue-provider.ts';

@injectable()
class AuditProvider extends QueueProvider {
  readonly capabilities = noCapabilities;
  push = vi.fn<QueueProvider['push']>();
  startWorker = vi.fn<QueueProvider['startWorker']>();
}

@job('emails.welcome', { maxAttempts: 3 })
class SendWelcomeEmail extends Job<{ userId: number }> {
  constructor(@inject('Mailer') readonly mailer: unknown) {
    super();
  }
  handle(): void {}
}

const connections = { main: { provider: AuditProvider } };

/** Typed, so that the examples are also checked by the compiler. */
function resolve(config: RedriveConfig, env: Record<string, string> = {}) {
  return resolveConfig(config, env);
}

function deeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(deeplyFrozen);
}

describe('resolveConfig', () => {
  it('fills in every default of an empty config', () => {
    expect(resolve({})).toEqual({
      connections: new Map(),
      defaultConnection: undefined,
      workerPools: [],
      workerDefaults: { maxAttempts: 1, backoff: [0], timeoutMs: 60_000, shutdownTimeoutMs: 60_000 },
      registerWorkers: true,
      connectionShutdownTimeoutMs: 60_000,
      interceptorTimeoutMs: 30_000,
      failedJobs: undefined,
      redact: [],
      logAttempts: true,
      release: undefined,
      jobs: [],
      interceptors: [],
      alerts: [],
      logger: undefined,
    });
  });

  it('fills in the defaults of a connection, a pool and the failed-jobs log', () => {
    const resolved = resolve({ connections, workerPools: { mail: { connection: 'main' } }, logFailedJobs: true });
    expect(resolved.connections.get('main')).toEqual({
      name: 'main',
      provider: { from: 'class', value: AuditProvider },
      properties: {},
      defaultQueue: 'default',
    });
    expect(resolved.workerPools).toEqual([
      {
        name: 'mail',
        connection: 'main',
        queues: ['default'],
        quantity: 1,
        maxAttempts: 1,
        backoff: [0],
        timeoutMs: 60_000,
        shutdownTimeoutMs: 60_000,
      },
    ]);
    expect(resolved.failedJobs).toEqual({
      tableName: 'cbq_failed_jobs',
      datasource: undefined,
      store: 'auto',
      schema: undefined,
      timeoutMs: undefined,
      cleanup: undefined,
    });
  });

  it('keeps what the config says', () => {
    const logger = safeLogger({} as never);
    const resolved = resolve({
      connections: {
        main: { provider: AuditProvider, properties: { client: 'pg' }, defaultQueue: 'mails' },
        audit: { provider: AuditProvider },
      },
      defaultConnection: 'audit',
      workerPools: {
        mail: {
          connection: 'main',
          queues: ['high', 'low'],
          quantity: 10,
          maxAttempts: 0,
          backoff: ['1s', '10s'],
          timeout: '20s',
          shutdownTimeout: 5,
        },
      },
      registerWorkers: false,
      defaultConnectionShutdownTimeout: '1m',
      interceptorTimeout: '10s',
      logFailedJobs: true,
      logFailedJobsProperties: {
        tableName: 'failed',
        datasource: 'audit',
        store: 'database',
        queryOptions: { schema: 'ops', timeout: '5s' },
        cleanup: { enabled: false, criteria: { olderThan: '7d' } },
      },
      redact: ['*.password', /\d{16}/],
      logAttempts: false,
      release: '1.2.3',
      jobs: [SendWelcomeEmail, defineJob({ name: 'ping', handle: () => {} })],
      logger,
      alerts: [],
      batchRepositoryProperties: {},
    });
    expect(resolved.defaultConnection).toBe('audit');
    expect(resolved.workerPools).toEqual([
      {
        name: 'mail',
        connection: 'main',
        queues: ['high', 'low'],
        quantity: 10,
        maxAttempts: 0,
        backoff: [1_000, 10_000],
        timeoutMs: 20_000,
        shutdownTimeoutMs: 5_000,
      },
    ]);
    expect(resolved.failedJobs).toEqual({ tableName: 'failed', datasource: 'audit', store: 'database', schema: 'ops', timeoutMs: 5_000 });
    expect(resolved).toMatchObject({
      registerWorkers: false,
      connectionShutdownTimeoutMs: 60_000,
      interceptorTimeoutMs: 10_000,
      redact: ['*.password', /\d{16}/],
      logAttempts: false,
      release: '1.2.3',
    });
    expect(resolved.jobs[0]).toBe(SendWelcomeEmail);
    expect(resolved.logger).toBe(logger);
  });

  it('takes the pool over the default', () => {
    const defaults = {
      defaultWorkerMaxAttempts: 5,
      defaultWorkerBackoff: '3s',
      defaultWorkerTimeout: 0,
      defaultWorkerShutdownTimeout: '10s',
    };
    const [silent, own] = resolve({
      connections,
      ...defaults,
      workerPools: {
        silent: { connection: 'main' },
        own: { connection: 'main', maxAttempts: 2, backoff: 0, timeout: 1, shutdownTimeout: 0 },
      },
    }).workerPools;
    expect(silent).toMatchObject({ maxAttempts: 5, backoff: [3_000], timeoutMs: 0, shutdownTimeoutMs: 10_000 });
    expect(own).toMatchObject({ maxAttempts: 2, backoff: [0], timeoutMs: 1_000, shutdownTimeoutMs: 0 });
  });

  it("gives a pool without queues its connection's default queue, and makes a list of one queue", () => {
    const pools = resolve({
      connections: { main: { provider: AuditProvider, defaultQueue: 'mails' } },
      workerPools: {
        a: { connection: 'main' },
        b: { connection: 'main', queues: 'high' },
        c: { connection: 'main', queues: '*' },
        d: { connection: 'main', queues: ['*'] },
      },
    }).workerPools;
    expect(pools.map(({ queues }) => queues)).toEqual([['mails'], ['high'], ['*'], ['*']]);
  });

  it('takes the first connection for the default one', () => {
    expect(resolve({ connections: { b: { provider: AuditProvider }, a: { provider: AuditProvider } } }).defaultConnection).toBe('b');
  });

  it('keeps names that plain objects inherit', () => {
    const resolved = resolve({
      connections: { constructor: { provider: AuditProvider }, toString: { provider: AuditProvider } },
      workerPools: { valueOf: { connection: 'toString' } },
    });
    expect([...resolved.connections.keys()]).toEqual(['constructor', 'toString']);
    expect(resolved.workerPools[0]?.name).toBe('valueOf');
  });

  it('tells a class from an identifier from an instance', () => {
    const instance = new AuditProvider();
    const symbol = Symbol('provider');
    const resolved = resolve({
      connections: { a: { provider: AuditProvider }, b: { provider: symbol }, c: { provider: 'AuditProvider' }, d: { provider: instance } },
    });
    expect([...resolved.connections.values()].map(({ provider }) => provider)).toEqual([
      { from: 'class', value: AuditProvider },
      { from: 'identifier', value: symbol },
      { from: 'identifier', value: 'AuditProvider' },
      { from: 'instance', value: instance },
    ]);
    expect(resolved.connections.get('d')?.provider.value).toBe(instance);
  });

  it('tells interceptor classes, identifiers and objects apart, in their order', () => {
    class NotifyOps {
      onJobFailed(): void {}
    }
    class ArrowOps {
      onJobFailed = (): void => {};
    }
    const object = { onJobAdded() {} };
    const refs = resolve({ interceptors: [object, NotifyOps, 'ops', ArrowOps] }).interceptors;
    expect(refs.map(({ from }) => from)).toEqual(['instance', 'class', 'identifier', 'class']);
    expect(refs[0]?.value).toBe(object);
  });

  it('takes a Knex config or a Knex instance as datasource, untouched', async () => {
    const instance = knex({ client: 'better-sqlite3', connection: ':memory:', useNullAsDefault: true });
    const config = { client: 'pg', connection: 'postgres://localhost/test' };
    expect(resolve({ logFailedJobs: true, logFailedJobsProperties: { datasource: instance } }).failedJobs?.datasource).toBe(instance);
    expect(resolve({ logFailedJobs: true, logFailedJobsProperties: { datasource: config } }).failedJobs?.datasource).toBe(config);
    await instance.destroy();
  });

  it("freezes what is its own and nothing of the user's", () => {
    const properties = { client: 'pg', pool: { min: 0 } };
    const backoff = exponential();
    const queues = ['high'];
    const instance = new AuditProvider();
    const config: RedriveConfig = {
      connections: { main: { provider: instance, properties } },
      workerPools: { mail: { connection: 'main', queues, backoff } },
      jobs: [SendWelcomeEmail],
      redact: [/x/],
    };
    const resolved = resolve(config);
    for (const theirs of [
      config,
      config.connections,
      config.workerPools,
      config.jobs,
      properties,
      properties.pool,
      backoff,
      queues,
      instance,
      SendWelcomeEmail,
    ])
      expect(Object.isFrozen(theirs)).toBe(false);
    expect(resolved.connections.get('main')?.properties).toBe(properties);
    const { connections: links, jobs, redact, ...ours } = resolved;
    expect(Object.values(ours).every(deeplyFrozen)).toBe(true);
    expect([resolved, jobs, redact, links.get('main'), links.get('main')?.provider].every(Object.isFrozen)).toBe(true);
  });

  it.each([
    ['false', false],
    ['0', false],
    ['no', false],
    ['NO ', false],
    ['true', true],
    ['1', true],
    ['', true],
  ])('reads REDRIVE_REGISTER_WORKERS=%j where the config says nothing', (value, expected) => {
    expect(resolve({}, { REDRIVE_REGISTER_WORKERS: value }).registerWorkers).toBe(expected);
    expect(resolve({ registerWorkers: !expected }, { REDRIVE_REGISTER_WORKERS: value }).registerWorkers).toBe(!expected);
  });

  it('reads REDRIVE_RELEASE where the config says nothing', () => {
    expect(resolve({}, { REDRIVE_RELEASE: ' abc123\n' }).release).toBe('abc123');
    expect(resolve({}, { REDRIVE_RELEASE: '' }).release).toBe(undefined);
    expect(resolve({ release: '1.0' }, { REDRIVE_RELEASE: 'abc' }).release).toBe('1.0');
  });

  it('takes undefined for a key that is not set', () => {
    const nothing = Object.fromEntries(
      ['connections', 'workerPools', 'jobs', 'release', 'logger', 'alerts', 'encryption', 'logFailedJobsProperties'].map((key) => [
        key,
        undefined,
      ]),
    );
    expect(resolveConfig(nothing, {})).toEqual(resolve({}));
  });
});
