import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRedrive, type DispatchOptions, type JobOptions, type RedriveConfig } from 'redrive';
import { AsyncProvider } from 'redrive/providers/async';
import { readProperties as readAsyncProperties } from '../../providers/async/properties.ts';
import { readProperties as readDatabaseProperties } from '../../providers/database/properties.ts';
import { readProperties as readSyncProperties } from '../../providers/sync/properties.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { isRedriveError } from '../../src/errors.ts';
import { faultsOf } from '../config/faults-of.ts';
import { root } from '../scaffold/packed-package.ts';
import { code, page, section, tableRows } from './markdown.ts';

const text = page('docs/reference/config.md');
// Near no key, so that the message lists them all.
const stranger = 'zzzzzzzzzzzzzzzz';

/** The keys of a table, in its order. */
function documented(heading: string): readonly string[] {
  const own = section(text, heading).split(/^#/m, 1)[0]!;
  return tableRows(own).map(([key]) => code(key));
}

/** The default of a key as the page gives it; undefined where it is told in words. */
function documentedDefault(heading: string, key: string): string | undefined {
  const row = tableRows(section(text, heading)).find(([first]) => code(first) === key);
  return /^`([^`]+)`$/.exec(row?.[1] ?? '')?.[1];
}

function knownKeys(faults: readonly string[]): readonly string[] {
  const known = faults
    .map((fault) => new RegExp(`${stranger}: unknown key; known are (.*)$`).exec(fault)?.[1])
    .find((list) => list !== undefined);
  if (known === undefined) throw new Error(`no fault lists the known keys:\n${faults.join('\n')}`);
  return known.split(', ');
}

const nested = (path: readonly (string | number)[]): object =>
  path.reduceRight<object>((inner, key) => (typeof key === 'number' ? [inner] : { [key]: inner }), { [stranger]: 1 });

describe('the reference of the config', () => {
  it.each([
    ['## Keys', []],
    ['## A connection', ['connections', 'default']],
    ['## A worker pool', ['workerPools', 'mail']],
    ['## The failed-jobs log', ['logFailedJobsProperties']],
    ['### queryOptions', ['logFailedJobsProperties', 'queryOptions']],
    ['### cleanup', ['logFailedJobsProperties', 'cleanup']],
    ['## Alerts', ['alerts', 0]],
    ['### when', ['alerts', 0, 'when']],
  ])('has under "%s" the keys that the schema knows', (heading, path) => {
    expect(documented(heading).toSorted()).toEqual([...knownKeys(faultsOf(nested(path)))].toSorted());
  });

  it('has the keys of the providers', () => {
    const stray = { [stranger]: 1 };
    expect(documented('## AsyncProvider').toSorted()).toEqual([...knownKeys(faultsOfMemory(readAsyncProperties, stray))].toSorted());
    expect(documented('## SyncProvider').toSorted()).toEqual([...knownKeys(faultsOfMemory(readSyncProperties, stray))].toSorted());
    const source = readFileSync(join(root, 'providers/database/properties.ts'), 'utf8');
    const shape = /const schema = z\.object\(\{\n([\s\S]*?)\n\}\);/.exec(source)?.[1] ?? '';
    expect(documented('## DatabaseProvider')).toEqual([...shape.matchAll(/^ {2}(\w+):/gm)].map(([, key]) => key));
  });

  it('has the options of a job and of a dispatch', () => {
    // The compiler holds these lists against the interfaces.
    const job: Readonly<Record<keyof JobOptions, true>> = {
      maxAttempts: true,
      backoff: true,
      timeout: true,
      failOn: true,
      retryOn: true,
      retryUntil: true,
      schema: true,
      unique: true,
      markAsFailed: true,
    };
    const dispatch: Readonly<Record<keyof DispatchOptions, true>> = {
      queue: true,
      connection: true,
      delay: true,
      priority: true,
      backoff: true,
      timeout: true,
      maxAttempts: true,
      transaction: true,
    };
    expect(documented('## Options of a job')).toEqual(Object.keys(job));
    expect(documented('## Options of a dispatch')).toEqual(Object.keys(dispatch));
  });

  it('has the variables that are read', () => {
    const read = ['src/config/resolve.ts', 'src/logger.ts'].flatMap((file) => [
      ...readFileSync(join(root, file), 'utf8').matchAll(/\benv\['(REDRIVE_\w+)'\]/g),
    ]);
    expect(documented('## Environment').toSorted()).toEqual([...new Set(read.map(([, name]) => name!))].toSorted());
  });

  it('gives the defaults that hold', () => {
    const config = {
      connections: { main: { provider: AsyncProvider } },
      workerPools: { mail: { connection: 'main' } },
      logFailedJobs: true,
    };
    const resolved = resolveConfig(config, {});
    const [pool] = resolved.workerPools;
    const quoted = (value: string): string => `'${value}'`;
    expectDefaults('## Keys', {
      registerWorkers: String(resolved.registerWorkers),
      defaultWorkerMaxAttempts: String(pool!.maxAttempts),
      defaultWorkerBackoff: String((pool!.backoff as readonly number[])[0]),
      defaultWorkerTimeout: String(pool!.timeoutMs / 1_000),
      defaultWorkerShutdownTimeout: String(pool!.shutdownTimeoutMs / 1_000),
      defaultConnectionShutdownTimeout: String(resolved.connectionShutdownTimeoutMs / 1_000),
      interceptorTimeout: String(resolved.interceptorTimeoutMs / 1_000),
      logFailedJobs: String(resolveConfig({}, {}).failedJobs !== undefined),
      redact: JSON.stringify(resolved.redact),
      logAttempts: String(resolved.logAttempts),
      jobs: JSON.stringify(resolved.jobs),
      interceptors: JSON.stringify(resolved.interceptors),
      alerts: JSON.stringify(resolved.alerts),
    });
    expectDefaults('## A connection', { defaultQueue: quoted(resolved.connections.get('main')!.defaultQueue) });
    expectDefaults('## A worker pool', { queues: quoted(pool!.queues.join()), quantity: String(pool!.quantity) });
    expectDefaults('## The failed-jobs log', {
      tableName: quoted(resolved.failedJobs!.tableName),
      store: quoted(resolved.failedJobs!.store),
    });
    const [rule] = resolveConfig({ alerts: [{ name: 'new', when: { fingerprint: 'new' } }], logFailedJobs: true }, {}).alerts;
    expectDefaults('## Alerts', { cooldown: quoted(`${rule!.cooldownMs / 3_600_000}h`) });
    const { tableName, leaseMs, pollIntervalMs, prefetch, keepCompletedMs, address } = readDatabaseProperties('main', {
      client: 'better-sqlite3',
    });
    expectDefaults('## DatabaseProvider', {
      tableName: quoted(tableName),
      lease: quoted(`${leaseMs / 1_000}s`),
      pollInterval: quoted(`${pollIntervalMs / 1_000}s`),
      prefetch: String(prefetch),
      keepCompleted: quoted(`${keepCompletedMs / 60_000}m`),
      synchronous: quoted((address as { synchronous: string }).synchronous),
    });
    const inMemory = readAsyncProperties('main', {});
    expectDefaults('## AsyncProvider', {
      lease: quoted(`${inMemory.leaseMs / 1_000}s`),
      keepCompleted: quoted(`${inMemory.keepCompletedMs / 60_000}m`),
    });
  });

  it('is right about the default connection', async () => {
    const connections = { first: { provider: AsyncProvider }, second: { provider: AsyncProvider } };
    const config: RedriveConfig = { connections };
    expect(resolveConfig(config, {}).defaultConnection).toBe('first');
    const redrive = await createRedrive(config);
    const added: string[] = [];
    redrive.on('onJobAdded', ({ connection }) => added.push(connection));
    await redrive.dispatch('some.job');
    await redrive.stop();
    expect(added).toEqual(['first']);
  });
});

function expectDefaults(heading: string, actual: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(actual)) expect(documentedDefault(heading, key), `${heading}, ${key}`).toBe(value);
}

function faultsOfMemory(read: typeof readAsyncProperties, properties: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    read('main', properties);
  } catch (error) {
    if (isRedriveError(error)) return error.faults;
    throw error;
  }
  throw new Error('was accepted');
}
