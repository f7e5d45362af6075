import type { BulkJobKey, BulkRetryPlan, BulkRetryState, BulkTally, StoredBulkRetry } from '../../src/record/bulk-retry-log.ts';
import type { FailedJobFilter, Place } from '../../src/record/failure-log.ts';

export interface BulkRetryRow {
  readonly id: number;
  readonly actor: string;
  readonly chosen_by: string;
  readonly options: string;
  readonly state: BulkRetryState;
  readonly reason: string | null;
  readonly through_seq: number;
  readonly collecting: string | null;
  readonly matched: number;
  readonly fence: number;
  readonly driven_until: number;
  readonly next_at: number;
  readonly created_at: number;
  readonly ended_at: number | null;
  /** The numbers of one whose jobs are removed. */
  readonly tally: string | null;
}

export function readBulkRetry(row: BulkRetryRow): StoredBulkRetry {
  return {
    id: row.id,
    by: row.actor,
    filter: readFilter(row.chosen_by),
    plan: JSON.parse(row.options) as BulkRetryPlan,
    state: row.state,
    reason: row.reason,
    through: row.through_seq,
    collecting: row.collecting === null ? null : (JSON.parse(row.collecting) as Place | 'start'),
    matched: row.matched,
    fence: row.fence,
    drivenUntil: row.driven_until,
    nextAt: row.next_at,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  };
}

function readFilter(text: string): FailedJobFilter {
  const { since, until, ...filter } = JSON.parse(text) as Omit<FailedJobFilter, 'since' | 'until'> & { since?: string; until?: string };
  return {
    ...filter,
    ...(since === undefined ? {} : { since: new Date(since) }),
    ...(until === undefined ? {} : { until: new Date(until) }),
  };
}

export interface BulkJobRow {
  readonly seq: number;
  readonly failed_job: number;
  readonly job_id: string | null;
  readonly run: number;
}

export function readBulkJob({ seq, failed_job: failedJob, job_id: jobId, run }: BulkJobRow): BulkJobKey {
  return { seq, failedJob, jobId, run };
}

export interface BulkCountRow {
  readonly state: 'pending' | 'moved' | 'skipped';
  readonly outcome: 'resolved' | 'failed' | 'cancelled' | null;
  readonly count: number;
}

/** What became of a job's run counts for the bulk retry that opened it, not for one that passed the job over. */
export function tallyOf(rows: readonly BulkCountRow[]): BulkTally {
  const sum = (counts: (row: BulkCountRow) => boolean): number => rows.filter(counts).reduce((total, { count }) => total + count, 0);
  const movedAnd = (outcome: BulkCountRow['outcome']): number => sum((row) => row.state === 'moved' && row.outcome === outcome);
  return {
    pending: sum(({ state }) => state === 'pending'),
    moved: sum(({ state }) => state === 'moved'),
    skipped: sum(({ state }) => state === 'skipped'),
    succeeded: movedAnd('resolved'),
    failedAgain: movedAnd('failed'),
    cancelled: movedAnd('cancelled'),
  };
}
