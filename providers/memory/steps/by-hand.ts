import type { CancelOutcome } from '../../../src/provider/queue-provider.ts';
import type { FailureRecord } from '../../../src/record/types.ts';
import type { MemoryJob } from '../jobs.ts';
import { keepFailure, type MemoryFailureLog } from '../memory-failure-log.ts';
import type { Memory } from '../memory.ts';

// What people do to jobs: cancel, fail, forget.

export interface CancelOptions {
  /** The failed-jobs log where it is in memory too. */
  readonly log: MemoryFailureLog | undefined;
  /** Whether there is a log at all. */
  readonly logIsOn: boolean;
  readonly now: number;
  /** The event id for a log elsewhere. */
  readonly eventId: string;
}

/** Ends a job that has not started, or leaves word for the worker of one that runs. */
export function cancel(memory: Memory, jobId: string, reason: string, options: CancelOptions): CancelOutcome {
  const { jobs } = memory;
  const { now } = options;
  const job = jobs.find(jobId);
  if (job === undefined) return 'not_found';
  if (isUnstarted(job)) {
    jobs.cancel(job, now);
    // A failed job that was put back and is wanted no more is dealt with.
    if (job.run > 1) resolveCancelled(memory, job, reason, options);
    return 'canceled';
  }
  if (job.state !== 'reserved') return 'ended';
  job.cancelReason = reason;
  return 'cancelling';
}

function resolveCancelled({ announcements }: Memory, { id: jobId, name, run }: MemoryJob, reason: string, options: CancelOptions): void {
  const { log, logIsOn, now: at, eventId } = options;
  const step = { note: reason, cancelled: true } as const;
  if (log !== undefined) log.resolvedNow({ jobId, run, at, ...step });
  else if (logIsOn) announcements.add({ eventId, kind: 'resolved', jobId, name, run, at, text: undefined, session: undefined, step });
}

/** Fails jobs that have not started, each with its record; any pool announces. */
export function failQueued(
  { jobs, attempts, announcements }: Memory,
  records: readonly FailureRecord[],
  { log, now }: { readonly log: MemoryFailureLog | undefined; readonly now: number },
): readonly string[] {
  // Before anything changes, all that could throw: there is no rollback here.
  const kept = records.map((record) => ({ record, failure: keepFailure(record) }));
  const moved: string[] = [];
  for (const { record, failure } of kept) {
    const { eventId, jobId, job: name, run, endedAt: at } = record;
    const job = jobs.find(jobId);
    if (job === undefined || job.run !== run || !isUnstarted(job)) continue;
    jobs.fail(job, now);
    attempts.add(record, failure.text);
    log?.appendNow(failure);
    announcements.add({ eventId, kind: 'failed', jobId, name, run, at, text: failure.text, session: undefined });
    moved.push(jobId);
  }
  return moved;
}

/**
 * Removes failed jobs with their attempts, here and in a log in memory. One that runs again by now stays, and one that somebody else
 * has just forgotten is left to them.
 */
export function forget(
  { jobs, attempts, announcements, graves }: Memory,
  jobIds: readonly string[],
  { log, now }: { readonly log: MemoryFailureLog | undefined; readonly now: number },
): readonly string[] {
  return jobIds.filter((jobId) => {
    const job = jobs.find(jobId);
    if (job !== undefined && (isUnstarted(job) || job.state === 'reserved')) return false;
    if (graves.has(jobId) || (log !== undefined && !log.forgetNow(jobId))) return false;
    if (job !== undefined) jobs.remove(job);
    attempts.forget(jobId);
    announcements.forget(jobId);
    if (log === undefined) graves.set(jobId, now);
    return true;
  });
}

function isUnstarted({ state }: MemoryJob): boolean {
  return state === 'ready' || state === 'waiting';
}
