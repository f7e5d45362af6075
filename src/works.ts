import { hostname } from 'node:os';
import type { Clock } from './clock.ts';
import type { ResolvedConfig } from './config/resolved.ts';
import { Connections, type Backends } from './connections.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { AlertWatch } from './failure/alerts/alert-watch.ts';
import { BulkRetries } from './failure/bulk-retries.ts';
import { Cleanup } from './failure/cleanup.ts';
import { FailedJobs, type FailedJobsContext } from './failure/failed-jobs.ts';
import { InterceptorBus } from './interceptor/bus.ts';
import type { Metrics, MetricsSource } from './interceptor/metrics.ts';
import type { JobClass } from './job/define.ts';
import type { Job } from './job/job.ts';
import { JobRegistry } from './job/registry.ts';
import { JobDesk } from './job-desk.ts';
import type { Logger } from './logger.ts';
import type { QueueProvider } from './provider/queue-provider.ts';
import { createRedactor } from './record/redaction.ts';
import type { InterceptorSources } from './register-interceptors.ts';
import type { StoreAccess } from './store/sql-store.ts';
import { WorkerPools } from './worker/worker-pools.ts';

/** Everything a Redrive is made of that the container, the config or the caller provides. */
export interface RedriveParts extends InterceptorSources {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly access: StoreAccess;
  readonly backends: Backends;
  /** The default connection stands in for every name a record may hold. */
  readonly standsIn: boolean;
  readonly makeJob: (jobClass: JobClass) => Job | Promise<Job>;
  /** Loaded when metrics are asked for: programs that do not ask never pay for them. */
  readonly makeMetrics: (source: MetricsSource) => Promise<Metrics>;
}

/** What a Redrive does its work with. */
export interface Works {
  readonly registry: JobRegistry;
  readonly bus: InterceptorBus;
  readonly connections: Connections;
  readonly dispatcher: Dispatcher;
  readonly desk: JobDesk;
  readonly pools: WorkerPools;
  readonly alerts: AlertWatch;
  readonly bulkRetries: BulkRetries;
  /** Undefined: off. */
  readonly cleanup: Cleanup | undefined;
  readonly failedJobs: FailedJobs;
  /** Begins to count what happens. */
  readonly count: () => Promise<Metrics>;
}

/** Puts the parts together. `ready` resolves when calls may be answered: the interceptors are registered by then. */
export function makeWorks(parts: RedriveParts, ready: () => Promise<void>): Works {
  const { config, clock, logger, access, backends, standsIn, build, makeJob, makeMetrics } = parts;
  const registry = new JobRegistry(config.jobs);
  const bus = new InterceptorBus({ clock, logger, patienceMs: config.interceptorTimeoutMs });
  const redactor = createRedactor(config.redact);
  const common = { config, registry, bus, clock, logger, redactor };
  const connections: Connections = new Connections({
    ...common,
    access,
    backends,
    standsIn,
    build,
    workHere: (provider, queue, by) => pools.workHere(provider, queue, by),
  });
  const log = (): ReturnType<Connections['failureLog']> => connections.failureLog();
  const provider = (name: string): Promise<QueueProvider> => connections.open(name);
  const desk = new JobDesk({ ...common, connections });
  const { release, interceptorTimeoutMs } = config;
  const worker = { makeJob, release, interceptorTimeoutMs, host: hostname(), pid: process.pid, failureLog: log };
  const pools = new WorkerPools({ ...common, ...worker, provider });
  const alerts = new AlertWatch(config.alerts, { clock, logger, bus, redactor, log });
  if (config.alerts.length > 0) bus.on('onJobFailed', alerts.onJobFailed);
  const failures: FailedJobsContext = {
    ...common,
    release,
    maxAttempts: (stored, connection) => desk.maxAttempts(stored, connection),
    rules: (job, connection) => desk.rules(job, connection),
    log: async () => {
      await ready();
      return log();
    },
    provider: (name) => connections.find(name),
    providers: () => connections.openAll(),
  };
  const bulkRetries = new BulkRetries(failures);
  const scheduled = config.failedJobs?.cleanup;
  const cleanup = scheduled === undefined ? undefined : new Cleanup(scheduled, failures);
  return {
    registry,
    bus,
    connections,
    dispatcher: new Dispatcher({ ...common, provider }),
    desk,
    pools,
    alerts,
    bulkRetries,
    cleanup,
    failedJobs: new FailedJobs(failures, bulkRetries),
    count: async () => {
      const metrics = await makeMetrics({
        ...metricsSource(config, registry),
        clock,
        redactor,
        depth: async (name) => {
          await ready();
          return depthOf(await provider(name));
        },
      });
      bus.register(metrics.interceptor);
      return metrics;
    },
  };
}

function metricsSource(
  { workerPools, connections }: ResolvedConfig,
  registry: JobRegistry,
): Pick<MetricsSource, 'jobNames' | 'queues' | 'connections'> {
  return { jobNames: registry.names(), queues: workerPools.flatMap(({ queues }) => queues), connections: [...connections.keys()] };
}

async function depthOf(provider: QueueProvider): ReturnType<MetricsSource['depth']> {
  return { queues: provider.capabilities.status ? await provider.stats() : [], untold: await provider.untold() };
}
