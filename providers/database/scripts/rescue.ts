import type { LostJob } from '../../../src/provider/pull-provider.ts';
import { all, change, first, type Script } from '../../../src/store/script.ts';
import { marks } from '../../../src/store/sql-dialect.ts';
import type { Tables } from '../tables.ts';
import { reservedJob } from './reserve.ts';
import { fence } from './session.ts';
import { countCompleted } from './stats.ts';

/** Lost jobs judged at once; the rest follows in the next call. */
const lostAtOnce = 100;
/** How long the row of a dead session is kept as evidence. */
const keepDeadMs = 24 * 3_600_000;

const deadSessions = ({ sessions }: Tables): string => `SELECT id FROM ${sessions} WHERE dead_at IS NOT NULL`;

/** True when somebody's lease has ended, or a dead session still holds jobs: asked first, so that the quiet case takes no write lock. */
export function* anythingToRescue(tables: Tables, session: number, now: number): Script<boolean> {
  const expired = yield* first(`SELECT 1 FROM ${tables.sessions} WHERE dead_at IS NULL AND expires_at <= ? AND id <> ? LIMIT 1`, [
    now,
    session,
  ]);
  if (expired !== undefined) return true;
  return (
    (yield* first(`SELECT 1 FROM ${tables.jobs} WHERE status = 'reserved' AND session IN (${deadSessions(tables)}) LIMIT 1`)) !== undefined
  );
}

interface LostRow {
  readonly id: number;
  readonly uuid: string;
  readonly queue: string;
  readonly mapping: string;
  readonly memento: string;
  readonly run: number;
  readonly attempt: number;
  readonly created_at: number;
  readonly first_started_at: number | null;
  readonly reserved_at: number;
  readonly session: number;
  readonly lease_seq: number;
  readonly pool: string;
  readonly host: string;
  readonly pid: number;
  readonly policies: string;
  readonly renewed_at: number;
  readonly dead_at: number;
  readonly losses: number;
}

/**
 * Declares sessions dead whose lease ended, by compare-and-set, and gives back uncounted what they never started.
 * Their started jobs are returned, still leased to the dead: the settlement that follows is fenced by that lease,
 * so of two rescuers one moves the job.
 */
export function* rescue(tables: Tables, session: number, now: number): Script<readonly LostJob[]> {
  yield* fence(tables, session);
  yield* declareDead(tables, session, now);
  yield* change(
    `UPDATE ${tables.jobs} SET status = 'ready', session = NULL, lease_seq = NULL WHERE status = 'reserved' AND session IN (${deadSessions(tables)})
       AND lease_seq > (SELECT started_through FROM ${tables.sessions} s WHERE s.id = session)`,
  );
  const rows = yield* all<LostRow>(
    `SELECT j.id, j.uuid, j.queue, j.mapping, j.memento, j.run, j.attempt, j.created_at, j.first_started_at, j.reserved_at, j.session, j.lease_seq,
            s.pool, s.host, s.pid, s.policies, s.renewed_at, s.dead_at,
            (SELECT count(*) FROM ${tables.attempts} a WHERE a.job_id = j.uuid AND a.run = j.run AND a.kind = 'lost') AS losses
       FROM ${tables.jobs} j JOIN ${tables.sessions} s ON s.id = j.session
      WHERE j.status = 'reserved' AND s.dead_at IS NOT NULL ORDER BY j.id LIMIT ?`,
    [lostAtOnce],
  );
  return rows.map(({ pool, host, pid, policies, renewed_at: lastSeenAt, dead_at: deadAt, ...row }) => ({
    job: reservedJob(row, { session: row.session, seq: row.lease_seq }, row.reserved_at),
    losses: row.losses,
    evidence: { pool, host, pid, lastSeenAt, deadAt, policies },
  }));
}

/**
 * A session whose row is locked is in the middle of a transaction of its own: it lives, or its connection does not live long.
 * To wait for it would hold up this session, whose row is locked as well, and whoever waits for that.
 */
function* declareDead({ sql, sessions }: Tables, session: number, now: number): Script<void> {
  const expired = yield* all<{ id: number }>(
    `SELECT id FROM ${sessions} WHERE dead_at IS NULL AND expires_at <= ? AND id <> ? ORDER BY id${sql.skipLocked}`,
    [now, session],
  );
  const ids = expired.map(({ id }) => id);
  if (ids.length > 0) yield* change(`UPDATE ${sessions} SET dead_at = ? WHERE id IN (${marks(ids)})`, [now, ...ids]);
}

/** Removes rows of sessions long dead that nothing names any more; what they counted is kept. */
export function* forgetDeadSessions(tables: Tables, now: number): Script<void> {
  const dead = yield* all<{ id: number }>(
    `SELECT id FROM ${tables.sessions} WHERE dead_at <= ? AND id NOT IN (SELECT session FROM ${tables.jobs} WHERE status = 'reserved')
       AND id NOT IN (SELECT session FROM ${tables.announcements} WHERE session IS NOT NULL) ORDER BY id LIMIT ?${tables.sql.skipLocked}`,
    [now - keepDeadMs, lostAtOnce],
  );
  for (const { id } of dead) {
    for (const { queue, completed } of yield* all<{ queue: string; completed: number }>(
      `SELECT queue, completed FROM ${tables.counts} WHERE session = ?`,
      [id],
    )) {
      yield* countCompleted(tables, queue, 0, completed);
    }
    yield* change(`DELETE FROM ${tables.counts} WHERE session = ?`, [id]);
    yield* change(`DELETE FROM ${tables.sessions} WHERE id = ?`, [id]);
  }
}
