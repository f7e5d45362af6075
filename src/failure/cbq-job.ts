import { readCbqMemento, recodeCbqMemento } from '../job/cbq-memento.ts';
import type { StoredFailedJob } from '../record/failure-log.ts';

/** A job of ours made of one of cbq's. */
export interface TakenOver {
  readonly jobId: string;
  readonly memento: string;
  /** For a person: the new job's id, and what is not taken over. */
  readonly detail: string;
}

/** Makes a job of ours of what cbq wrote down about one of its own. Throws `PAYLOAD_UNREADABLE` where that says too little. */
export function takeOver(stored: StoredFailedJob, jobId: string, createdAt: number): TakenOver {
  const cbq = readCbqMemento(stored.memento);
  const memento = recodeCbqMemento(cbq, { id: jobId, name: stored.job, createdAt });
  const left = [
    cbq.chained === 0 ? undefined : `without the ${cbq.chained} job(s) chained to it`,
    cbq.isOfBatch ? 'outside of its batch' : undefined,
  ];
  return { jobId, memento, detail: [`as job ${jobId}`, ...left.filter((part) => part !== undefined)].join(', ') };
}
