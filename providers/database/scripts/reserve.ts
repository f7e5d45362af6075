import type { Reservation, ReservedJob, ReserveRequest, Session } from '../../../src/provider/pull-provider.ts';
import { all, change, first, type Script } from '../../../src/store/script.ts';
import { marks } from '../../../src/store/sql-dialect.ts';
import type { Tables } from '../tables.ts';
import { fence } from './session.ts';

/** Due jobs promoted by one reserve: enough to keep a pool busy, few enough to be brief. */
const promotedAtOnce = 200;

interface ReadyRow {
  readonly id: number;
  readonly uuid: string;
  readonly queue: string;
  readonly mapping: string;
  readonly memento: string;
  readonly run: number;
  readonly attempt: number;
  readonly created_at: number;
  readonly first_started_at: number | null;
}

/** True when a reserve would find something: asked first, so that an idle pool takes no write lock. */
export function* anythingReady(tables: Tables, queues: readonly string[], now: number): Script<boolean> {
  const due = yield* first(`SELECT 1 FROM ${tables.jobs} WHERE status = 'waiting' AND available_at <= ? LIMIT 1`, [now]);
  if (due !== undefined) return true;
  for (const queue of yield* openQueues(tables, queues)) {
    const ready = yield* first(`SELECT 1 FROM ${tables.jobs} WHERE status = 'ready' AND queue = ? LIMIT 1`, [queue]);
    if (ready !== undefined) return true;
  }
  return false;
}

export function* nextReadyAt(tables: Tables): Script<number | undefined> {
  const row = yield* first<{ at: number | null }>(`SELECT min(available_at) AS at FROM ${tables.jobs} WHERE status = 'waiting'`);
  return row?.at ?? undefined;
}

export interface LeaseNumbers {
  /** The first lease number this call may give out; numbers are never given out twice. */
  readonly firstSeq: number;
  readonly now: number;
}

/** What a reserve handed out, and what it could not. */
export interface Taken extends Reservation {
  /** There are ready jobs that somebody else has locked, who may hand them out or leave them where they are. */
  readonly passedOver: boolean;
}

/** Hands out ready jobs, queue by queue in order of precedence, and marks those started that start at once. */
export function* reserve(tables: Tables, session: Session, request: ReserveRequest, { firstSeq, now }: LeaseNumbers): Script<Taken> {
  yield* fence(tables, session.id);
  yield* promoteDue(tables, now);
  const { sql } = tables;
  const jobs: ReservedJob[] = [];
  const queues = yield* openQueues(tables, request.queues);
  for (const queue of queues) {
    const room = request.limit - jobs.length;
    if (room === 0) break;
    const rows = yield* all<ReadyRow>(
      `SELECT id, uuid, queue, mapping, memento, run, attempt, created_at, first_started_at FROM ${tables.jobsVia.ready} WHERE status = 'ready' AND queue = ? ORDER BY ${sql.lineOrder} LIMIT ?${sql.skipLocked}`,
      [queue, room],
    );
    const leases = rows.map((row, index) => [row.id, firstSeq + jobs.length + index] as const);
    yield* sql.updateEach(tables.jobs, { key: 'id', column: 'lease_seq', rows: leases, set: taken, bindings: [session.id, now, now] });
    for (const row of rows) jobs.push(reservedJob(row, { session: session.id, seq: firstSeq + jobs.length }, now));
  }
  const lastStarted = jobs[Math.min(request.startNow, jobs.length) - 1];
  if (lastStarted !== undefined)
    yield* change(`UPDATE ${tables.sessions} SET started_through = ? WHERE id = ?`, [lastStarted.lease.seq, session.id]);
  if (jobs.length === request.limit) return { jobs, passedOver: false };
  const passedOver = sql.skipLocked !== '' && (yield* anyInLine(tables, queues));
  const next = yield* nextReadyAt(tables);
  return next === undefined ? { jobs, passedOver } : { jobs, passedOver, nextReadyAt: next };
}

function* anyInLine(tables: Tables, queues: readonly string[]): Script<boolean> {
  if (queues.length === 0) return false;
  const sql = `SELECT 1 FROM ${tables.jobs} WHERE status = 'ready' AND queue IN (${marks(queues)}) LIMIT 1`;
  return (yield* first(sql, queues)) !== undefined;
}

const taken = `status = 'reserved', session = ?, reserved_at = ?, first_started_at = coalesce(first_started_at, ?),
  unique_key = CASE WHEN unique_scope = 'queued' THEN NULL ELSE unique_key END`;

export function reservedJob(row: ReadyRow, lease: ReservedJob['lease'], reservedAt: number): ReservedJob {
  const { uuid: id, mapping: name, queue, memento, run, created_at: createdAt } = row;
  return {
    id,
    name,
    queue,
    memento,
    run,
    attempt: row.attempt + 1,
    createdAt,
    firstStartedAt: row.first_started_at ?? reservedAt,
    reservedAt,
    lease,
  };
}

/** Delayed and backing-off jobs whose time has come join the end of their line, the longest due first. */
function* promoteDue(tables: Tables, now: number): Script<void> {
  const due = yield* all<{ id: number }>(
    `SELECT id FROM ${tables.jobsVia.waiting} WHERE status = 'waiting' AND available_at <= ? ORDER BY available_at, id LIMIT ?${tables.sql.skipLocked}`,
    [now, promotedAtOnce],
  );
  let seq = yield* tables.sql.draw('ready', due.length);
  const rows = due.map(({ id }) => [id, ++seq] as const);
  yield* tables.sql.updateEach(tables.jobs, { key: 'id', column: 'ready_seq', rows, set: `status = 'ready'`, bindings: [] });
}

/** The queues to look into: without the paused ones. */
export function* openQueues(tables: Tables, queues: readonly string[]): Script<readonly string[]> {
  const paused = yield* all<{ queue: string }>(`SELECT queue FROM ${tables.pausedQueues}`);
  const named = yield* namedQueues(tables, queues);
  if (paused.length === 0) return named;
  const closed = new Set(paused.map(({ queue }) => queue));
  return named.filter((queue) => !closed.has(queue));
}

/** `'*'` stands for every queue that has ready jobs; each is found by one step along the index. */
function* namedQueues(tables: Tables, queues: readonly string[]): Script<readonly string[]> {
  if (!queues.includes('*')) return queues;
  return yield* tables.sql.valuesIn({ table: tables.jobs, column: 'queue', where: `status = 'ready'` });
}
