import type { QueueStats } from '../../../src/provider/queue-provider.ts';
import { all, type Script } from '../../../src/store/script.ts';
import { nameless, type Tables } from '../tables.ts';

/** Adds to the number of completed jobs of a queue, in the row of one session. */
export function* countCompleted({ sql, counts }: Tables, queue: string, session: number, count: number): Script<void> {
  yield* sql.add(counts, { queue, session }, 'completed', count);
}

interface StateRow {
  readonly queue: string;
  readonly status: string;
  readonly count: number;
  readonly oldest: number | null;
}

/** Every queue that holds or held jobs, or only the one named. */
export function* stats(tables: Tables, queue: string | undefined, now: number): Script<readonly QueueStats[]> {
  const [where, bindings] = queue === undefined ? ['', []] : ['WHERE queue = ?', [queue]];
  const rows = yield* all<StateRow>(
    `SELECT queue, status, count(*) AS count, min(available_at) AS oldest FROM ${tables.jobs} ${where} GROUP BY queue, status`,
    bindings,
  );
  // Those of forgotten jobs are on no queue.
  const states = rows.filter((row) => row.queue !== nameless);
  const completed = yield* all<{ queue: string; completed: number }>(
    `SELECT queue, sum(completed) AS completed FROM ${tables.counts} ${where} GROUP BY queue`,
    bindings,
  );
  const paused = yield* all<{ queue: string }>(`SELECT queue FROM ${tables.pausedQueues} ${where}`, bindings);
  const names = [...new Set([...states, ...completed, ...paused].map((row) => row.queue))].toSorted();
  return names.map((name) => {
    const of = (status: string): StateRow | undefined => states.find((row) => row.queue === name && row.status === status);
    const oldest = of('ready')?.oldest ?? null;
    return {
      queue: name,
      ready: of('ready')?.count ?? 0,
      delayed: of('waiting')?.count ?? 0,
      reserved: of('reserved')?.count ?? 0,
      failed: of('failed')?.count ?? 0,
      completed: completed.find((row) => row.queue === name)?.completed ?? 0,
      oldestReadyAge: oldest === null ? null : Math.max(now - oldest, 0) / 1_000,
      ...(paused.some((row) => row.queue === name) ? { paused: true as const } : {}),
    };
  });
}
