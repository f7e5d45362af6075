import type { JobEnvelope } from '../../../src/provider/queue-provider.ts';
import { change, first, type Script } from '../../../src/store/script.ts';
import type { Tables } from '../tables.ts';
import { drawReadySeqs } from './sequence.ts';

/**
 * Stores jobs in the order of the list: ready at once, or waiting for their delay. Returns their ids; for one whose
 * unique key is held, nothing is stored and the id is the holder's.
 */
export function* push(tables: Tables, queue: string, jobs: readonly JobEnvelope[], now: number): Script<readonly string[]> {
  const insert = `INSERT INTO ${tables.jobs} (uuid, queue, mapping, memento, status, priority, ready_seq, available_at, created_at, unique_key, unique_scope)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  const insertUnique = `${insert} ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO NOTHING`;
  const readyCount = jobs.filter((job) => job.delayMs === 0).length;
  let seq = yield* drawReadySeqs(readyCount);
  const ids: string[] = [];
  for (const job of jobs) {
    const place = job.delayMs === 0 ? ['ready', job.priority, ++seq, now] : ['waiting', job.priority, null, now + job.delayMs];
    const { key = null, scope = null } = job.unique ?? {};
    const stored = yield* change(key === null ? insert : insertUnique, [job.id, queue, job.name, job.memento, ...place, now, key, scope]);
    ids.push(stored > 0 ? job.id : ((yield* holderOf(tables, key)) ?? job.id));
  }
  return ids;
}

/** The job that holds a unique key. */
export function* holderOf(tables: Tables, key: string | null): Script<string | undefined> {
  return (yield* first<{ uuid: string }>(`SELECT uuid FROM ${tables.jobs} WHERE unique_key = ?`, [key]))?.uuid;
}
