import { durationMs, type Duration } from '../duration.ts';
import { RedriveError } from '../errors.ts';
import type { Interceptor } from '../interceptor/points.ts';
import { parseBackoff, type Backoff } from '../job/backoff.ts';
import type { QueueProvider } from '../provider/queue-provider.ts';
import { checkName } from './checks.ts';
import { serviceRef } from './class-value.ts';
import { parseCron } from './cron.ts';
import { show } from './describe.ts';
import type { LogFailedJobsProperties } from './redrive-config.ts';
import { checkConfig, type CheckedConfig } from './schema.ts';
import type {
  ResolvedAlertRule,
  ResolvedCleanup,
  ResolvedConfig,
  ResolvedConnection,
  ResolvedFailedJobs,
  ResolvedPool,
  ResolvedWorkerSettings,
} from './resolved.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Checks a config and fills in every default. What is the user's own (instances, properties, jobs, functions) is
 * passed on as it is and never frozen; all else is. Throws `CONFIG_INVALID` with every fault at once.
 */
export function resolveConfig(config: unknown, env: Environment = process.env): ResolvedConfig {
  const checked = checkConfig(config);
  const workers = readWorkersSwitch(env);
  const release = env['REDRIVE_RELEASE']?.trim() || undefined;
  const releaseFindings = release === undefined ? [] : checkName(release);
  const faults = [...checked.faults, ...workers.faults, ...releaseFindings.map(({ text }) => `REDRIVE_RELEASE: ${text}`)];
  if (checked.config === undefined || faults.length > 0) throw invalid(faults);
  return fill(checked.config, { registerWorkers: workers.on, release });
}

function invalid(faults: readonly string[]): RedriveError {
  const head = faults.length === 1 ? 'The config has 1 fault:' : `The config has ${faults.length} faults:`;
  return new RedriveError('CONFIG_INVALID', [head, ...faults.map((fault) => `  ${fault}`)].join('\n'), { faults });
}

/** What the environment says where the config says nothing. */
interface EnvironmentDefaults {
  readonly registerWorkers: boolean;
  readonly release: string | undefined;
}

function fill(config: CheckedConfig, env: EnvironmentDefaults): ResolvedConfig {
  const connections = resolveConnections(config);
  return Object.freeze({
    connections,
    defaultConnection: config.defaultConnection ?? connections.keys().next().value,
    workerPools: Object.freeze(
      Object.entries(config.workerPools ?? {}).map(([name, pool]) => resolvePool(name, pool, config, connections)),
    ),
    workerDefaults: Object.freeze(resolveSettings({}, config)),
    registerWorkers: config.registerWorkers ?? env.registerWorkers,
    connectionShutdownTimeoutMs: durationMs(config.defaultConnectionShutdownTimeout ?? '60s'),
    interceptorTimeoutMs: durationMs(config.interceptorTimeout ?? '30s'),
    failedJobs: config.logFailedJobs === true ? resolveFailedJobs(config.logFailedJobsProperties) : undefined,
    redact: Object.freeze([...(config.redact ?? [])]),
    logAttempts: config.logAttempts ?? true,
    release: config.release ?? env.release,
    jobs: Object.freeze([...(config.jobs ?? [])]),
    interceptors: Object.freeze((config.interceptors ?? []).map((interceptor) => serviceRef<Interceptor>(interceptor))),
    alerts: Object.freeze((config.alerts ?? []).map(resolveAlertRule)),
    logger: config.logger,
  });
}

function resolveConnections(config: CheckedConfig): ReadonlyMap<string, ResolvedConnection> {
  const resolved = new Map<string, ResolvedConnection>();
  for (const [name, { provider, properties, defaultQueue }] of Object.entries(config.connections ?? {})) {
    resolved.set(
      name,
      Object.freeze({
        name,
        provider: serviceRef<QueueProvider>(provider),
        properties: properties ?? Object.freeze({}),
        defaultQueue: defaultQueue ?? 'default',
      }),
    );
  }
  return resolved;
}

type CheckedPool = NonNullable<CheckedConfig['workerPools']>[string];

function resolvePool(
  name: string,
  pool: CheckedPool,
  config: CheckedConfig,
  connections: ReadonlyMap<string, ResolvedConnection>,
): ResolvedPool {
  const queues = pool.queues ?? connections.get(pool.connection)?.defaultQueue ?? 'default';
  return Object.freeze({
    name,
    connection: pool.connection,
    queues: Object.freeze(typeof queues === 'string' ? [queues] : [...queues]),
    quantity: pool.quantity ?? 1,
    ...resolveSettings(pool, config),
  });
}

/** What a pool says of how its jobs are worked, and where it says nothing, what the config does. */
function resolveSettings(pool: Partial<CheckedPool>, config: CheckedConfig): ResolvedWorkerSettings {
  return {
    maxAttempts: pool.maxAttempts ?? config.defaultWorkerMaxAttempts ?? 1,
    backoff: resolveBackoff(pool.backoff ?? config.defaultWorkerBackoff ?? 0),
    timeoutMs: durationMs(pool.timeout ?? config.defaultWorkerTimeout ?? '60s'),
    shutdownTimeoutMs: durationMs(pool.shutdownTimeout ?? config.defaultWorkerShutdownTimeout ?? '60s'),
  };
}

function resolveBackoff(backoff: Backoff): ResolvedPool['backoff'] {
  const parsed = parseBackoff(backoff);
  if (typeof parsed === 'function') return parsed;
  // A policy is the user's own object, so a copy is frozen.
  return 'policy' in parsed ? Object.freeze({ ...parsed }) : Object.freeze([...parsed]);
}

function resolveFailedJobs(properties: CheckedConfig['logFailedJobsProperties'] = {}): ResolvedFailedJobs {
  return Object.freeze({
    tableName: properties.tableName ?? 'cbq_failed_jobs',
    datasource: properties.datasource,
    store: properties.store ?? 'auto',
    schema: properties.queryOptions?.schema,
    timeoutMs: optionalMs(properties.queryOptions?.timeout),
    cleanup: properties.cleanup?.enabled === true ? resolveCleanup(properties.cleanup) : undefined,
  });
}

function resolveAlertRule({ name, when, cooldown, notify = [] }: NonNullable<CheckedConfig['alerts']>[number]): ResolvedAlertRule {
  return Object.freeze({
    name,
    failures: when.failures ?? 0,
    withinMs: durationMs(when.within ?? '1h'),
    cooldownMs: durationMs(cooldown ?? '1h'),
    queue: when.queue,
    job: when.job,
    kind: when.kind,
    fingerprint: when.fingerprint,
    notifiers: Object.freeze(typeof notify === 'function' ? [notify] : [...notify]),
  });
}

function resolveCleanup({
  frequency = '0 2 * * *',
  criteria = { olderThan: '30d' },
}: Omit<NonNullable<LogFailedJobsProperties['cleanup']>, 'enabled'>): ResolvedCleanup {
  const means = typeof criteria === 'function' ? criteria : Object.freeze({ olderThanMs: durationMs(criteria.olderThan) });
  return Object.freeze({ schedule: parseCron(frequency), criteria: means });
}

function optionalMs(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : durationMs(duration);
}

/** Reads `REDRIVE_REGISTER_WORKERS`; a word it does not know is a fault even where the config decides, since somebody meant something by it. */
function readWorkersSwitch(env: Environment): { readonly on: boolean; readonly faults: readonly string[] } {
  const value = env['REDRIVE_REGISTER_WORKERS'];
  const word = value?.trim().toLowerCase() ?? '';
  if (['', 'true', '1', 'yes', 'on'].includes(word)) return { on: true, faults: [] };
  if (['false', '0', 'no', 'off'].includes(word)) return { on: false, faults: [] };
  return { on: true, faults: [`REDRIVE_REGISTER_WORKERS: must be "true" or "false", not ${show(value)}`] };
}
