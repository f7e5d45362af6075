import type { WorkerIdentity } from '../record/types.ts';

/** What was found; `partial` where a second was not enough for all failed jobs, so that only the newest are in it. */
export type Figures<T> = readonly T[] & { readonly partial?: true };

/** All failures that share a fingerprint: one cause, as far as can be told. */
export interface FailureGroup {
  readonly fingerprint: string;
  /** The job's name. */
  readonly job: string;
  /** The exception's type. */
  readonly type: string;
  /** Of the newest failure. */
  readonly message: string;
  readonly count: number;
  readonly firstFailedAt: Date;
  readonly lastFailedAt: Date;
  /** Failures in each of 24 hours, UTC, oldest first; the last is the current hour, or the one that holds the filter's `until`. */
  readonly trend: readonly number[];
  /** The number of the newest failed job. */
  readonly sampleId: number;
  /** Of the first failure and the newest ones, in the order in which they appeared. */
  readonly releases: readonly string[];
  /** Of the same, newest first. */
  readonly workers: readonly WorkerIdentity[];
}

export interface GroupsOptions {
  /** The largest so many, 1 to 1,000; default 100. */
  readonly limit?: number;
}

export interface TypeCount {
  readonly type: string;
  readonly count: number;
}

export interface QueueCount {
  readonly connection: string;
  readonly queue: string;
  readonly count: number;
}

export interface HourCount {
  /** Its beginning: a whole hour, UTC. */
  readonly hour: Date;
  readonly count: number;
}

export interface QueueSummary {
  readonly connection: string;
  readonly queue: string;
  readonly total: number;
  readonly first: Date;
  readonly last: Date;
  /** Failures on each of seven days, UTC, oldest first; the last is today, or the day that holds the filter's `until`. */
  readonly days: readonly number[];
}
