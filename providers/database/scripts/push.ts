import type { JobEnvelope } from '../../../src/provider/queue-provider.ts';
import { first, type Script } from '../../../src/store/script.ts';
import type { NewRow } from '../../../src/store/sql-dialect.ts';
import type { Tables } from '../tables.ts';

/**
 * Stores jobs in the order of the list: ready at once, or waiting for their delay. Returns their ids; for one whose
 * unique key is held, nothing is stored and the id is the holder's.
 */
export function* push(tables: Tables, queue: string, jobs: readonly JobEnvelope[], now: number): Script<readonly string[]> {
  const { sql } = tables;
  let seq = yield* sql.draw('ready', jobs.filter((job) => job.delayMs === 0).length);
  const ids: string[] = [];
  const rows: NewRow[] = [];
  const taken = new Map<string, string>();
  for (const job of jobs) {
    const { key, scope } = job.unique ?? {};
    const holder = key === undefined ? undefined : (taken.get(key) ?? (yield* holderOf(tables, key)));
    ids.push(holder ?? job.id);
    const isReady = job.delayMs === 0;
    if (isReady) seq++;
    if (holder !== undefined) continue;
    if (key !== undefined) taken.set(key, job.id);
    rows.push({
      uuid: job.id,
      queue,
      mapping: job.name,
      memento: job.memento,
      status: isReady ? 'ready' : 'waiting',
      priority: job.priority,
      ready_seq: isReady ? seq : null,
      available_at: now + job.delayMs,
      created_at: now,
      unique_key: key ?? null,
      unique_scope: scope ?? null,
    });
  }
  yield* sql.insertAll(tables.jobs, rows);
  return ids;
}

/** The job that holds a unique key. */
export function* holderOf(tables: Tables, key: string): Script<string | undefined> {
  return (yield* first<{ uuid: string }>(`SELECT uuid FROM ${tables.jobs} WHERE unique_key = ?`, [key]))?.uuid;
}
