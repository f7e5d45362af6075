import type { FailureKind } from './types.ts';

/** Which failures of late: every key narrows. A job that failed twice counts once, at its last failure. */
export interface RecentFailures {
  /** Failed after; epoch ms. */
  readonly since: number;
  readonly queue?: string;
  readonly job?: string;
  readonly kind?: FailureKind;
  readonly fingerprints?: readonly string[];
}

/** A failure group, and how many of the failures asked for are of it. */
export interface RecentGroup {
  readonly fingerprint: string;
  readonly job: string;
  readonly type: string;
  /** Of the group's first failure. */
  readonly message: string;
  readonly count: number;
}

/** What alerts ask of the failed-jobs log. Each call costs a bounded amount of work, however many failures there are. */
export interface RecentFailureCounts {
  /** How many; counting stops at `atMost`. */
  count(which: RecentFailures, atMost: number): Promise<number>;
  /** The largest groups among the newest {@link judgedFailures} of them. */
  groups(which: RecentFailures, atMost: number): Promise<readonly RecentGroup[]>;
  /** Fingerprints whose very first failure was after `since`, the newest first, {@link judgedGroups} at most. */
  newFingerprints(since: number): Promise<readonly string[]>;
}

/** How many failures `groups` looks at. */
export const judgedFailures = 1_000;
/** How many groups `newFingerprints` looks at. */
export const judgedGroups = 200;
