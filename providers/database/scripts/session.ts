import { RedriveError } from '../../../src/errors.ts';
import type { CancelRequest, Held, SessionInfo } from '../../../src/provider/pull-provider.ts';
import { all, change, first, type Script } from '../../../src/store/script.ts';
import type { Tables } from '../tables.ts';

export function* openSession(info: SessionInfo, leaseMs: number, now: number): Script<number> {
  const row = yield* first<{ id: number }>(
    'INSERT INTO redrive_sessions (pool, host, pid, policies, created_at, renewed_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id',
    [info.pool, info.host, info.pid, info.policies, now, now, now + leaseMs],
  );
  if (row === undefined) throw new RedriveError('STORE_BROKEN', 'The database stored a session but returned no id');
  return row.id;
}

/**
 * The first statement of every transaction of a worker: nothing it writes counts once its session is dead.
 * The transaction holds the right to write, so nobody can declare the session dead before it commits.
 */
export function* fence(session: number): Script<void> {
  const alive = yield* first('SELECT 1 FROM redrive_sessions WHERE id = ? AND dead_at IS NULL', [session]);
  if (alive === undefined) throw leaseLost(session);
}

export function* start(session: number, throughSeq: number): Script<void> {
  const changed = yield* change(
    'UPDATE redrive_sessions SET started_through = ? WHERE id = ? AND dead_at IS NULL AND started_through < ?',
    [throughSeq, session, throughSeq],
  );
  if (changed === 0) yield* fence(session);
}

/** Prolongs the lease of all jobs of the session with one row, gives back what the pool does not know it has, and says what to cancel. */
export function* renew(
  tables: Tables,
  session: number,
  held: Held,
  times: { now: number; leaseMs: number },
): Script<readonly CancelRequest[]> {
  const changed = yield* change('UPDATE redrive_sessions SET renewed_at = ?, expires_at = ? WHERE id = ? AND dead_at IS NULL', [
    times.now,
    times.now + times.leaseMs,
    session,
  ]);
  if (changed === 0) throw leaseLost(session);
  const rows = yield* all<{ id: number; lease_seq: number; cancel_reason: string | null }>(
    `SELECT id, lease_seq, cancel_reason FROM ${tables.jobs} WHERE status = 'reserved' AND session = ? AND lease_seq <= ?`,
    [session, held.through],
  );
  const wanted: CancelRequest[] = [];
  for (const { id, lease_seq: seq, cancel_reason: reason } of rows) {
    if (!held.seqs.has(seq))
      yield* change(`UPDATE ${tables.jobs} SET status = 'ready', session = NULL, lease_seq = NULL WHERE id = ?`, [id]);
    else if (reason !== null) wanted.push({ seq, reason });
  }
  return wanted;
}

/** Ends a session; its row stays while announcements or jobs name it. */
export function* closeSession(session: number, now: number): Script<void> {
  yield* change('UPDATE redrive_sessions SET dead_at = ? WHERE id = ? AND dead_at IS NULL', [now, session]);
}

function leaseLost(session: number): RedriveError {
  return new RedriveError('LEASE_LOST', `Session ${session} was declared dead; its jobs belong to others now`);
}
