import type { Backlog } from '../../../src/provider/queue-provider.ts';
import { change, first, type Script } from '../../../src/store/script.ts';
import type { Tables } from '../tables.ts';

/** Completed jobs removed by one call: brief enough not to hold up the queue. */
const removedAtOnce = 500;

export function* has(tables: Tables, jobId: string): Script<boolean> {
  return (yield* first(`SELECT 1 FROM ${tables.jobs} WHERE uuid = ?`, [jobId])) !== undefined;
}

/** Whether these queues have anything left, by kind of rest. */
export function* backlog(tables: Tables, queues: readonly string[]): Script<Backlog> {
  const every = queues.includes('*');
  const bindings = every ? [] : queues;
  const within = every ? '' : ` AND queue IN (${queues.map(() => '?').join(', ')})`;
  const exists = (condition: string): Script<unknown> => first(`SELECT 1 FROM ${tables.jobs} WHERE ${condition}${within} LIMIT 1`, bindings);
  return {
    ready: (yield* exists(`status = 'ready'`)) !== undefined,
    reserved: (yield* exists(`status = 'reserved'`)) !== undefined,
    retrying: (yield* exists(`status = 'waiting' AND attempt > 0`)) !== undefined,
    delayed: (yield* exists(`status = 'waiting' AND attempt = 0`)) !== undefined,
  };
}

/** Removes completed jobs that ended at or before `endedBy`, some at a time. */
export function* removeCompleted(tables: Tables, endedBy: number): Script<void> {
  yield* change(`DELETE FROM ${tables.jobs} WHERE id IN (SELECT id FROM ${tables.jobs} WHERE status = 'completed' AND ended_at <= ? ORDER BY ended_at LIMIT ?)`, [endedBy, removedAtOnce]);
}
