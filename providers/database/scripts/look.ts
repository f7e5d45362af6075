import type { Backlog, StoredJob } from '../../../src/provider/queue-provider.ts';
import { all, change, first, type Script } from '../../../src/store/script.ts';
import { marks } from '../../../src/store/sql-dialect.ts';
import { nameless, type Tables } from '../tables.ts';

/** Ended jobs removed by one call: brief enough not to hold up the queue. */
const removedAtOnce = 500;

interface JobRow {
  readonly uuid: string;
  readonly mapping: string;
  readonly queue: string;
  readonly memento: string;
  readonly status: StoredJob['state'];
  readonly priority: number;
  readonly run: number;
  readonly attempt: number;
  readonly created_at: number;
  readonly reserved_at: number | null;
  readonly ended_at: number | null;
  readonly result: string | null;
}

export function* find(tables: Tables, jobId: string): Script<StoredJob | undefined> {
  const row = yield* first<JobRow>(
    `SELECT uuid, mapping, queue, memento, status, priority, run, attempt, created_at, reserved_at, ended_at, result FROM ${tables.jobs} WHERE uuid = ?`,
    [jobId],
  );
  if (row === undefined || row.mapping === nameless) return undefined;
  const { uuid: id, mapping: name, queue, memento, status: state, priority, run, attempt, result } = row;
  return {
    id,
    name,
    queue,
    memento,
    state,
    priority,
    run,
    attempt,
    result,
    createdAt: row.created_at,
    startedAt: row.reserved_at,
    endedAt: row.ended_at,
  };
}

/** Whether these queues have anything left that would still be worked, by kind of rest. Paused queues do not count. */
export function* backlog(tables: Tables, queues: readonly string[]): Script<Backlog> {
  const every = queues.includes('*');
  const bindings = every ? [] : queues;
  const within = every ? '' : ` AND queue IN (${marks(queues)})`;
  const exists = (condition: string): Script<unknown> =>
    first(
      `SELECT 1 FROM ${tables.jobs} WHERE ${condition}${within} AND queue NOT IN (SELECT queue FROM ${tables.pausedQueues}) LIMIT 1`,
      bindings,
    );
  return {
    ready: (yield* exists(`status = 'ready'`)) !== undefined,
    reserved: (yield* exists(`status = 'reserved'`)) !== undefined,
    retrying: (yield* exists(`status = 'waiting' AND attempt > 0`)) !== undefined,
    delayed: (yield* exists(`status = 'waiting' AND attempt = 0`)) !== undefined,
  };
}

/**
 * Removes completed and cancelled jobs that ended at or before `endedBy`, some at a time. They are looked up without a lock: a
 * server may lock the row beyond the last one as well, which is a job in line, and a worker would pass it over. Nothing brings
 * them back to life meanwhile.
 */
export function* removeEnded(tables: Tables, endedBy: number): Script<void> {
  const ended: { readonly id: number; readonly uuid: string; readonly run: number }[] = [];
  for (const status of ['completed', 'canceled']) {
    const rows = yield* all<{ id: number; uuid: string; run: number }>(
      `SELECT id, uuid, run FROM ${tables.jobs} WHERE status = ? AND ended_at <= ? ORDER BY ended_at LIMIT ?`,
      [status, endedBy, removedAtOnce - ended.length],
    );
    ended.push(...rows);
  }
  if (ended.length === 0) return;
  const ids = ended.map(({ id }) => id);
  yield* change(`DELETE FROM ${tables.jobs} WHERE id IN (${marks(ids)})`, ids);
  // Of a job that was never in a failed-jobs log nobody can ask for the attempts any more.
  const unlogged = ended.filter(({ run }) => run === 1).map(({ uuid }) => uuid);
  if (unlogged.length > 0) yield* change(`DELETE FROM ${tables.deleteAttemptsViaJob} WHERE job_id IN (${marks(unlogged)})`, unlogged);
}
