import type { JsonObject } from '../job/json.ts';
import type { Script } from '../store/script.ts';
import type { AuditEntry, AuditNote } from './audit-log.ts';
import type { FailedJobFilter, Place } from './failure-log.ts';

export type BulkRetryState = 'running' | 'paused' | 'cancelled' | 'stopped' | 'done';

/** How a bulk retry goes about it, as it is stored. */
export interface BulkRetryPlan {
  /** No more than `jobs` in each `perMs`; undefined: as fast as it goes. */
  readonly rate?: { readonly jobs: number; readonly perMs: number };
  /** As many jobs have to succeed before the others are moved. */
  readonly canary?: number;
  /** It stops once as many jobs have failed again. */
  readonly stopAfter?: number;
  readonly delayMs: number;
  readonly queue?: string;
  readonly atFront: boolean;
  /** A JSON merge patch of their properties: real values. */
  readonly patch?: JsonObject;
  readonly note?: string;
}

/** What a bulk retry is made of. */
export interface NewBulkRetry {
  /** UUIDv7: one that was stored before, by a call whose reply was lost, is not stored again. */
  readonly token: string;
  readonly by: string;
  readonly filter: FailedJobFilter;
  readonly plan: BulkRetryPlan;
  /** The last failure that belongs to its set. */
  readonly through: number;
  /** Epoch ms. */
  readonly at: number;
  /** When the lease of the caller, who drives it, ends. */
  readonly drivenUntil: number;
}

export interface StoredBulkRetry extends Omit<NewBulkRetry, 'token' | 'at'> {
  /** Rises with every bulk retry. */
  readonly id: number;
  readonly state: BulkRetryState;
  /** Why it stopped by itself. */
  readonly reason: string | null;
  /** Where collecting its jobs goes on; null where they are all collected. */
  readonly collecting: Place | 'start' | null;
  /** Jobs in its set, as far as they are collected. */
  readonly matched: number;
  readonly fence: number;
  /** Nothing is moved before; epoch ms. */
  readonly nextAt: number;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

/** A failed job that belongs to a set. */
export interface BulkJobKey {
  /** Its place in the set: the `failure_seq` that it was chosen by. */
  readonly seq: number;
  /** Its number. */
  readonly failedJob: number;
  /** Null for what an old cbq wrote, until it is moved. */
  readonly jobId: string | null;
  /** The run that moving it opens. */
  readonly run: number;
}

/** How the jobs of a bulk retry stand. Told by rows, each written in the transaction of what it tells. */
export interface BulkTally {
  readonly pending: number;
  readonly moved: number;
  readonly skipped: number;
  /** Of those moved: what became of their run. The rest is under way. */
  readonly succeeded: number;
  readonly failedAgain: number;
  readonly cancelled: number;
}

/** The right to drive a bulk retry: whoever takes it raises the fence, and what was held under a lower one is held no more. */
export interface BulkLease {
  readonly id: number;
  readonly fence: number;
}

/** Prolongs a lease. Throws `LEASE_LOST` where somebody else drives by now, or where nobody may: it is paused, or at its end. */
export interface BulkHold extends BulkLease {
  /** When the lease ends, epoch ms. */
  readonly until: number;
  /** Nothing more is to be moved before, whoever drives. */
  readonly nextAt: number;
}

export interface BulkStep {
  readonly from: readonly BulkRetryState[];
  readonly to: BulkRetryState;
  readonly at: number;
  /** Only while nobody has taken it over from this driver. */
  readonly fence?: number;
  readonly reason?: string;
  /** Written in the same transaction. */
  readonly audit: AuditEntry;
}

export interface SkippedJob {
  readonly seq: number;
  readonly detail: string;
}

/** Keeps bulk retries and the jobs of their sets, where the failed jobs are. */
export interface BulkRetryLog {
  create(retry: NewBulkRetry): Promise<StoredBulkRetry>;
  find(id: number): Promise<StoredBulkRetry | undefined>;
  /** Newest first. */
  list(page: { readonly limit: number; readonly before?: number }): Promise<readonly StoredBulkRetry[]>;
  /** Ids of those that run and whose lease has ended. */
  undriven(now: number): Promise<readonly number[]>;
  /** Takes over one that runs and whose lease has ended: true for one caller. */
  take(id: number, times: { readonly now: number; readonly until: number }): Promise<StoredBulkRetry | undefined>;
  hold(hold: BulkHold): Promise<void>;
  /** Leaves it to whoever comes first. */
  letGo(lease: BulkLease): Promise<void>;
  /** Adds to the set; `next` is where it goes on, null at its end, which is written down as the start. */
  collect(hold: BulkHold, jobs: readonly BulkJobKey[], next: Place | null, audit: AuditNote): Promise<void>;
  /** Jobs that are neither moved nor skipped, in the order of their failures. */
  pending(id: number, page: { readonly after: number; readonly limit: number }): Promise<readonly BulkJobKey[]>;
  /** A job of cbq's has become this one of ours. */
  claimed(id: number, failedJob: { readonly seq: number; readonly jobId: string }): Promise<void>;
  skip(id: number, jobs: readonly SkippedJob[]): Promise<void>;
  /** Brings it from one state into another; false where it is in none of `from`. */
  step(id: number, step: BulkStep): Promise<boolean>;
  tally(id: number): Promise<BulkTally>;
  /** Removes the jobs of bulk retries that ended at or before, some at a time; their numbers stay. */
  compact(endedBy: number): Promise<void>;
}

/** What joins the transactions of the failed-jobs log. */
export interface BulkRetryScripts {
  hold(hold: BulkHold): Script<void>;
}
