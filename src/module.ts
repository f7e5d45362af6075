import { ContainerModule, type ContainerModuleLoadOptions, type ResolutionContext, type ServiceIdentifier } from 'inversify';
import { systemClock } from './clock.ts';
import type { RedriveConfig } from './config/redrive-config.ts';
import type { ResolvedConfig, ServiceRef } from './config/resolved.ts';
import { resolveConfig } from './config/resolve.ts';
import type { Backends } from './connections.ts';
import { RedriveError } from './errors.ts';
import { FailedJobs } from './failure/failed-jobs.ts';
import type { Interceptor } from './interceptor/points.ts';
import { defaultLogger, safeLogger } from './logger.ts';
import { Redrive } from './redrive.ts';
import { firstLine, unresolvable } from './start-checks.ts';
import type { StoreAccess } from './store/sql-store.ts';
import { ClockToken, InterceptorToken, LoggerToken } from './tokens.ts';

/**
 * Makes Redrive part of a container: binds {@link Redrive} and {@link FailedJobs}, and the config's classes where
 * they are not bound yet. Throws `CONFIG_INVALID` at once for all that the config alone shows.
 *
 * @example
 * container.load(redriveModule({ connections, workerPools, jobs: [SendWelcomeEmail], logFailedJobs: true }));
 * await container.get(Redrive).start();
 */
export function redriveModule(config: RedriveConfig): ContainerModule {
  return moduleOf(resolveConfig(config), { access: 'create', standsIn: false });
}

/** How the commands may differ from a program. */
export interface ModuleOptions {
  /** What may be done to the stores. */
  readonly access: StoreAccess;
  /** The default connection stands in for every name a record may hold. */
  readonly standsIn: boolean;
}

/** The module for a config already checked. */
export function moduleOf(config: ResolvedConfig, options: ModuleOptions): ContainerModule {
  const module = new ContainerModule(({ bind, isBound }) => {
    bindClasses(classesOf(config), { bind, isBound });
    bind(Redrive)
      .toDynamicValue((context) => assemble(config, options, context))
      .inSingletonScope();
    bind(FailedJobs)
      .toDynamicValue((context) => context.get(Redrive).failedJobs)
      .inSingletonScope();
  });
  return refusingOldContainers(module);
}

/** Throws `JOB_UNRESOLVABLE` for every class that Inversify knows too little of to build it. */
function bindClasses(
  classes: readonly (new (...services: never[]) => unknown)[],
  { bind, isBound }: Pick<ContainerModuleLoadOptions, 'bind' | 'isBound'>,
): void {
  const faults: string[] = [];
  for (const own of classes) {
    try {
      if (!isBound(own)) bind(own).toSelf();
    } catch (error) {
      faults.push(
        `the class ${own.name}: ${firstLine(error)} Put @injectable() above it, and @inject(...) before each argument of its constructor`,
      );
    }
  }
  if (faults.length > 0) throw unresolvable(faults);
}

/** Up to version 6 Inversify calls a method that modules have no more, and what it says of its absence helps nobody. */
function refusingOldContainers(module: ContainerModule): ContainerModule {
  return Object.defineProperty(module, 'registry', {
    value: () => {
      throw unresolvable(['the container is of InversifyJS 6 or older, and Redrive needs version 8: run "npm install inversify@8"']);
    },
  });
}

function classesOf(config: ResolvedConfig): readonly (new (...services: never[]) => unknown)[] {
  const refs: readonly ServiceRef<unknown>[] = [
    ...config.interceptors,
    ...[...config.connections.values()].map(({ provider }) => provider),
  ];
  const classes = refs.flatMap((ref) => (ref.from === 'class' ? [ref.value as new (...services: never[]) => unknown] : []));
  return [...new Set([...config.jobs, ...classes])];
}

/** The only place that asks a container for anything. */
function assemble(config: ResolvedConfig, options: ModuleOptions, context: ResolutionContext): Redrive {
  const optional = <T>(token: ServiceIdentifier<T>): T | undefined => context.get(token, { optional: true });
  const logger = safeLogger(config.logger ?? optional(LoggerToken) ?? defaultLogger());
  const clock = optional(ClockToken) ?? systemClock;
  return new Redrive({
    ...options,
    config,
    logger,
    clock,
    backends,
    build: async (ref) => (ref.from === 'instance' ? ref.value : context.getAsync(ref.value)),
    makeJob: (jobClass) => context.getAsync(jobClass),
    boundInterceptors: () => context.getAllAsync<Interceptor>(InterceptorToken),
    builtInInterceptors: async () => {
      const builtIn: Interceptor[] = [];
      if (config.logAttempts) {
        const { LogAttempts } = await import('../interceptors/log-attempts.ts');
        builtIn.push(new LogAttempts(logger));
      }
      if (config.alerts.length > 0) {
        const { FailureAlerts } = await import('../interceptors/failure-alerts/failure-alerts.ts');
        builtIn.push(new FailureAlerts({ rules: config.alerts, clock, logger, patienceMs: config.interceptorTimeoutMs }));
      }
      return builtIn;
    },
    makeMetrics: async (source) => {
      const { makeMetrics } = await import('../interceptors/metrics/metrics.ts');
      return makeMetrics(source);
    },
  });
}

// Imported when first needed: a program that keeps its jobs elsewhere never loads a database driver.
const backends: Backends = {
  async stores() {
    const { Stores } = await import('../providers/database/store-source.ts');
    return new Stores();
  },
  async failureLog(store, { tableName, timeoutMs, access, autoMigrate }) {
    const { SqlFailureLog } = await import('../interceptors/log-failed-jobs/sql-failure-log.ts');
    const { failedJobsMigrations } = await import('../migrations/failed-jobs.ts');
    const steps = failedJobsMigrations(tableName);
    const log = new SqlFailureLog(store, { tableName, timeoutMs, access });
    if (access === 'create' && (autoMigrate ?? store.dialect === 'sqlite')) {
      await store.migrate(steps);
      await log.numberRows();
    } else if ((await store.pending(steps)).length > 0)
      throw new RedriveError(
        'STORE_UNMIGRATED',
        `${store.location} lacks the table ${tableName}, or has an older one; run "redrive migrate"`,
      );
    return log;
  },
  async failureLogMigrations(tableName) {
    const { failedJobsMigrations } = await import('../migrations/failed-jobs.ts');
    return failedJobsMigrations(tableName);
  },
  async afterMigration(store, tableName, onProgress) {
    const { SqlFailureLog } = await import('../interceptors/log-failed-jobs/sql-failure-log.ts');
    await new SqlFailureLog(store, { tableName }).numberRows((done, total) => onProgress?.({ what: `rows of ${tableName}`, done, total }));
  },
  async memoryFailureLog(providers) {
    const { failureLogOf } = await import('../providers/memory/memory-provider.ts');
    return failureLogOf(providers);
  },
};
