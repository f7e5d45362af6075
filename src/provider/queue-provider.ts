import type { Knex } from 'knex';
import type { Clock } from '../clock.ts';
import { RedriveError } from '../errors.ts';
import type { UniqueScope } from '../job/define.ts';
import type { Logger } from '../logger.ts';
import type { JobInfo, PoolInfo } from '../interceptor/points.ts';
import type { JobRegistry } from '../job/registry.ts';
import type { AuditNote } from '../record/audit-log.ts';
import type { BulkHold } from '../record/bulk-retry-log.ts';
import type { FailureLog } from '../record/failure-log.ts';
import type { AttemptRecord } from '../record/attempt-record.ts';
import type { FailureKind, FailureRecord } from '../record/types.ts';
import type { Capabilities } from './capabilities.ts';
import type { TableNames } from '../store/sql-dialect.ts';
import type { MigrationStep, StoreAccess, StoreAddress, StoreSource } from '../store/sql-store.ts';

/** A job on its way into a backend. */
export interface JobEnvelope {
  /** UUIDv7, the job's id for its whole life. */
  readonly id: string;
  readonly name: string;
  /** The job serialised; text to a provider. */
  readonly memento: string;
  readonly priority: number;
  /** Milliseconds before the job becomes ready; 0: at once. */
  readonly delayMs: number;
  /** While another job holds this key the push adds nothing, and returns that job's id. */
  readonly unique?: UniqueKey;
}

/** A key that one job at a time may hold. */
export interface UniqueKey {
  readonly key: string;
  readonly scope: UniqueScope;
}

/** A job as its backend keeps it. Times are epoch ms. */
export interface StoredJob {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly memento: string;
  readonly state: 'ready' | 'waiting' | 'reserved' | 'completed' | 'failed' | 'canceled';
  readonly priority: number;
  readonly run: number;
  /** Attempts spent in this run, the running one not counted. */
  readonly attempt: number;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** JSON, of a completed job. */
  readonly result: string | null;
}

/** One queue in numbers. */
export interface QueueStats {
  readonly queue: string;
  readonly ready: number;
  /** Waiting for their delay or their backoff. */
  readonly delayed: number;
  readonly reserved: number;
  readonly failed: number;
  /** Since the tables were made. */
  readonly completed: number;
  /** Seconds that the longest waiting ready job has been ready; null where none is. */
  readonly oldestReadyAge: number | null;
  /** There while the queue is paused: nothing of it is handed out. */
  readonly paused?: true;
}

/** A pool at work, in whatever process. Times are epoch ms. */
export interface WorkerPresence {
  readonly pool: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: number;
  /** When it was last heard of. */
  readonly renewedAt: number;
  readonly leaseEndsAt: number;
  /** Jobs in its hands. */
  readonly reserved: number;
}

export type CancelOutcome =
  /** It had not started, and never will. */
  | 'canceled'
  /** It runs, and its worker is told. */
  | 'cancelling'
  /** It has ended already. */
  | 'ended'
  | 'not_found';

export interface PushOptions {
  /** A Knex transaction of the user's: no commit, no job. */
  readonly transaction?: Knex.Transaction;
}

/** What a provider is handed before anything else. */
export interface ProviderContext {
  /** The connection's name. */
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: JobRegistry;
  /** Opens databases, one store for each, shared between all who name the same one. */
  readonly stores: StoreSource;
  /** What may be done to a store that is missing or unmigrated. */
  readonly access: StoreAccess;
  /** Undefined while the failed-jobs log is off. */
  readonly failureLog: () => Promise<FailureLog | undefined>;
  /**
   * Runs jobs of a queue in the caller's own time, as the pool that serves the queue would: for a provider without a
   * background, which must be one that jobs are pulled from. Resolves, when all have ended, with what the failed ones
   * threw. Rejects with `STOPPED` where Redrive stops first.
   */
  readonly workHere: (queue: string, jobIds: readonly string[]) => Promise<readonly unknown[]>;
}

export interface AttemptFailure {
  readonly id: string;
  readonly job: JobInfo;
  readonly pool: PoolInfo;
  readonly exception: unknown;
  readonly attempt: number;
  readonly willRetry: boolean;
  readonly retryAt: Date | null;
}

export interface TerminalFailure {
  readonly id: string;
  readonly job: JobInfo;
  readonly pool: PoolInfo;
  readonly exception: unknown;
  readonly kind: FailureKind;
}

/** Puts one failed job back as a new run of the same job. */
export interface RequeueRequest {
  readonly jobId: string;
  /** The run that failed; the new one is this plus one. A job that is in another run by now is left alone. */
  readonly run: number;
  readonly queue: string;
  readonly name: string;
  readonly delayMs: number;
  readonly priority: number;
  readonly unique?: UniqueKey;
  readonly atFront: boolean;
  /** The job as it failed: for a backend that kept nothing of it. */
  readonly memento: string;
  /** What the new run works on where it was edited; the failed job keeps the original. */
  readonly editedMemento?: string;
  readonly note?: string;
  /** The bulk retry that does it. */
  readonly bulkRetry?: number;
}

export interface RequeueOptions {
  /** Written with the move; only for a provider that keeps the audit. */
  readonly audit?: AuditNote;
  /** Of a bulk retry: the lease that the move needs, prolonged with it; only for a provider that keeps the audit. */
  readonly hold?: BulkHold;
  /** Nothing is moved; the outcomes are those of a call that would. */
  readonly dryRun?: boolean;
}

export type RequeueOutcome = 'requeued' | 'not_failed' | 'duplicate';

/** Whether anything is left on some queues. */
export interface Backlog {
  readonly ready: boolean;
  /** In the hands of some worker. */
  readonly reserved: boolean;
  /** Waiting for another attempt. */
  readonly retrying: boolean;
  /** Dispatched with a delay that has not passed. */
  readonly delayed: boolean;
}

/** What a pool shows to its provider. */
export interface PoolHandle {
  readonly name: string;
  readonly queues: readonly string[];
}

export type StopWorker = (options?: { timeoutMs?: number }) => Promise<void>;

/**
 * The code that stores and hands out jobs for one kind of backend. Takes no constructor arguments itself, so
 * that a subclass may inject its own services and call `super()`; everything else arrives through `init`.
 */
export abstract class QueueProvider {
  private given: ProviderContext | undefined;

  abstract readonly capabilities: Capabilities;

  /** Called once, before anything else. A subclass may make it async: it is waited for. */
  init(context: ProviderContext): void {
    this.given = context;
  }

  protected get context(): ProviderContext {
    if (this.given === undefined) throw new TypeError(`${this.constructor.name}: init() was not called`);
    return this.given;
  }

  /** The database that keeps the jobs, where one does: the failed-jobs log goes there unless told otherwise. */
  get storeAddress(): StoreAddress | undefined {
    return undefined;
  }

  /** Where in that database its tables are, and what their names begin with; what is left out is as usual. */
  get tableNames(): Partial<TableNames> {
    return {};
  }

  /** Whether tables are made and upgraded at start. Undefined: as is usual for that kind of database. */
  get autoMigrate(): boolean | undefined {
    return undefined;
  }

  /** The clock that the backend's times are told by. */
  get clock(): Clock {
    return this.context.clock;
  }

  /** Opens what the provider needs; called before first use, and more than once. */
  async connect(): Promise<void> {}
  /** Closes what `connect` opened. */
  async close(): Promise<void> {}
  /** The tables that the jobs need in `storeAddress`, in steps; run with those of all else in that database, all or none. */
  get migrations(): readonly MigrationStep[] {
    return [];
  }

  /** Creates or upgrades what `migrations` does not tell of; returns the names of the steps that ran. */
  async migrate(): Promise<readonly string[]> {
    return [];
  }

  /** Stores jobs, all or none, and returns their ids in order; for one whose unique key is held, the holder's. */
  abstract push(queue: string, jobs: readonly JobEnvelope[], options: PushOptions): Promise<readonly string[]>;
  /**
   * Called when jobs were stored or put back, and everybody was told of it. A provider without a background runs them
   * now, to their end, and resolves with what the failed ones threw.
   */
  async afterPush(_jobIds: readonly string[]): Promise<readonly unknown[]> {
    return [];
  }

  /** Begins to work a pool; the returned function resolves when its jobs are settled. */
  abstract startWorker(pool: PoolHandle): Promise<StopWorker>;

  // What follows a provider offers where its backend can; the defaults say that it cannot.

  /**
   * Whether this provider writes the audit notes it is given, in the transaction of what they tell: the failed-jobs log
   * and its audit are in the database of the jobs. Where it does not, it is given none.
   */
  async keepsAudit(): Promise<boolean> {
    return false;
  }
  /** Puts failed jobs back, each by compare-and-set: of two calls for the same run one gets `requeued`. Outcomes in order. */
  async requeue(_requests: readonly RequeueRequest[], _options?: RequeueOptions): Promise<readonly RequeueOutcome[]> {
    throw this.missing('put failed jobs back');
  }
  /** A job by its id; undefined where the backend does not know it. */
  async find(_jobId: string): Promise<StoredJob | undefined> {
    return undefined;
  }
  /** The job that holds a unique key; undefined where none does, or the backend does not tell. */
  async holder(_unique: UniqueKey): Promise<string | undefined> {
    return undefined;
  }
  /** The failed attempts of a job across all its runs, oldest first. */
  async attempts(_jobId: string): Promise<readonly AttemptRecord[]> {
    return [];
  }
  /** Whether anything is left on some queues that a pool would still work; paused ones do not count. */
  async backlog(_queues: readonly string[]): Promise<Backlog> {
    return { ready: false, reserved: false, retrying: false, delayed: false };
  }
  /** Ends a job that has not started; leaves word for the worker of one that runs. */
  async cancel(_jobId: string, _reason: string, _audit?: AuditNote): Promise<CancelOutcome> {
    throw this.missing('cancel jobs');
  }
  /** Nothing of the queue is handed out until it is resumed; what runs goes on. Returns false where it was paused already. */
  async pause(_queue: string, _by: string, _audit?: AuditNote): Promise<boolean> {
    throw this.missing('pause queues');
  }
  /** Returns false where the queue was not paused. */
  async resume(_queue: string, _audit?: AuditNote): Promise<boolean> {
    throw this.missing('resume queues');
  }
  /** The queues that are paused, by name. */
  async pausedQueues(): Promise<readonly string[]> {
    if (!this.capabilities.status) return [];
    return (await this.stats()).filter(({ paused }) => paused === true).map(({ queue }) => queue);
  }
  /** Every queue that holds or held jobs, or only the one named. */
  async stats(_queue?: string): Promise<readonly QueueStats[]> {
    throw this.missing('count its jobs');
  }
  /** The pools at work on this backend, in whatever process, as far as it knows of them. */
  async workers(): Promise<readonly WorkerPresence[]> {
    return [];
  }
  /** How many recorded facts nobody has told yet because their teller died, or had no worker. */
  async untold(): Promise<number> {
    return 0;
  }
  /** Fails jobs that have not started, each with its record, by compare-and-set; returns the ids that moved. */
  async failQueued(_records: readonly FailureRecord[], _audit?: AuditNote): Promise<readonly string[]> {
    throw this.missing('fail queued jobs');
  }
  /** True where the failed-jobs log lives with the jobs, so that `forget` removes from both. */
  async keepsFailedJobs(): Promise<boolean> {
    return false;
  }
  /**
   * Removes failed jobs with their attempts, unless they run again by now; returns the ids removed. Where `keepsFailedJobs`, their rows
   * in the failed-jobs log go with them, and only those that were there and not being retried count as removed. Where
   * not, their rows there go after this: for a while `requeue` answers `not_failed` for a job removed, to whoever looked at its row before,
   * and `forget` leaves it out, so that of two at once one has removed it.
   */
  async forget(_jobIds: readonly string[], _audit?: AuditNote): Promise<readonly string[]> {
    throw this.missing('forget jobs');
  }
  /**
   * Removes a little of what nothing refers to any more, and returns where to go on; undefined at the end. Called again and
   * again after failed jobs were pruned.
   */
  async tidy(_after?: string): Promise<string | undefined> {
    return undefined;
  }

  private missing(what: string): RedriveError {
    return new RedriveError('CAPABILITY_MISSING', `Connection "${this.context.name}": ${this.constructor.name} cannot ${what}`);
  }

  /** Calls `wake` when jobs may have become ready, with their queue where it is known; returns how to stop it. */
  onWake(_wake: (queue?: string) => void): () => void {
    return () => {};
  }

  /** True where a subclass wants to be told of each run; the ordinary provider is spared the call. */
  get watchesRuns(): boolean {
    const hooks = ['beforeJobRun', 'afterJobRun'] as const;
    return hooks.some((hook) => this[hook] !== QueueProvider.prototype[hook]);
  }

  // Template methods for a subclass. What they throw is logged and changes nothing.
  beforeJobRun(_job: JobInfo, _pool: PoolInfo): unknown {
    return undefined;
  }
  afterJobRun(_job: JobInfo, _pool: PoolInfo): unknown {
    return undefined;
  }
  /** After each failed attempt, once it is recorded. */
  afterJobException(_failure: AttemptFailure): unknown {
    return undefined;
  }
  /** Once a run, at terminal failure, once it is recorded. */
  afterJobFailed(_failure: TerminalFailure): unknown {
    return undefined;
  }
}
