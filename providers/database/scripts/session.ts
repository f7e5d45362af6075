import { RedriveError } from '../../../src/errors.ts';
import type { CancelRequest, Held, SessionInfo } from '../../../src/provider/pull-provider.ts';
import { all, change, first, type Script } from '../../../src/store/script.ts';
import { marks } from '../../../src/store/sql-dialect.ts';
import type { Tables } from '../tables.ts';

export function* openSession({ sql, sessions }: Tables, info: SessionInfo, leaseMs: number, now: number): Script<number> {
  const { pool, host, pid, policies } = info;
  return yield* sql.insert(sessions, { pool, host, pid, policies, created_at: now, renewed_at: now, expires_at: now + leaseMs });
}

/**
 * The first statement of every transaction of a worker: nothing it writes counts once its session is dead.
 * The transaction holds the right to write, or a lock on the session's row, so nobody can declare the session dead before it commits.
 */
export function* fence({ sql, sessions }: Tables, session: number): Script<void> {
  const alive = yield* first(`SELECT 1 FROM ${sessions} WHERE id = ? AND dead_at IS NULL${sql.forUpdate}`, [session]);
  if (alive === undefined) throw leaseLost(session);
}

export function* start(tables: Tables, session: number, throughSeq: number): Script<void> {
  const changed = yield* change(
    `UPDATE ${tables.sessions} SET started_through = ? WHERE id = ? AND dead_at IS NULL AND started_through < ?`,
    [throughSeq, session, throughSeq],
  );
  if (changed === 0) yield* fence(tables, session);
}

/** Prolongs the lease of all jobs of the session with one row, gives back what the pool does not know it has, and says what to cancel. */
export function* renew(
  tables: Tables,
  session: number,
  held: Held,
  times: { now: number; leaseMs: number },
): Script<readonly CancelRequest[]> {
  const changed = yield* change(`UPDATE ${tables.sessions} SET renewed_at = ?, expires_at = ? WHERE id = ? AND dead_at IS NULL`, [
    times.now,
    times.now + times.leaseMs,
    session,
  ]);
  if (changed === 0) throw leaseLost(session);
  const rows = yield* all<{ id: number; lease_seq: number; cancel_reason: string | null }>(
    `SELECT id, lease_seq, cancel_reason FROM ${tables.jobs} WHERE status = 'reserved' AND session = ? AND lease_seq <= ?`,
    [session, held.through],
  );
  const orphans = rows.filter((row) => !held.seqs.has(row.lease_seq)).map((row) => row.id);
  if (orphans.length > 0)
    yield* change(`UPDATE ${tables.jobs} SET status = 'ready', session = NULL, lease_seq = NULL WHERE id IN (${marks(orphans)})`, orphans);
  return rows.flatMap(({ lease_seq: seq, cancel_reason: reason }) => (held.seqs.has(seq) && reason !== null ? [{ seq, reason }] : []));
}

/** Ends a session; its row stays while announcements or jobs name it. */
export function* closeSession(tables: Tables, session: number, now: number): Script<void> {
  yield* change(`UPDATE ${tables.sessions} SET dead_at = ? WHERE id = ? AND dead_at IS NULL`, [now, session]);
}

function leaseLost(session: number): RedriveError {
  return new RedriveError('LEASE_LOST', `Session ${session} was declared dead; its jobs belong to others now`);
}
