import type { RequeueOutcome, RequeueRequest } from '../../../src/provider/queue-provider.ts';
import type { FailureLogScripts } from '../../../src/record/failure-log.ts';
import { change, first, type Script } from '../../../src/store/script.ts';
import type { Tables } from '../tables.ts';
import { announce } from './announcements.ts';
import { holderOf } from './push.ts';

export interface RequeueOptions {
  /** The failed-jobs log's scripts where it lives in this database. */
  readonly log: FailureLogScripts | undefined;
  readonly now: number;
  /** Event ids for a log elsewhere, by job id. */
  readonly eventIdOf: (jobId: string) => string;
}

/** Puts failed jobs back as new runs of themselves: attempts from 0, history kept. Job and log move in one transaction. */
export function* requeue(tables: Tables, requests: readonly RequeueRequest[], options: RequeueOptions): Script<readonly RequeueOutcome[]> {
  const outcomes: RequeueOutcome[] = [];
  for (const request of requests) {
    if (yield* isDuplicate(tables, request)) {
      outcomes.push('duplicate');
      continue;
    }
    const place = yield* placeOf(tables, request, options.now);
    const moved = (yield* reopen(tables, request, place)) || (yield* restore(tables, request, place, options));
    if (moved) yield* tellLog(tables, request, options);
    outcomes.push(moved ? 'requeued' : 'not_failed');
  }
  return outcomes;
}

/** True where another job holds this one's unique key by now. */
function* isDuplicate(tables: Tables, { jobId, unique }: RequeueRequest): Script<boolean> {
  if (unique === undefined) return false;
  const holder = yield* holderOf(tables, unique.key);
  return holder !== undefined && holder !== jobId;
}

interface Place {
  readonly status: 'ready' | 'waiting';
  readonly readySeq: number | null;
  readonly availableAt: number;
}

function* placeOf(tables: Tables, request: RequeueRequest, now: number): Script<Place> {
  if (request.delayMs > 0) return { status: 'waiting', readySeq: null, availableAt: now + request.delayMs };
  if (!request.atFront) return { status: 'ready', readySeq: (yield* tables.sql.draw('ready', 1)) + 1, availableAt: now };
  const row = yield* first<{ seq: number | null }>(
    `SELECT min(ready_seq) AS seq FROM ${tables.jobs} WHERE status = 'ready' AND queue = ?`,
    [request.queue],
  );
  return { status: 'ready', readySeq: (row?.seq ?? 1) - 1, availableAt: now };
}

/** Compare-and-set on the job's own row: of two retries of one run, one changes it. */
function* reopen(tables: Tables, request: RequeueRequest, place: Place): Script<boolean> {
  const changed = yield* change(
    `UPDATE ${tables.jobs} SET status = ?, ready_seq = ?, available_at = ?, queue = ?, run = run + 1, attempt = 0, ended_at = NULL, reserved_at = NULL, first_started_at = NULL,
            unique_key = ?, memento = coalesce(?, memento)
      WHERE uuid = ? AND status = 'failed' AND run = ?`,
    [
      place.status,
      place.readySeq,
      place.availableAt,
      request.queue,
      request.unique?.key ?? null,
      request.editedMemento ?? null,
      request.jobId,
      request.run,
    ],
  );
  return changed > 0;
}

/** A job whose row is gone, while its failure is on record, is made anew from the record; not one that was retried since, and is gone because it succeeded. */
function* restore(tables: Tables, request: RequeueRequest, place: Place, { log, now }: RequeueOptions): Script<boolean> {
  const onRecord = log === undefined ? undefined : yield* log.find(request.jobId);
  if (onRecord !== undefined && (onRecord.status !== 'failed' || onRecord.run !== request.run)) return false;
  const row = {
    uuid: request.jobId,
    queue: request.queue,
    mapping: request.name,
    memento: request.editedMemento ?? request.memento,
    status: place.status,
    priority: request.priority,
    ready_seq: place.readySeq,
    available_at: place.availableAt,
    run: request.run + 1,
    created_at: now,
    unique_key: request.unique?.key ?? null,
    unique_scope: request.unique?.scope ?? null,
  };
  return yield* tables.sql.insertUnlessThere(tables.jobs, row, ['uuid']);
}

function* tellLog(tables: Tables, { jobId, run, name, note }: RequeueRequest, { log, now: at, eventIdOf }: RequeueOptions): Script<void> {
  const step = { jobId, run: run + 1, at };
  if (log === undefined) yield* announce(tables, { eventId: eventIdOf(jobId), kind: 'retrying', name, session: null, ...step });
  else yield* log.retrying([note === undefined ? step : { ...step, note }]);
}
