import type { CancelOutcome } from '../../../src/provider/queue-provider.ts';
import type { FailureLogScripts } from '../../../src/record/failure-log.ts';
import type { FailureRecord } from '../../../src/record/types.ts';
import { all, change, first, type Script } from '../../../src/store/script.ts';
import { nameless, type Tables } from '../tables.ts';
import { announce } from './announcements.ts';
import { insertAttempt } from './attempts.ts';
import { keyOfFailed } from './settle.ts';

// What people do to jobs: cancel, fail, and to queues: pause, resume.

const unstarted = `status IN ('ready', 'waiting')`;

export interface CancelOptions {
  /** The failed-jobs log's scripts where it lives in this database. */
  readonly log: FailureLogScripts | undefined;
  /** Whether there is a log at all. */
  readonly logIsOn: boolean;
  readonly now: number;
  /** The event id for a log elsewhere. */
  readonly eventId: string;
}

/** Ends a job that has not started, or leaves word for the worker of one that runs. */
export function* cancel(tables: Tables, jobId: string, reason: string, options: CancelOptions): Script<CancelOutcome> {
  const { now } = options;
  const sql = `SELECT status, run, mapping FROM ${tables.jobsVia.uuid} WHERE uuid = ?${tables.sql.forUpdate}`;
  const job = yield* first<{ status: string; run: number; mapping: string }>(sql, [jobId]);
  if (job === undefined || job.mapping === nameless) return 'not_found';
  switch (job.status) {
    case 'ready':
    case 'waiting':
      yield* change(`UPDATE ${tables.jobsVia.uuid} SET status = 'canceled', ended_at = ?, unique_key = NULL WHERE uuid = ?`, [now, jobId]);
      // A failed job that was put back and is wanted no more is dealt with.
      if (job.run > 1) yield* resolveCancelled(tables, { jobId, run: job.run, name: job.mapping, reason }, options);
      return 'canceled';
    case 'reserved':
      yield* change(`UPDATE ${tables.jobsVia.uuid} SET cancel_reason = ? WHERE uuid = ?`, [reason, jobId]);
      return 'cancelling';
    default:
      return 'ended';
  }
}

function* resolveCancelled(
  tables: Tables,
  { jobId, run, name, reason }: { readonly jobId: string; readonly run: number; readonly name: string; readonly reason: string },
  { log, logIsOn, now: at, eventId }: CancelOptions,
): Script<void> {
  const step = { note: reason, cancelled: true } as const;
  if (log !== undefined) yield* log.resolved([{ jobId, run, at, ...step }]);
  else if (logIsOn) yield* announce(tables, { eventId, kind: 'resolved', jobId, name, run, session: null, at, step });
}

/** Fails jobs that have not started. Record, failed job, announcement and state in one transaction; any pool announces. */
export function* failQueued(
  tables: Tables,
  records: readonly FailureRecord[],
  options: { log: FailureLogScripts | undefined; now: number },
): Script<readonly string[]> {
  const moved: FailureRecord[] = [];
  for (const record of records) {
    const changed = yield* change(
      `UPDATE ${tables.jobsVia.uuid} SET status = 'failed', ended_at = ?, ${keyOfFailed} WHERE uuid = ? AND run = ? AND ${unstarted}`,
      [options.now, record.jobId, record.run],
    );
    if (changed === 0) continue;
    yield* insertAttempt(tables, record);
    moved.push(record);
  }
  if (options.log !== undefined) yield* options.log.append(moved);
  for (const record of moved) {
    const { eventId, jobId, job: name, run, endedAt: at } = record;
    yield* announce(tables, {
      eventId,
      kind: 'failed',
      jobId,
      name,
      run,
      session: null,
      at,
      record: options.log === undefined ? record : undefined,
    });
  }
  return moved.map(({ jobId }) => jobId);
}

export function* pause({ sql, pausedQueues }: Tables, queue: string, by: string, now: number): Script<boolean> {
  return yield* sql.insertUnlessThere(pausedQueues, { queue, paused_at: now, paused_by: by }, ['queue']);
}

/** By name. */
export function* pausedOnes({ pausedQueues }: Tables): Script<readonly string[]> {
  return (yield* all<{ queue: string }>(`SELECT queue FROM ${pausedQueues} ORDER BY queue`)).map(({ queue }) => queue);
}

export function* resume({ pausedQueues }: Tables, queue: string): Script<boolean> {
  return (yield* change(`DELETE FROM ${pausedQueues} WHERE queue = ?`, [queue])) > 0;
}
