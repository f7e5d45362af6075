import type { RequeueOutcome, RequeueRequest } from '../../../src/provider/queue-provider.ts';
import type { BulkHold } from '../../../src/record/bulk-retry-log.ts';
import type { FailureLogScripts } from '../../../src/record/failure-log.ts';
import { grouped } from '../../../src/store/grouped.ts';
import { all, change, first, type Script } from '../../../src/store/script.ts';
import { marks } from '../../../src/store/sql-dialect.ts';
import type { Tables } from '../tables.ts';
import { announce } from './announcements.ts';

export interface RequeueOptions {
  /** The failed-jobs log's scripts where it lives in this database. */
  readonly log: FailureLogScripts | undefined;
  readonly now: number;
  /** Event ids for a log elsewhere, by job id. */
  readonly eventIdOf: (jobId: string) => string;
  /** The lease of the bulk retry that does it. */
  readonly hold?: BulkHold | undefined;
}

/**
 * Puts failed jobs back as new runs of themselves: attempts from 0, history kept. Job and log move in one transaction.
 * The jobs' rows are locked when they are looked at, so of two retries of one run the second finds a job of another run.
 */
export function* requeue(tables: Tables, requests: readonly RequeueRequest[], options: RequeueOptions): Script<readonly RequeueOutcome[]> {
  if (options.hold !== undefined && options.log !== undefined) yield* options.log.bulkRetries.hold(options.hold);
  const verdicts = yield* judge(tables, requests, options.log, { lock: true });
  const reopened: RequeueRequest[] = [];
  const restored: RequeueRequest[] = [];
  const outcomes: RequeueOutcome[] = [];
  for (const [index, request] of requests.entries()) {
    const verdict = verdicts[index] ?? 'not_failed';
    outcomes.push(verdict === 'reopen' || verdict === 'restore' ? 'requeued' : verdict);
    if (verdict === 'reopen') reopened.push(request);
    if (verdict === 'restore') restored.push(request);
  }
  const places = yield* placesOf(tables, [...reopened, ...restored], options.now);
  yield* reopen(tables, reopened, { places, now: options.now });
  for (const request of restored)
    // Somebody else made it anew since it was looked for.
    if (!(yield* restore(tables, request, places.get(request), options.now))) outcomes[requests.indexOf(request)] = 'not_failed';
  const moved = requests.filter((_, index) => outcomes[index] === 'requeued');
  yield* tellLog(tables, moved, options);
  return outcomes;
}

/** What {@link requeue} would say, without doing it. */
export function* wouldRequeue(
  tables: Tables,
  requests: readonly RequeueRequest[],
  log: FailureLogScripts | undefined,
): Script<readonly RequeueOutcome[]> {
  const verdicts = yield* judge(tables, requests, log, { lock: false });
  return verdicts.map((verdict) => (verdict === 'reopen' || verdict === 'restore' ? 'requeued' : verdict));
}

/** A job that failed in this run is reopened; one whose row is gone, while its failure is on record, is restored. */
type Verdict = 'reopen' | 'restore' | Exclude<RequeueOutcome, 'requeued'>;

function* judge(
  tables: Tables,
  requests: readonly RequeueRequest[],
  log: FailureLogScripts | undefined,
  { lock }: { readonly lock: boolean },
): Script<readonly Verdict[]> {
  const jobs = yield* jobsOf(tables, requests, lock ? tables.sql.forUpdate : '');
  // Resolved by hand since it was looked at: its own row says nothing of that.
  const resolved = new Set(log === undefined ? [] : yield* log.resolvedAmong([...jobs.keys()], { lock }));
  const holders = yield* holdersOf(tables, requests);
  const seen = new Set<string>();
  const verdicts: Verdict[] = [];
  for (const request of requests) {
    const { jobId, unique } = request;
    const holder = unique === undefined ? undefined : holders.get(unique.key);
    const isOther = holder !== undefined && holder !== jobId;
    const verdict =
      seen.has(jobId) || resolved.has(jobId)
        ? 'not_failed'
        : isOther
          ? 'duplicate'
          : yield* judgeOne(request, jobs.get(jobId), { log, lock });
    verdicts.push(verdict);
    seen.add(jobId);
    // Of two that ask for one key the first gets it.
    if (unique !== undefined && (verdict === 'reopen' || verdict === 'restore')) holders.set(unique.key, jobId);
  }
  return verdicts;
}

interface JobRow {
  readonly uuid: string;
  readonly status: string;
  readonly run: number;
}

function* jobsOf({ jobsVia }: Tables, requests: readonly RequeueRequest[], lock: string): Script<ReadonlyMap<string, JobRow>> {
  if (requests.length === 0) return new Map();
  const ids = requests.map(({ jobId }) => jobId);
  // In one order for everybody: two that lock each other's rows would wait for each other.
  const rows = yield* all<JobRow>(`SELECT uuid, status, run FROM ${jobsVia.uuid} WHERE uuid IN (${marks(ids)}) ORDER BY id${lock}`, ids);
  return new Map(rows.map((row) => [row.uuid, row]));
}

/** Which job holds each of the keys that are asked for. */
function* holdersOf({ jobs }: Tables, requests: readonly RequeueRequest[]): Script<Map<string, string>> {
  const keys = requests.flatMap(({ unique }) => (unique === undefined ? [] : [unique.key]));
  if (keys.length === 0) return new Map();
  const rows = yield* all<{ uuid: string; unique_key: string }>(
    `SELECT uuid, unique_key FROM ${jobs} WHERE unique_key IN (${marks(keys)})`,
    keys,
  );
  return new Map(rows.map(({ uuid, unique_key: key }) => [key, uuid]));
}

function* judgeOne(
  { jobId, run }: RequeueRequest,
  row: JobRow | undefined,
  { log, lock }: { readonly log: FailureLogScripts | undefined; readonly lock: boolean },
): Script<Verdict> {
  if (row !== undefined) return row.status === 'failed' && row.run === run ? 'reopen' : 'not_failed';
  if (log === undefined) return 'restore';
  // Not one that was forgotten since, nor one that was retried and is gone because it succeeded.
  const onRecord = yield* log.find(jobId, { lock });
  // A dry run leaves what cbq wrote without the job id that it would be given.
  if (onRecord === undefined) return lock ? 'not_failed' : 'restore';
  return onRecord.status === 'failed' && onRecord.run === run ? 'restore' : 'not_failed';
}

interface Place {
  readonly status: 'ready' | 'waiting';
  readonly readySeq: number | null;
  readonly availableAt: number;
}

/** Where each goes: behind what is ready, ahead of it, or to those that wait. */
function* placesOf(tables: Tables, requests: readonly RequeueRequest[], now: number): Script<ReadonlyMap<RequeueRequest, Place>> {
  const places = new Map<RequeueRequest, Place>();
  const behind = requests.filter(({ delayMs, atFront }) => delayMs === 0 && !atFront);
  let seq = yield* tables.sql.draw('ready', behind.length);
  const firsts = new Map<string, number>();
  // Those that go to the front keep their order among each other, so the last of them is placed first.
  for (const request of requests.toReversed()) {
    const { delayMs, atFront, queue } = request;
    if (delayMs > 0) places.set(request, { status: 'waiting', readySeq: null, availableAt: now + delayMs });
    else if (atFront) {
      const readySeq = (firsts.get(queue) ?? (yield* firstReadySeq(tables, queue))) - 1;
      firsts.set(queue, readySeq);
      places.set(request, { status: 'ready', readySeq, availableAt: now });
    }
  }
  for (const request of behind) places.set(request, { status: 'ready', readySeq: ++seq, availableAt: now });
  return places;
}

function* firstReadySeq({ jobs }: Tables, queue: string): Script<number> {
  const sql = `SELECT min(ready_seq) AS seq FROM ${jobs} WHERE status = 'ready' AND queue = ?`;
  return (yield* first<{ seq: number | null }>(sql, [queue]))?.seq ?? 1;
}

/** Moves rows that this transaction has locked and found failed. */
function* reopen(
  tables: Tables,
  requests: readonly RequeueRequest[],
  { places, now }: { readonly places: ReadonlyMap<RequeueRequest, Place>; readonly now: number },
): Script<void> {
  const { sql } = tables;
  const jobs = tables.jobsVia.uuid;
  // What a job is put back with is the same for nearly all of a call.
  for (const group of grouped(requests, ({ queue, delayMs }) => JSON.stringify([queue, delayMs]))) {
    const [{ queue, delayMs }] = group;
    const set = `status = ?, available_at = ?, queue = ?, run = run + 1, attempt = 0, ended_at = NULL, reserved_at = NULL, first_started_at = NULL, unique_key = NULL`;
    const bindings = [delayMs > 0 ? 'waiting' : 'ready', now + delayMs, queue];
    const ids = group.map(({ jobId }) => jobId);
    if (delayMs > 0) yield* change(`UPDATE ${jobs} SET ${set}, ready_seq = NULL WHERE uuid IN (${marks(ids)})`, [...bindings, ...ids]);
    else {
      const rows = group.map((request) => [request.jobId, places.get(request)?.readySeq ?? null] as const);
      yield* sql.updateEach(jobs, { key: 'uuid', column: 'ready_seq', rows, set, bindings });
    }
  }
  const keyed = requests.flatMap(({ jobId, unique }) => (unique === undefined ? [] : [[jobId, unique.key] as const]));
  yield* sql.updateEach(jobs, { key: 'uuid', column: 'unique_key', rows: keyed, set: '', bindings: [] });
  const edited = requests.flatMap(({ jobId, editedMemento }) => (editedMemento === undefined ? [] : [[jobId, editedMemento] as const]));
  yield* sql.updateEach(jobs, { key: 'uuid', column: 'memento', rows: edited, set: '', bindings: [] });
}

/** A job whose row is gone is made anew from the record; false where somebody else has done so. */
function* restore({ sql, jobs }: Tables, request: RequeueRequest, place: Place | undefined, now: number): Script<boolean> {
  const row = {
    uuid: request.jobId,
    queue: request.queue,
    mapping: request.name,
    memento: request.editedMemento ?? request.memento,
    status: place?.status ?? 'ready',
    priority: request.priority,
    ready_seq: place?.readySeq ?? null,
    available_at: place?.availableAt ?? now,
    run: request.run + 1,
    created_at: now,
    unique_key: request.unique?.key ?? null,
    unique_scope: request.unique?.scope ?? null,
  };
  return yield* sql.insertUnlessThere(jobs, row, ['uuid']);
}

function* tellLog(tables: Tables, moved: readonly RequeueRequest[], { log, now: at, eventIdOf }: RequeueOptions): Script<void> {
  const steps = moved.map(({ jobId, run, note, bulkRetry }) => ({
    jobId,
    run: run + 1,
    at,
    ...(note === undefined ? {} : { note }),
    ...(bulkRetry === undefined ? {} : { bulkRetry }),
  }));
  if (log !== undefined) return yield* log.retrying(steps);
  for (const [index, { jobId, run, ...step }] of steps.entries()) {
    const name = moved[index]?.name ?? '';
    const { at: _at, ...detail } = step;
    yield* announce(tables, { eventId: eventIdOf(jobId), kind: 'retrying', name, session: null, jobId, run, at, step: detail });
  }
}
