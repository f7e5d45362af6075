import type { Registry } from 'prom-client';
import { checkOptions, checkQueueName, type OptionKinds } from './config/call-options.ts';
import type { DatabasePlan, MigrationProgress } from './database-schemas.ts';
import type { DispatchOptions, JobSpec } from './dispatch/dispatcher.ts';
import { PendingJob } from './dispatch/pending-job.ts';
import { durationMs, type Duration } from './duration.ts';
import { RedriveError } from './errors.ts';
import { checkBy, type AuditList, type AuditOptions } from './failure/audit.ts';
import type { FailedJobs } from './failure/failed-jobs.ts';
import { checkJobId } from './failure/ids.ts';
import { healthOf, type Health } from './health.ts';
import type { Metrics } from './interceptor/metrics.ts';
import type { InterceptionPoint, Listener } from './interceptor/points.ts';
import type { JobArguments, JobClass, PropertiesOf } from './job/define.ts';
import type { JobStatus, StatusOptions, Worker } from './job-desk.ts';
import type { CancelOutcome, QueueStats } from './provider/queue-provider.ts';
import { registerInterceptors } from './register-interceptors.ts';
import { checkBeforeStart } from './start-checks.ts';
import type { MigrationReport, MigrationState } from './store/sql-store.ts';
import { makeWorks, type RedriveParts, type Works } from './works.ts';

export type { RedriveParts } from './works.ts';

/** A stop waits no longer for alerts that are being raised. */
const lastLookMs = 5_000;

type State = 'new' | 'started' | 'stopped';

const byOption = { by: undefined };
const poolsOption: OptionKinds = { pools: 'list' };

/** What a program holds: dispatches jobs, runs worker pools, looks after failed jobs. */
export class Redrive {
  /** The failed jobs. Every call throws `FAILED_JOBS_OFF` while `logFailedJobs` is off. */
  readonly failedJobs: FailedJobs;
  private readonly works: Works;
  private state: State = 'new';
  private starting: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;
  private interceptors: Promise<void> | undefined;
  private counting: Promise<Metrics> | undefined;

  constructor(private readonly parts: RedriveParts) {
    this.works = makeWorks(parts, () => this.ready());
    this.failedJobs = this.works.failedJobs;
  }

  /** Stores a job and returns its id, a UUIDv7. Nothing is stored when anything of it is wrong. By name: also for a job whose class this process lacks. */
  dispatch<J extends JobClass>(job: J, properties: PropertiesOf<J>, options?: DispatchOptions): Promise<string>;
  // The last one is what the compiler's errors are about.
  dispatch<J extends JobClass | string>(job: J, ...given: JobArguments<J, [options?: DispatchOptions]>): Promise<string>;
  async dispatch(job: JobClass | string, properties?: object, options?: DispatchOptions): Promise<string> {
    await this.ready();
    return this.works.dispatcher.dispatch({
      job,
      ...(properties === undefined ? {} : { properties }),
      ...(options === undefined ? {} : { options }),
    });
  }

  /** Stores many jobs, checked before the first is stored, in one transaction for each queue and chunk; ids in order. */
  async dispatchMany(specs: readonly JobSpec[]): Promise<readonly string[]> {
    await this.ready();
    return this.works.dispatcher.dispatchMany(specs);
  }

  /** A job to be put together step by step: `redrive.job(Class, properties).onQueue('high').delay('5m').dispatch()`. */
  job<J extends JobClass>(job: J, properties: PropertiesOf<J>): PendingJob;
  job<J extends JobClass | string>(job: J, ...given: JobArguments<J>): PendingJob;
  job(job: JobClass | string, properties: object = {}): PendingJob {
    const send = async (spec: JobSpec): Promise<string> => {
      await this.ready();
      return this.works.dispatcher.dispatch(spec);
    };
    return new PendingJob(send, job, properties);
  }

  /** What became of a job; undefined where nobody knows it, or no more. */
  async status(id: string, options: StatusOptions = {}): Promise<JobStatus | undefined> {
    checkOptions('status', options, { withProperties: 'boolean' });
    checkJobId(id);
    await this.ready();
    return this.works.desk.status(id, options);
  }

  /**
   * Ends a queued job: status `canceled`, no failed job. A running one is told to stop and ends as a failed job of kind
   * `cancelled`: at once in this process, at the next renewal of its lease in another.
   */
  async cancel(id: string, reason = 'Cancelled', options: { readonly by?: string } = {}): Promise<CancelOutcome> {
    checkOptions('cancel', options, byOption);
    checkJobId(id);
    await this.ready();
    const outcome = await this.works.desk.cancel(id, reason, checkBy(options.by));
    if (outcome === 'cancelling') this.works.pools.cancel(id, reason);
    return outcome;
  }

  /** Hands out nothing of a queue until it is resumed, in any process; what runs goes on. False where it was paused already. */
  async pause(queue: string, options: { readonly by?: string } = {}): Promise<boolean> {
    checkOptions('pause', options, byOption);
    checkQueueName(queue);
    await this.ready();
    return this.works.desk.pause(queue, checkBy(options.by));
  }

  /** False where the queue was not paused. */
  async resume(queue: string, options: { readonly by?: string } = {}): Promise<boolean> {
    checkOptions('resume', options, byOption);
    checkQueueName(queue);
    await this.ready();
    return this.works.desk.resume(queue, checkBy(options.by));
  }

  /** Who did what to jobs and queues, when, to how many; newest first. It is kept with the failed jobs: throws `FAILED_JOBS_OFF` without them. */
  audit(options: AuditOptions = {}): Promise<AuditList> {
    return this.failedJobs.audit(options);
  }

  /** Every queue in numbers, or the one named. */
  stats(): Promise<readonly QueueStats[]>;
  stats(queue: string): Promise<QueueStats>;
  async stats(queue?: string): Promise<readonly QueueStats[] | QueueStats> {
    if (queue !== undefined) checkQueueName(queue);
    await this.ready();
    const all = await this.works.desk.stats(queue);
    if (queue === undefined) return all;
    return all[0] ?? { queue, ready: 0, delayed: 0, reserved: 0, failed: 0, completed: 0, oldestReadyAge: null };
  }

  /** The pools at work on every connection, in whatever process; of a backend that tells of them. */
  async workers(): Promise<readonly Worker[]> {
    await this.ready();
    return this.works.desk.workers();
  }

  /** How this process's connections and pools fare. Never throws: what is wrong stands in the answer. */
  async health(): Promise<Health> {
    return healthOf(this.parts.config.connections.keys(), this.works.connections, this.works.pools);
  }

  /**
   * The metrics of this Redrive as a registry of prom-client, which is not the process's default one; merge it into yours with
   * `Registry.merge`. Attempts and failures are counted from the first call on: make it before `start`. Depths of queues are read
   * when the registry is asked for its numbers.
   */
  async metrics(): Promise<Registry> {
    return (await (this.counting ??= this.works.count())).registry;
  }

  /** The metrics as Prometheus's text format has them. */
  async metricsText(): Promise<string> {
    return (await this.metrics()).metrics();
  }

  /** Calls `listener` at an interception point; returns a function that ends that. */
  on<P extends InterceptionPoint>(point: P, listener: Listener<P>): () => void {
    return this.works.bus.on(point, listener);
  }

  /**
   * Creates or upgrades the tables of every connection and of the failed-jobs log; of each database all or none.
   * `rollback` undoes every step instead: the tables go, with all that is in them. `onProgress` is told which step runs, and then how
   * many rows of an old cbq are done.
   */
  async migrate(options: { readonly rollback?: boolean; readonly onProgress?: MigrationProgress } = {}): Promise<MigrationReport> {
    checkOptions('migrate', options, { rollback: 'boolean', onProgress: 'function' });
    await this.ready();
    if (options.rollback !== true) return { applied: await this.works.connections.schemas.migrate(options.onProgress), pending: [] };
    const rolledBack = await this.works.connections.schemas.rollback();
    return { applied: [], pending: rolledBack.toReversed(), rolledBack };
  }

  /** Which steps have run, and which are still to run. */
  async migrations(): Promise<MigrationState> {
    await this.ready();
    return this.works.connections.schemas.migrations();
  }

  /** What `migrate` would execute in each database, and what would be lost. Nothing is changed. */
  async migrationPlan(options: { readonly rollback?: boolean } = {}): Promise<readonly DatabasePlan[]> {
    checkOptions('migrationPlan', options, { rollback: 'boolean' });
    return this.works.connections.schemas.plan({ rollback: options.rollback === true });
  }

  /**
   * Connects, migrates where `autoMigrate` says so, and starts the worker pools (or only those named) unless
   * `registerWorkers` is false. Throws every fault of the container at once, before anything runs. Idempotent.
   */
  async start(options: { readonly pools?: readonly string[] } = {}): Promise<void> {
    checkOptions('start', options, poolsOption);
    if (this.state === 'stopped') throw stopped();
    await (this.starting ??= this.startAll(options.pools).catch((error: unknown) => {
      this.starting = undefined;
      throw error;
    }));
  }

  /** Works at most one job and resolves with whether there was one. Not to be mixed with `start`. */
  async workOnce(options: { readonly pools?: readonly string[] } = {}): Promise<boolean> {
    checkOptions('workOnce', options, poolsOption);
    await this.prepare();
    return this.works.pools.workOnce(options.pools);
  }

  /**
   * Resolves with true when no job is ready, running or waiting for a retry on the queues of this process's pools;
   * with false when `timeout` passed first. Jobs dispatched with a delay count only with `includeDelayed`.
   */
  async idle(options: { readonly timeout?: Duration; readonly includeDelayed?: boolean } = {}): Promise<boolean> {
    checkOptions('idle', options, { timeout: undefined, includeDelayed: 'boolean' });
    const { clock } = this.parts;
    const until = options.timeout === undefined ? Number.POSITIVE_INFINITY : clock.now() + durationMs(options.timeout, 'timeout');
    while (!(await this.works.pools.isIdle(options.includeDelayed ?? false))) {
      if (clock.now() >= until || this.state === 'stopped') return false;
      await this.works.pools.somethingChanged();
    }
    return true;
  }

  /**
   * Takes no new job, gives running ones `timeout` (default: each pool's `shutdownTimeout`) to finish, then aborts
   * their signals; what ends on that goes back uncounted. Closes what was opened. Idempotent.
   */
  async stop(options: { readonly timeout?: Duration } = {}): Promise<void> {
    checkOptions('stop', options, { timeout: undefined });
    const timeout = options.timeout === undefined ? {} : { timeoutMs: durationMs(options.timeout, 'timeout') };
    await (this.stopping ??= this.stopAll(timeout));
  }

  private async startAll(names: readonly string[] | undefined): Promise<void> {
    const { config, logger } = this.parts;
    await this.prepare();
    await this.works.connections.openAll();
    if (config.failedJobs === undefined)
      logger.warn(
        {},
        'The failed-jobs log is off: failed jobs stay in the jobs table, and failedJobs.* throws; set logFailedJobs: true to turn it on',
      );
    else await this.works.connections.failureLog();
    if (!config.registerWorkers) return;
    await this.works.pools.start(names);
    this.works.alerts.start();
    if (config.failedJobs !== undefined) this.works.bulkRetries.watch();
    this.works.cleanup?.start();
    this.state = 'started';
  }

  private async stopAll(options: { timeoutMs?: number }): Promise<void> {
    await this.starting?.catch(() => undefined);
    this.state = 'stopped';
    await this.works.bulkRetries.stop();
    const { lingering } = await this.works.pools.stop(options);
    await this.works.alerts.stop(lastLookMs);
    await this.works.cleanup?.stop();
    // A handler that ignores its signal may still end, and its outcome counts while its lease lasts: the store stays open for it.
    if (lingering === undefined) await this.works.connections.close();
    else void lingering.then(() => this.works.connections.close());
  }

  private async prepare(): Promise<void> {
    await this.ready();
    const { config, makeJob } = this.parts;
    await checkBeforeStart({ config, makeJob, connections: this.works.connections, registry: this.works.registry });
  }

  /** Before the first event: the interceptors are built and registered. */
  private async ready(): Promise<void> {
    if (this.state === 'stopped') throw stopped();
    await (this.interceptors ??= registerInterceptors(this.parts, this.works.bus).catch((error: unknown) => {
      this.interceptors = undefined;
      throw error;
    }));
  }
}

function stopped(): RedriveError {
  return new RedriveError('STOPPED', 'This Redrive was stopped; make a new one to go on');
}
