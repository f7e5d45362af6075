import type { RequeueOutcome, RequeueRequest } from '../../../src/provider/queue-provider.ts';
import type { MemoryJob } from '../jobs.ts';
import type { Memory } from '../memory.ts';
import type { MemoryFailureLog } from '../memory-failure-log.ts';

export interface RequeueOptions {
  /** The failed-jobs log where it is in memory too. */
  readonly log: MemoryFailureLog | undefined;
  readonly now: number;
  /** Event ids for a log elsewhere. */
  readonly newEventId: () => string;
}

/** Puts failed jobs back as new runs of themselves: attempts from 0, history kept. Job and log move in one step. */
export function requeue(memory: Memory, requests: readonly RequeueRequest[], options: RequeueOptions): readonly RequeueOutcome[] {
  return requests.map((request) => {
    const job = reopen(memory, request) ?? restore(memory, request, options.now);
    if (job === undefined) return 'not_failed';
    place(memory, job, request, options.now);
    tellLog(memory, request, options);
    return 'requeued';
  });
}

/** The job in its next run; undefined where it has not failed in this one. Of two retries of one run one gets it. */
function reopen({ jobs }: Memory, { jobId, run, queue, editedMemento }: RequeueRequest): MemoryJob | undefined {
  const job = jobs.find(jobId);
  if (job === undefined || job.status !== 'failed' || job.run !== run) return undefined;
  jobs.moveTo(job, queue);
  job.run = run + 1;
  job.attempt = 0;
  job.memento = editedMemento ?? job.memento;
  return job;
}

/** A job that is gone, while its failure is on record, is made anew from the record. */
function restore({ jobs }: Memory, { jobId, run, name, queue, memento, editedMemento }: RequeueRequest, now: number): MemoryJob | undefined {
  if (jobs.find(jobId) !== undefined) return undefined;
  return jobs.add({ id: jobId, name, priority: 0, createdAt: now, memento: editedMemento ?? memento, run: run + 1, queue });
}

function place({ jobs }: Memory, job: MemoryJob, { delayMs, atFront }: RequeueRequest, now: number): void {
  if (delayMs > 0) jobs.wait(job, now + delayMs);
  else if (atFront) jobs.makeReadyAtFront(job);
  else jobs.makeReady(job);
}

function tellLog({ announcements }: Memory, { jobId, run, name, note }: RequeueRequest, { log, now: at, newEventId }: RequeueOptions): void {
  const step = { jobId, run: run + 1, at };
  if (log === undefined) announcements.add({ eventId: newEventId(), kind: 'retrying', name, text: undefined, session: undefined, ...step });
  else log.retryingNow(note === undefined ? step : { ...step, note });
}
