import { types } from 'node:util';
import type { Backoff } from '../job/backoff.ts';
import type { JobClass } from '../job/define.ts';
import type { Duration } from '../duration.ts';
import type { Logger } from '../logger.ts';
import type { StoreAddress } from '../store/sql-store.ts';
import {
  checkBackoff,
  checkBoolean,
  checkChoice,
  checkDuration,
  checkLogger,
  checkMaxAttempts,
  checkName,
  checkObject,
  checkQuantity,
  checkQueue,
  checkQueues,
  checkRedact,
  checkSqlName,
  checkUnavailable,
} from './checks.ts';
import { parseCron } from './cron.ts';
import { describe, isPlainObject, reasonOf, show } from './describe.ts';
import { below, here, pathText, type Finding } from './finding.ts';
import type { CleanupCriteria } from './redrive-config.ts';
import { alertRules } from './alert-schema.ts';
import { checkJobs } from './job-checks.ts';
import { checkReferences } from './references.ts';
import { byName, issueFindings, leaf, section, type Parsed } from './schema-parts.ts';
import { checkInterceptor, checkProvider } from './service-checks.ts';

const connection = section({
  provider: leaf<unknown>(checkProvider),
  properties: leaf<Record<string, unknown>>(checkObject).optional(),
  defaultQueue: leaf<string>(checkQueue).optional(),
});

const workerPool = section({
  connection: leaf<string>(checkPoolConnection),
  queues: leaf<string | readonly string[]>(checkQueues).optional(),
  quantity: leaf<number>(checkQuantity).optional(),
  maxAttempts: leaf<number>(checkMaxAttempts).optional(),
  backoff: leaf<Backoff>(checkBackoff).optional(),
  timeout: leaf<Duration>(checkDuration).optional(),
  shutdownTimeout: leaf<Duration>(checkDuration).optional(),
});

const criteria = section({ olderThan: leaf<Duration>(checkDuration) });

const logFailedJobsProperties = section({
  tableName: leaf<string>(checkSqlName).optional(),
  datasource: leaf<string | StoreAddress>(checkDatasource).optional(),
  store: leaf<'auto' | 'database' | 'memory'>(checkChoice(['auto', 'database', 'memory'], ['redis'])).optional(),
  queryOptions: section({ schema: leaf<string>(checkSqlName).optional(), timeout: leaf<Duration>(checkDuration).optional() }).optional(),
  cleanup: section({
    enabled: leaf<boolean>(checkBoolean).optional(),
    frequency: leaf<string>(checkFrequency).optional(),
    criteria: leaf<CleanupCriteria>(checkCriteria).optional(),
  }).optional(),
});

const configSchema = section({
  connections: byName(connection).optional(),
  defaultConnection: leaf<string>(checkName).optional(),
  workerPools: byName(workerPool).optional(),
  registerWorkers: leaf<boolean>(checkBoolean).optional(),
  defaultWorkerMaxAttempts: leaf<number>(checkMaxAttempts).optional(),
  defaultWorkerBackoff: leaf<Backoff>(checkBackoff).optional(),
  defaultWorkerTimeout: leaf<Duration>(checkDuration).optional(),
  defaultWorkerShutdownTimeout: leaf<Duration>(checkDuration).optional(),
  defaultConnectionShutdownTimeout: leaf<Duration>(checkDuration).optional(),
  interceptorTimeout: leaf<Duration>(checkDuration).optional(),
  logFailedJobs: leaf<boolean>(checkBoolean).optional(),
  logFailedJobsProperties: logFailedJobsProperties.optional(),
  redact: leaf<readonly (string | RegExp)[]>(checkRedact).optional(),
  logAttempts: leaf<boolean>(checkBoolean).optional(),
  release: leaf<string>(checkName).optional(),
  jobs: leaf<readonly JobClass[]>(checkJobs).optional(),
  interceptors: leaf<readonly unknown[]>(checkInterceptors).optional(),
  logger: leaf<Logger>(checkLogger).optional(),
  alerts: alertRules.optional(),
  batchRepositoryProperties: leaf<unknown>(checkUnavailable).optional(),
  encryption: leaf<unknown>(checkUnavailable).optional(),
});

/** A config whose every value has been checked; no default is filled in yet. */
export type CheckedConfig = Parsed<typeof configSchema>;

/** Checks a whole config. All faults at once, each a line `path: what is wrong and what to do`. Never throws. */
export function checkConfig(
  config: unknown,
): { readonly config: CheckedConfig; readonly faults: readonly [] } | { readonly config: undefined; readonly faults: readonly string[] } {
  try {
    if (!isPlainObject(config) || types.isProxy(config)) return refused([here(wholeFault(config))]);
    const parsed = configSchema.safeParse(config);
    const findings = [...(parsed.success ? [] : issueFindings(parsed.error)), ...checkReferences(config)];
    return parsed.success && findings.length === 0 ? { config: parsed.data, faults: [] } : refused(findings);
  } catch (error) {
    // A getter or Proxy somewhere inside threw.
    return refused([here(`cannot be read: ${reasonOf(error)}`)]);
  }
}

function refused(findings: readonly Finding[]): { config: undefined; faults: readonly string[] } {
  return { config: undefined, faults: findings.map(({ path, text }) => `${path.length === 0 ? 'config' : pathText(path)}: ${text}`) };
}

function wholeFault(config: unknown): string {
  if (types.isProxy(config)) return 'is a Proxy; pass a plain object';
  if (types.isPromise(config)) return 'is a Promise; await it and pass what it gives';
  if (typeof config === 'function')
    return `is ${describe(config)}; call it and pass the object it returns (only the config file may export a function)`;
  return `must be a plain object, not ${describe(config)}`;
}

function checkPoolConnection(value: unknown): readonly Finding[] {
  return value === undefined ? [here('is missing; name one of connections')] : checkName(value);
}

function checkDatasource(value: unknown): readonly Finding[] {
  if (typeof value === 'string') return checkName(value);
  const isInstance = typeof value === 'function' && typeof (value as { raw?: unknown }).raw === 'function';
  if (isInstance || (isPlainObject(value) && ('client' in value || 'dialect' in value))) return [];
  return [here(`must be a connection's name, a Knex config with a client, or a Knex instance, not ${describe(value)}`)];
}

function checkFrequency(value: unknown): readonly Finding[] {
  if (typeof value !== 'string') return [here(`must be a cron expression such as "0 2 * * *", not ${describe(value)}`)];
  try {
    parseCron(value);
    return [];
  } catch (error) {
    return [here(`${show(value)} is no cron expression such as "0 2 * * *": ${reasonOf(error)}`)];
  }
}

function checkCriteria(value: unknown): readonly Finding[] {
  if (typeof value === 'function') return [];
  const parsed = criteria.safeParse(value);
  return parsed.success ? [] : issueFindings(parsed.error);
}

function checkInterceptors(value: unknown): readonly Finding[] {
  if (!Array.isArray(value)) return [here(`must be a list of interceptors, such as [NotifyOps], not ${describe(value)}`)];
  return (value as readonly unknown[]).flatMap((interceptor, index) => below(index, checkInterceptor(interceptor)));
}
