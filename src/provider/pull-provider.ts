import type { RunStep } from '../record/failure-log.ts';
import type { FailureRecord } from '../record/types.ts';
import type { Heartbeat } from './heartbeat.ts';
import { QueueProvider, type PoolHandle, type StopWorker } from './queue-provider.ts';

/** What a session tells the world about its pool, for those who may have to clean up after it. */
export interface SessionInfo {
  readonly pool: string;
  readonly host: string;
  readonly pid: number;
  /** The attempt policies of the jobs this worker knows, so that a rescuer without their classes decides alike. */
  readonly policies: string;
}

/** A pool's presence in a backend. All its jobs are leased to it; renewing it renews them all. */
export interface Session {
  readonly id: number;
  readonly leaseMs: number;
  /** The last lease number given out, or on its way; rises with every reserve. */
  readonly lastSeq: number;
}

export interface Lease {
  readonly session: number;
  /** Rises within the session; jobs start in this order. */
  readonly seq: number;
}

/** A job handed to a pool. */
export interface ReservedJob {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly memento: string;
  readonly run: number;
  /** The attempt that this reservation is for: 1, 2, ... */
  readonly attempt: number;
  readonly createdAt: number;
  /** When the first attempt of this run was reserved. */
  readonly firstStartedAt: number;
  readonly reservedAt: number;
  readonly lease: Lease;
}

export interface ReserveRequest {
  /** In order of precedence; `'*'`: every queue. */
  readonly queues: readonly string[];
  readonly limit: number;
  /** How many of them are started by this very call; the rest is prefetched. */
  readonly startNow: number;
  /** Only some of these. Asked of a provider without a background, whose dispatches run their own jobs. */
  readonly only?: ReadonlySet<string>;
}

export interface Reservation {
  /** In lease order. */
  readonly jobs: readonly ReservedJob[];
  /** When the next waiting job becomes ready, where the call found fewer than it asked for. */
  readonly nextReadyAt?: number;
}

export type Transition =
  | { readonly to: 'completed'; readonly result: string | undefined }
  | { readonly to: 'retry'; readonly availableAt: number }
  | { readonly to: 'failed' }
  /** Back to its place in the queue, uncounted. */
  | { readonly to: 'returned' };

/** What becomes of one attempt, ready to be written. */
export interface Settlement {
  readonly job: ReservedJob;
  readonly transition: Transition;
  /** The attempt row; at terminal failure also the failed job. */
  readonly record?: FailureRecord;
}

export interface SettleBatch {
  readonly settlements: readonly Settlement[];
  /** Event ids of announcements that were delivered and may go. */
  readonly announced: readonly string[];
}

export interface SettleReceipt {
  /** Jobs of dead sessions that another rescuer settled first: theirs to tell. */
  readonly late: ReadonlySet<string>;
  /** Successes of retried jobs whose failed-jobs log lives elsewhere and is still to be told. */
  readonly resolved: readonly ResolvedRun[];
  /** Numbers of the failed jobs written in the same transaction, by job id; missing where the log is elsewhere or off. */
  readonly failedJobIds: ReadonlyMap<string, number>;
}

export interface ResolvedRun {
  readonly eventId: string;
  readonly jobId: string;
  readonly run: number;
  readonly at: number;
}

/** A started job of a dead session: its attempt is lost, and what follows is for `decide` to say. */
export interface LostJob {
  readonly job: ReservedJob;
  /** How many attempts of this run were lost before. */
  readonly losses: number;
  readonly evidence: {
    readonly pool: string;
    readonly host: string;
    readonly pid: number;
    readonly lastSeenAt: number;
    readonly deadAt: number;
    readonly policies: string;
  };
}

/** A recorded fact that was not told to everybody because its teller died, or had no worker. */
export type Announcement =
  | {
      readonly eventId: string;
      readonly kind: 'failed';
      readonly job: ReservedJob;
      readonly record: FailureRecord;
      readonly failedJobId: number | undefined;
    }
  | (RunStep & { readonly eventId: string; readonly kind: 'retrying' | 'resolved' });

/** Rows of a session that its pool holds; others of it are given back at renewal. */
export interface Held {
  readonly seqs: ReadonlySet<number>;
  /** Rows up to this one are held or nobody's; later ones may be in the hands of a reserve whose reply is on its way. */
  readonly through: number;
}

/** Somebody's wish to cancel a running job. */
export interface CancelRequest {
  readonly seq: number;
  readonly reason: string;
}

/** The pool's own loop, which a provider that is pulled from lends itself to. */
export interface PullPool extends PoolHandle {
  pull(provider: PullProvider): Promise<StopWorker>;
}

/**
 * A provider that jobs are pulled from. It only moves jobs between states, each move fenced by the session:
 * any call with a session that was declared dead throws `LEASE_LOST` and changes nothing.
 */
export abstract class PullProvider extends QueueProvider {
  /** How many jobs beyond its free slots a pool may hold. */
  abstract readonly prefetch: number;
  /** A pool looks for jobs this often at the latest. */
  abstract readonly pollIntervalMs: number;

  /** How soon a pool looks again after it found something, and no longer: for a provider that cannot wake it. Default: the interval itself. */
  get firstPollMs(): number {
    return this.pollIntervalMs;
  }

  override startWorker(pool: PullPool): Promise<StopWorker> {
    return pool.pull(this);
  }

  abstract openSession(info: SessionInfo): Promise<Session>;
  abstract reserve(session: Session, request: ReserveRequest): Promise<Reservation>;
  /** Makes the start of all jobs up to this lease durable; user code runs only after it. */
  abstract start(session: Session, throughSeq: number): Promise<void>;
  /** Writes outcomes, attempt rows, failed jobs and announcements in one transaction. A row that is ours no more while the session lives was settled before. */
  abstract settle(session: Session, batch: SettleBatch): Promise<SettleReceipt>;
  /** Prolongs the lease, gives back what the pool does not hold, and returns which of its running jobs somebody wants cancelled. */
  abstract renew(session: Session, held: Held): Promise<readonly CancelRequest[]>;
  /** Declares sessions dead whose lease ended, gives their unstarted jobs back uncounted, and returns some of the started ones. */
  abstract rescue(session: Session): Promise<readonly LostJob[]>;
  /**
   * Takes over announcements of dead sessions and of none, of jobs with these names; and returns those of this session
   * again that the pool is not telling: it took them over in a call whose reply was lost.
   */
  abstract adopt(session: Session, jobNames: readonly string[], telling: ReadonlySet<string>): Promise<readonly Announcement[]>;
  /** Housekeeping in small bites: removes completed jobs past their time. */
  abstract maintain(): Promise<void>;
  /** Ends a session that holds nothing. */
  abstract closeSession(session: Session): Promise<void>;

  /**
   * How a thread of its own prolongs sessions while a job's code blocks the event loop; undefined where none can reach the
   * backend, and then only the main thread does.
   */
  async heartbeat(): Promise<Heartbeat | undefined> {
    return undefined;
  }
}
