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
    if (isDuplicate(memory, request)) return 'duplicate';
    const job = reopen(memory, request) ?? restore(memory, request, options.now);
    if (job === undefined) return 'not_failed';
    place(memory, job, request, options.now);
    tellLog(memory, request, options);
    return 'requeued';
  });
}

/** True where another job holds this one's unique key by now. */
function isDuplicate({ jobs }: Memory, { jobId, unique }: RequeueRequest): boolean {
  const holder = unique === undefined ? undefined : jobs.holderOf(unique.key);
  return holder !== undefined && holder.id !== jobId;
}

/** The job in its next run; undefined where it has not failed in this one. Of two retries of one run one gets it. */
function reopen({ jobs }: Memory, { jobId, run, queue, unique, editedMemento }: RequeueRequest): MemoryJob | undefined {
  const job = jobs.find(jobId);
  if (job === undefined || job.state !== 'failed' || job.run !== run) return undefined;
  jobs.reopen(job, queue);
  jobs.hold(job, unique);
  job.memento = editedMemento ?? job.memento;
  return job;
}

/** A job that is gone, while its failure is on record, is made anew from the record. */
function restore(
  { jobs }: Memory,
  { jobId, run, name, queue, priority, unique, memento, editedMemento }: RequeueRequest,
  now: number,
): MemoryJob | undefined {
  if (jobs.find(jobId) !== undefined) return undefined;
  const job = jobs.add({ id: jobId, name, priority, createdAt: now, memento: editedMemento ?? memento, run: run + 1, queue });
  jobs.hold(job, unique);
  return job;
}

function place({ jobs }: Memory, job: MemoryJob, { delayMs, atFront }: RequeueRequest, now: number): void {
  if (delayMs > 0) jobs.wait(job, now + delayMs);
  else if (atFront) jobs.makeReadyAtFront(job, now);
  else jobs.makeReady(job, now);
}

function tellLog(
  { announcements }: Memory,
  { jobId, run, name, note }: RequeueRequest,
  { log, now: at, newEventId }: RequeueOptions,
): void {
  const step = { jobId, run: run + 1, at };
  if (log === undefined) announcements.add({ eventId: newEventId(), kind: 'retrying', name, text: undefined, session: undefined, ...step });
  else log.retryingNow(note === undefined ? step : { ...step, note });
}
