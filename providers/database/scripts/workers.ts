import type { WorkerPresence } from '../../../src/provider/queue-provider.ts';
import { all, type Script } from '../../../src/store/script.ts';
import type { Tables } from '../tables.ts';

interface SessionRow {
  readonly id: number;
  readonly pool: string;
  readonly host: string;
  readonly pid: number;
  readonly created_at: number;
  readonly renewed_at: number;
  readonly expires_at: number;
}

/** Every pool at work, in whatever process, longest first; also one whose lease has ended and that nobody has declared dead yet. */
export function* workers(tables: Tables): Script<readonly WorkerPresence[]> {
  const sessions = yield* all<SessionRow>(
    `SELECT id, pool, host, pid, created_at, renewed_at, expires_at FROM ${tables.sessions} WHERE dead_at IS NULL ORDER BY id`,
  );
  const counts = yield* all<{ session: number; count: number }>(
    `SELECT session, count(*) AS count FROM ${tables.jobs} WHERE status = 'reserved' AND session IS NOT NULL GROUP BY session`,
  );
  const reserved = new Map(counts.map(({ session, count }) => [session, count]));
  return sessions.map(({ id, pool, host, pid, created_at: startedAt, renewed_at: renewedAt, expires_at: leaseEndsAt }) => ({
    pool,
    host,
    pid,
    startedAt,
    renewedAt,
    leaseEndsAt,
    reserved: reserved.get(id) ?? 0,
  }));
}
