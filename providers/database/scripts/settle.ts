import type { ReservedJob, ResolvedRun, SettleBatch, SettleReceipt, Settlement } from '../../../src/provider/pull-provider.ts';
import type { FailureLogScripts } from '../../../src/record/failure-log.ts';
import type { FailureRecord } from '../../../src/record/types.ts';
import { change, type Script } from '../../../src/store/script.ts';
import type { Tables } from '../tables.ts';
import { announce, forgetAnnouncements } from './announcements.ts';
import { insertAttempt, isWritten } from './attempts.ts';
import { fence } from './session.ts';
import { countCompleted } from './stats.ts';

export interface SettleOptions {
  /** The caller's session: the fence. */
  readonly session: number;
  /** The failed-jobs log's scripts where it lives in this database. */
  readonly log: FailureLogScripts | undefined;
  /** Whether there is a log at all. */
  readonly logIsOn: boolean;
  /** 0: completed jobs are removed at once. */
  readonly keepCompletedMs: number;
  readonly now: number;
  /** Event ids for successes that a log elsewhere has to be told of, by job id. */
  readonly eventIdOf: (jobId: string) => string;
}

/**
 * Writes many outcomes in one transaction: job states, attempt rows, failed jobs, announcements.
 * A job that is not leased as the settlement says was settled by an earlier commit of ours whose reply was
 * lost: its rows are there already, so nothing of it is written again. For a job of a dead session it may also be
 * that another rescuer was first.
 */
export function* settle(tables: Tables, batch: SettleBatch, options: SettleOptions): Script<SettleReceipt> {
  yield* fence(tables, options.session);
  const failed: FailureRecord[] = [];
  const completed = new Map<string, number>();
  const repeated: string[] = [];
  const late = new Set<string>();
  const resolved: ResolvedRun[] = [];
  for (const settlement of batch.settlements) {
    const { job, record, transition } = settlement;
    const applied = (yield* move(tables, settlement, options)) > 0;
    if (!applied && job.lease.session !== options.session && record !== undefined && !(yield* isWritten(tables, record))) late.add(job.id);
    else if (!applied && transition.to === 'failed') repeated.push(job.id);
    if (!applied) continue;
    if (record !== undefined) yield* insertAttempt(tables, record);
    if (record !== undefined && transition.to === 'failed') failed.push(record);
    if (transition.to === 'completed') completed.set(job.queue, (completed.get(job.queue) ?? 0) + 1);
    if (transition.to === 'completed' && job.run > 1)
      resolved.push({ eventId: options.eventIdOf(job.id), jobId: job.id, run: job.run, at: options.now });
  }
  for (const [queue, count] of completed) yield* countCompleted(tables, queue, options.session, count);
  const failedJobIds = yield* logFailures(tables, failed, repeated, options);
  const untold = yield* logSuccesses(tables, resolved, batch, options);
  yield* forgetAnnouncements(tables, batch.announced);
  return { failedJobIds, late, resolved: untold };
}

/** A failed job gives up its unique key, unless the key's scope is to outlast the failure. */
export const keyOfFailed = `unique_key = CASE WHEN unique_scope = 'failed' THEN unique_key ELSE NULL END`;

/** Moves one job, guarded by its lease; returns 0 where the lease is not ours any more. */
function* move(tables: Tables, { job, transition }: Settlement, { keepCompletedMs, now }: SettleOptions): Script<number> {
  const lease = [job.id, job.lease.session, job.lease.seq];
  const guard = `WHERE uuid = ? AND status = 'reserved' AND session = ? AND lease_seq = ?`;
  const unleased = 'session = NULL, lease_seq = NULL, cancel_reason = NULL';
  switch (transition.to) {
    case 'completed':
      if (keepCompletedMs === 0) return yield* change(`DELETE FROM ${tables.deleteJobsViaUuid} ${guard}`, lease);
      return yield* change(
        `UPDATE ${tables.jobsVia.uuid} SET status = 'completed', attempt = ?, ended_at = ?, result = ?, unique_key = NULL, ${unleased} ${guard}`,
        [job.attempt, now, transition.result ?? null, ...lease],
      );
    case 'failed':
      return yield* change(
        `UPDATE ${tables.jobsVia.uuid} SET status = 'failed', attempt = ?, ended_at = ?, ${keyOfFailed}, ${unleased} ${guard}`,
        [job.attempt, now, ...lease],
      );
    case 'returned':
      return yield* change(`UPDATE ${tables.jobsVia.uuid} SET status = 'ready', ${unleased} ${guard}`, lease);
    case 'retry':
      return yield* putBack(tables, job, transition.availableAt, { guard, unleased, lease, now });
  }
}

interface PutBack {
  readonly guard: string;
  readonly unleased: string;
  readonly lease: readonly unknown[];
  readonly now: number;
}

function* putBack(tables: Tables, job: ReservedJob, availableAt: number, { guard, unleased, lease, now }: PutBack): Script<number> {
  if (availableAt > now)
    return yield* change(
      `UPDATE ${tables.jobsVia.uuid} SET status = 'waiting', attempt = ?, available_at = ?, ready_seq = NULL, ${unleased} ${guard}`,
      [job.attempt, availableAt, ...lease],
    );
  // Behind what is ready: it had its turn.
  const seq = (yield* tables.sql.draw('ready', 1)) + 1;
  return yield* change(
    `UPDATE ${tables.jobsVia.uuid} SET status = 'ready', attempt = ?, ready_seq = ?, available_at = ?, ${unleased} ${guard}`,
    [job.attempt, seq, now, ...lease],
  );
}

function* logFailures(
  tables: Tables,
  failed: readonly FailureRecord[],
  repeated: readonly string[],
  { log, session }: SettleOptions,
): Script<ReadonlyMap<string, number>> {
  const appended = log === undefined ? [] : yield* log.append(failed);
  for (const record of failed) {
    const { eventId, jobId, job: name, run, endedAt: at } = record;
    yield* announce(tables, { eventId, kind: 'failed', jobId, name, run, session, at, record: log === undefined ? record : undefined });
  }
  const again = log === undefined || repeated.length === 0 ? [] : yield* log.numbers(repeated);
  return new Map([...appended, ...again].map(({ jobId, id }) => [jobId, id]));
}

/** A retried job that succeeded resolves its failed job: here, or by an announcement where the log is elsewhere. */
function* logSuccesses(
  tables: Tables,
  resolved: readonly ResolvedRun[],
  batch: SettleBatch,
  { log, logIsOn, session }: SettleOptions,
): Script<readonly ResolvedRun[]> {
  if (!logIsOn) return [];
  if (log !== undefined) {
    yield* log.resolved(resolved);
    return [];
  }
  for (const { eventId, jobId, run, at } of resolved) {
    const name = batch.settlements.find((one) => one.job.id === jobId)?.job.name ?? '';
    yield* announce(tables, { eventId, kind: 'resolved', jobId, name, run, session, at });
  }
  return resolved;
}
