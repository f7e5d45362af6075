import type { Json, JsonObject } from '../job/json.ts';
import type { FailedJobStatus } from '../record/failure-log.ts';
import type { DecisionRule, ExceptionSnapshot, FailureKind, WorkerIdentity } from '../record/types.ts';

/** A failed job as it is shown: redacted, times as `Date`. */
export interface FailedJob {
  /** The short number. */
  readonly id: number;
  /** Null for a row an old cbq wrote. */
  readonly jobId: string | null;
  readonly connection: string;
  readonly queue: string;
  /** The job's name. */
  readonly job: string;
  readonly properties: Json;
  readonly createdAt: Date | null;
  readonly kind: FailureKind;
  readonly type: string;
  readonly message: string;
  readonly detail: string | null;
  readonly extendedInfo: JsonObject | null;
  readonly stack: string;
  readonly exception: ExceptionSnapshot;
  readonly attempts: number;
  /** 0: no limit. */
  readonly maxAttempts: number;
  readonly run: number;
  readonly failedAt: Date;
  readonly status: FailedJobStatus;
  readonly fingerprint: string;
  readonly worker: WorkerIdentity | null;
  readonly release?: string;
  readonly note?: string;
  /** Every failed attempt of every run, oldest first; present on `find`. */
  readonly history?: readonly AttemptHistory[];
}

export interface AttemptHistory {
  readonly run: number;
  readonly attempt: number | null;
  readonly kind: FailureKind;
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  readonly startedAt: Date | null;
  readonly endedAt: Date;
  readonly worker: WorkerIdentity;
  readonly release?: string;
  readonly retryAt?: Date;
  /** Seconds between the end of the attempt and `retryAt`, as they were chosen. */
  readonly delay?: number;
  readonly rule: DecisionRule;
}

export interface ListOptions {
  /** 1 to 200; default 25. */
  readonly limit?: number;
  /** From an earlier answer to the same filter. */
  readonly cursor?: string;
  /** Default `newest`. */
  readonly order?: 'newest' | 'oldest';
}

export interface FailedJobList {
  readonly items: readonly FailedJob[];
  /** Where the next page begins; missing on the last one. */
  readonly cursor?: string;
  /** Not all was searched that could have filled the page; the cursor goes on from there. */
  readonly partial?: true;
}

export interface RetryOptions {
  readonly delay?: number | string;
  /** Default: the queue it came from. */
  readonly queue?: string;
  /** Ahead of what is ready. Default false. */
  readonly atFront?: boolean;
  /** Edits each job: a JSON merge patch (RFC 7396) on its real properties, in which null removes a key. The failed job keeps the original. */
  readonly properties?: object;
  /** Changes nothing, and says what would move. */
  readonly dryRun?: boolean;
  /** Who asks; default `api`. */
  readonly by?: string;
  readonly note?: string;
  /** Told now and then how many have their outcome. */
  readonly onProgress?: (looked: number) => void;
}

export type RetryStatus = 'requeued' | 'would_requeue' | 'not_failed' | 'not_found' | 'duplicate' | 'error';

export interface RetryOutcome {
  /** As it was asked for: a job id or a failed-job number; the job id where a filter was given. */
  readonly id: string | number;
  readonly status: RetryStatus;
  readonly detail?: string;
}

export interface RetryResult {
  readonly requeued: number;
  readonly outcomes: readonly RetryOutcome[];
}

export interface MarkFailedOutcome {
  readonly id: string;
  readonly status: 'failed' | 'running' | 'not_queued' | 'not_found';
}

export interface MarkFailedResult {
  /** Ids of the jobs that became failed jobs. */
  readonly moved: readonly string[];
  readonly outcomes: readonly MarkFailedOutcome[];
}

export interface ResolveOutcome {
  readonly id: string | number;
  readonly status: 'resolved' | 'not_failed' | 'not_found';
}

export interface ResolveResult {
  readonly resolved: number;
  readonly outcomes: readonly ResolveOutcome[];
}

export interface ForgetOutcome {
  readonly id: string | number;
  readonly status: 'removed' | 'retrying' | 'not_found';
}

export interface ForgetResult {
  readonly removed: number;
  readonly outcomes: readonly ForgetOutcome[];
}
