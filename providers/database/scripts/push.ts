import type { JobEnvelope } from '../../../src/provider/queue-provider.ts';
import { change, type Script } from '../../../src/store/script.ts';
import type { Tables } from '../tables.ts';
import { drawReadySeqs } from './sequence.ts';

/** Stores jobs in the order of the list: ready at once, or waiting for their delay. */
export function* push(tables: Tables, queue: string, jobs: readonly JobEnvelope[], now: number): Script<void> {
  const insert = `INSERT INTO ${tables.jobs} (uuid, queue, mapping, memento, status, priority, ready_seq, available_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  const readyCount = jobs.filter((job) => job.delayMs === 0).length;
  let seq = yield* drawReadySeqs(readyCount);
  for (const job of jobs) {
    const place = job.delayMs === 0 ? ['ready', job.priority, ++seq, null] : ['waiting', job.priority, null, now + job.delayMs];
    yield* change(insert, [job.id, queue, job.name, job.memento, ...place, now]);
  }
}
