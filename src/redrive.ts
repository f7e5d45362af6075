import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import type { Clock } from './clock.ts';
import { checkInterceptor } from './config/service-checks.ts';
import type { ResolvedConfig, ServiceRef } from './config/resolved.ts';
import { Connections, type Backends, type ConnectionsContext, type DatabasePlan } from './connections.ts';
import { Dispatcher, type DispatchOptions, type JobSpec } from './dispatch/dispatcher.ts';
import { PendingJob } from './dispatch/pending-job.ts';
import { JobDesk, type JobStatus, type StatusOptions } from './job-desk.ts';
import { durationMs, type Duration } from './duration.ts';
import { RedriveError } from './errors.ts';
import { checkBy, type AuditList, type AuditOptions } from './failure/audit.ts';
import { AlertWatch } from './failure/alerts/alert-watch.ts';
import { FailedJobs } from './failure/failed-jobs.ts';
import { InterceptorBus } from './interceptor/bus.ts';
import type { Metrics, MetricsSource } from './interceptor/metrics.ts';
import type { InterceptionPoint, Interceptor, Listener } from './interceptor/points.ts';
import type { JobArguments, JobClass, PropertiesOf } from './job/define.ts';
import type { Job } from './job/job.ts';
import { JobRegistry } from './job/registry.ts';
import type { Logger } from './logger.ts';
import type { CancelOutcome, QueueStats } from './provider/queue-provider.ts';
import { createRedactor } from './record/redaction.ts';
import type { MigrationReport, MigrationState, StoreAccess } from './store/sql-store.ts';
import { checkBeforeStart, firstLine, unresolvable } from './start-checks.ts';
import type { PoolHealth } from './worker/worker-pool.ts';
import { WorkerPools } from './worker/worker-pools.ts';
import type { WorkerContext } from './worker/worker-context.ts';

/** Everything a Redrive is made of that the container, the config or the caller provides. */
export interface RedriveParts {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly access: StoreAccess;
  readonly backends: Backends;
  /** The default connection stands in for every name a record may hold. */
  readonly standsIn: boolean;
  /** Builds or looks up something of the user's. */
  readonly build: <T>(ref: ServiceRef<T>) => Promise<T>;
  readonly makeJob: (jobClass: JobClass) => Job | Promise<Job>;
  /** Interceptors bound to `InterceptorToken`. */
  readonly boundInterceptors: () => Promise<readonly Interceptor[]>;
  readonly builtInInterceptors: () => Promise<readonly Interceptor[]>;
  /** Loaded when metrics are asked for: programs that do not ask never pay for them. */
  readonly makeMetrics: (source: MetricsSource) => Promise<Metrics>;
}

export interface ConnectionHealth {
  readonly ok: boolean;
  /** Failures recorded, but not yet told to everybody. */
  readonly untold: number;
  readonly error?: string;
}

export interface Health {
  readonly ok: boolean;
  readonly connections: Readonly<Record<string, ConnectionHealth>>;
  readonly pools: Readonly<Record<string, PoolHealth>>;
}

/** A stop waits no longer for alerts that are being raised. */
const lastLookMs = 5_000;

type State = 'new' | 'started' | 'stopped';

/** What a program holds: dispatches jobs, runs worker pools, looks after failed jobs. */
export class Redrive {
  /** The failed jobs. Every call throws `FAILED_JOBS_OFF` while `logFailedJobs` is off. */
  readonly failedJobs: FailedJobs;
  private readonly registry: JobRegistry;
  private readonly bus: InterceptorBus;
  private readonly connections: Connections;
  private readonly dispatcher: Dispatcher;
  private readonly desk: JobDesk;
  private state: State = 'new';
  private readonly pools: WorkerPools;
  private starting: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  private interceptors: Promise<void> | undefined;
  private counting: Promise<Metrics> | undefined;
  private readonly alerts: AlertWatch;

  constructor(private readonly parts: RedriveParts) {
    const { config, clock, logger, access, backends, standsIn, build } = parts;
    this.registry = new JobRegistry(config.jobs);
    this.bus = new InterceptorBus({ clock, logger, patienceMs: config.interceptorTimeoutMs });
    const workHere: ConnectionsContext['workHere'] = (provider, queue, by) => this.pools.workHere(provider, queue, by);
    this.connections = new Connections({ config, registry: this.registry, clock, logger, access, backends, standsIn, build, workHere });
    const provider = (name: string): ReturnType<Connections['open']> => this.connections.open(name);
    const redactor = createRedactor(config.redact);
    this.desk = new JobDesk({ config, clock, logger, redactor, bus: this.bus, registry: this.registry, connections: this.connections });
    this.pools = new WorkerPools({ ...this.workerContext(), config, provider });
    this.alerts = new AlertWatch(config.alerts, { clock, logger, bus: this.bus, redactor, log: () => this.connections.failureLog() });
    if (config.alerts.length > 0) this.bus.on('onJobFailed', this.alerts.onJobFailed);
    this.dispatcher = new Dispatcher({ config, clock, logger, bus: this.bus, registry: this.registry, redactor, provider });
    this.failedJobs = new FailedJobs({
      clock,
      bus: this.bus,
      redactor,
      registry: this.registry,
      logger,
      release: config.release,
      maxAttempts: (stored, connection) => this.desk.maxAttempts(stored, connection),
      log: async () => {
        await this.ready();
        return this.connections.failureLog();
      },
      provider: (name) => this.connections.find(name),
      providers: () => this.connections.openAll(),
    });
  }

  /** Stores a job and returns its id, a UUIDv7. Nothing is stored when anything of it is wrong. By name: also for a job whose class this process lacks. */
  dispatch<J extends JobClass>(job: J, properties: PropertiesOf<J>, options?: DispatchOptions): Promise<string>;
  // The last one is what the compiler's errors are about.
  dispatch<J extends JobClass | string>(job: J, ...given: JobArguments<J, [options?: DispatchOptions]>): Promise<string>;
  async dispatch(job: JobClass | string, properties?: object, options?: DispatchOptions): Promise<string> {
    await this.ready();
    return this.dispatcher.dispatch({
      job,
      ...(properties === undefined ? {} : { properties }),
      ...(options === undefined ? {} : { options }),
    });
  }

  /** Stores many jobs, checked before the first is stored, in one transaction for each queue and chunk; ids in order. */
  async dispatchMany(specs: readonly JobSpec[]): Promise<readonly string[]> {
    await this.ready();
    return this.dispatcher.dispatchMany(specs);
  }

  /** A job to be put together step by step: `redrive.job(Class, properties).onQueue('high').delay('5m').dispatch()`. */
  job<J extends JobClass>(job: J, properties: PropertiesOf<J>): PendingJob;
  job<J extends JobClass | string>(job: J, ...given: JobArguments<J>): PendingJob;
  job(job: JobClass | string, properties: object = {}): PendingJob {
    const send = async (spec: JobSpec): Promise<string> => {
      await this.ready();
      return this.dispatcher.dispatch(spec);
    };
    return new PendingJob(send, job, properties);
  }

  /** What became of a job; undefined where nobody knows it, or no more. */
  async status(id: string, options: StatusOptions = {}): Promise<JobStatus | undefined> {
    await this.ready();
    return this.desk.status(id, options);
  }

  /**
   * Ends a queued job: status `canceled`, no failed job. A running one is told to stop and ends as a failed job of kind
   * `cancelled`: at once in this process, at the next renewal of its lease in another.
   */
  async cancel(id: string, reason = 'Cancelled', options: { readonly by?: string } = {}): Promise<CancelOutcome> {
    await this.ready();
    const outcome = await this.desk.cancel(id, reason, checkBy(options.by));
    if (outcome === 'cancelling') this.pools.cancel(id, reason);
    return outcome;
  }

  /** Hands out nothing of a queue until it is resumed, in any process; what runs goes on. False where it was paused already. */
  async pause(queue: string, options: { readonly by?: string } = {}): Promise<boolean> {
    await this.ready();
    return this.desk.pause(queue, checkBy(options.by));
  }

  /** False where the queue was not paused. */
  async resume(queue: string, options: { readonly by?: string } = {}): Promise<boolean> {
    await this.ready();
    return this.desk.resume(queue, checkBy(options.by));
  }

  /** Who did what to jobs and queues, when, to how many; newest first. It is kept with the failed jobs: throws `FAILED_JOBS_OFF` without them. */
  audit(options: AuditOptions = {}): Promise<AuditList> {
    return this.failedJobs.audit(options);
  }

  /** Every queue in numbers, or the one named. */
  stats(): Promise<readonly QueueStats[]>;
  stats(queue: string): Promise<QueueStats>;
  async stats(queue?: string): Promise<readonly QueueStats[] | QueueStats> {
    await this.ready();
    const all = await this.desk.stats(queue);
    if (queue === undefined) return all;
    return all[0] ?? { queue, ready: 0, delayed: 0, reserved: 0, failed: 0, completed: 0, oldestReadyAge: null };
  }

  /** How this process's connections and pools fare. Never throws: what is wrong stands in the answer. */
  async health(): Promise<Health> {
    const connections: Record<string, ConnectionHealth> = {};
    for (const name of this.parts.config.connections.keys()) {
      connections[name] = await this.connections
        .open(name)
        .then(async (provider) => ({ ok: true, untold: await provider.untold() }))
        .catch((error: unknown) => ({ ok: false, untold: 0, error: error instanceof Error ? error.message : String(error) }));
    }
    const pools = this.pools.health();
    const ok = Object.values(connections).every((one) => one.ok) && Object.values(pools).every((one) => one.ok);
    return { ok, connections, pools };
  }

  /**
   * The metrics of this Redrive as a registry of prom-client, which is not the process's default one; merge it into yours with
   * `Registry.merge`. Attempts and failures are counted from the first call on: make it before `start`. Depths of queues are read
   * when the registry is asked for its numbers.
   */
  async metrics(): Promise<Registry> {
    return (await (this.counting ??= this.count())).registry;
  }

  /** The metrics as Prometheus's text format has them. */
  async metricsText(): Promise<string> {
    return (await this.metrics()).metrics();
  }

  /** Calls `listener` at an interception point; returns a function that ends that. */
  on<P extends InterceptionPoint>(point: P, listener: Listener<P>): () => void {
    return this.bus.on(point, listener);
  }

  /**
   * Creates or upgrades the tables of every connection and of the failed-jobs log; of each database all or none.
   * `rollback` undoes every step instead: the tables go, with all that is in them.
   */
  async migrate(options: { readonly rollback?: boolean } = {}): Promise<MigrationReport> {
    await this.ready();
    if (options.rollback !== true) return { applied: await this.connections.migrate(), pending: [] };
    const rolledBack = await this.connections.rollback();
    return { applied: [], pending: rolledBack.toReversed(), rolledBack };
  }

  /** Which steps have run, and which are still to run. */
  async migrations(): Promise<MigrationState> {
    await this.ready();
    return this.connections.migrations();
  }

  /** What `migrate` would execute in each database, and what would be lost. Nothing is changed. */
  async migrationPlan(options: { readonly rollback?: boolean } = {}): Promise<readonly DatabasePlan[]> {
    return this.connections.migrationPlan({ rollback: options.rollback === true });
  }

  /**
   * Connects, migrates where `autoMigrate` says so, and starts the worker pools (or only those named) unless
   * `registerWorkers` is false. Throws every fault of the container at once, before anything runs. Idempotent.
   */
  async start(options: { readonly pools?: readonly string[] } = {}): Promise<void> {
    if (this.state === 'stopped') throw stopped();
    await (this.starting ??= this.startAll(options.pools).catch((error: unknown) => {
      this.starting = undefined;
      throw error;
    }));
  }

  /** Works at most one job and resolves with whether there was one. Not to be mixed with `start`. */
  async workOnce(options: { readonly pools?: readonly string[] } = {}): Promise<boolean> {
    await this.prepare();
    return this.pools.workOnce(options.pools);
  }

  /**
   * Resolves with true when no job is ready, running or waiting for a retry on the queues of this process's pools;
   * with false when `timeout` passed first. Jobs dispatched with a delay count only with `includeDelayed`.
   */
  async idle(options: { readonly timeout?: Duration; readonly includeDelayed?: boolean } = {}): Promise<boolean> {
    const { clock } = this.parts;
    const until = options.timeout === undefined ? Number.POSITIVE_INFINITY : clock.now() + durationMs(options.timeout, 'timeout');
    while (!(await this.pools.isIdle(options.includeDelayed ?? false))) {
      if (clock.now() >= until || this.state === 'stopped') return false;
      await this.pools.somethingChanged();
    }
    return true;
  }

  /**
   * Takes no new job, gives running ones `timeout` (default: each pool's `shutdownTimeout`) to finish, then aborts
   * their signals; what ends on that goes back uncounted. Closes what was opened. Idempotent.
   */
  stop(options: { readonly timeout?: Duration } = {}): Promise<void> {
    const timeout = options.timeout === undefined ? {} : { timeoutMs: durationMs(options.timeout, 'timeout') };
    return (this.stopping ??= this.stopAll(timeout));
  }

  private async startAll(names: readonly string[] | undefined): Promise<void> {
    const { config, logger } = this.parts;
    await this.prepare();
    await this.connections.openAll();
    if (config.failedJobs === undefined)
      logger.warn(
        {},
        'The failed-jobs log is off: failed jobs stay in the jobs table, and failedJobs.* throws; set logFailedJobs: true to turn it on',
      );
    else await this.connections.failureLog();
    if (!config.registerWorkers) return;
    await this.pools.start(names);
    this.alerts.start();
    this.state = 'started';
  }

  private async stopAll(options: { timeoutMs?: number }): Promise<void> {
    await this.starting?.catch(() => undefined);
    this.state = 'stopped';
    const { lingering } = await this.pools.stop(options);
    await this.alerts.stop(lastLookMs);
    // A handler that ignores its signal may still end, and its outcome counts while its lease lasts: the store stays open for it.
    if (lingering === undefined) await this.connections.close();
    else void lingering.then(() => this.connections.close());
  }

  private async prepare(): Promise<void> {
    await this.ready();
    const { config, makeJob } = this.parts;
    await checkBeforeStart({ config, makeJob, connections: this.connections, registry: this.registry });
  }

  /** Before the first event: the interceptors are built and registered. */
  private async ready(): Promise<void> {
    if (this.state === 'stopped') throw stopped();
    await (this.interceptors ??= this.registerInterceptors().catch((error: unknown) => {
      this.interceptors = undefined;
      throw error;
    }));
  }

  private async registerInterceptors(): Promise<void> {
    const { config, build, boundInterceptors, builtInInterceptors } = this.parts;
    const faults: string[] = [];
    const built: Interceptor[] = [...(await builtInInterceptors())];
    for (const [index, ref] of config.interceptors.entries()) {
      try {
        const interceptor = await build(ref);
        for (const { text } of checkInterceptor(interceptor)) faults.push(`interceptors[${index}]: ${text}`);
        built.push(interceptor);
      } catch (error) {
        faults.push(`interceptors[${index}]: ${firstLine(error)}`);
      }
    }
    for (const interceptor of await boundInterceptors()) {
      for (const { text } of checkInterceptor(interceptor)) faults.push(`an interceptor bound to InterceptorToken: ${text}`);
      built.push(interceptor);
    }
    if (faults.length > 0) throw unresolvable(faults);
    for (const interceptor of built) this.bus.register(interceptor);
  }

  private async count(): Promise<Metrics> {
    const { config, clock, makeMetrics } = this.parts;
    const metrics = await makeMetrics({
      clock,
      redactor: createRedactor(config.redact),
      jobNames: this.registry.names(),
      queues: config.workerPools.flatMap(({ queues }) => queues),
      connections: [...config.connections.keys()],
      depth: async (connection) => {
        await this.ready();
        const provider = await this.connections.open(connection);
        return { queues: provider.capabilities.status ? await provider.stats() : [], untold: await provider.untold() };
      },
    });
    this.bus.register(metrics.interceptor);
    return metrics;
  }

  private workerContext(): Omit<WorkerContext, 'heart'> {
    const { config, clock, logger, makeJob } = this.parts;
    return {
      registry: this.registry,
      makeJob,
      bus: this.bus,
      clock,
      logger,
      redactor: createRedactor(config.redact),
      release: config.release,
      interceptorTimeoutMs: config.interceptorTimeoutMs,
      host: hostname(),
      pid: process.pid,
      failureLog: () => this.connections.failureLog(),
    };
  }
}

function stopped(): RedriveError {
  return new RedriveError('STOPPED', 'This Redrive was stopped; make a new one to go on');
}
