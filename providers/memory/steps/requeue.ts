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

interface Moved {
  readonly request: RequeueRequest;
  readonly job: MemoryJob;
}

/** Puts failed jobs back as new runs of themselves: attempts from 0, history kept. Job and log move in one step. */
export function requeue(memory: Memory, requests: readonly RequeueRequest[], options: RequeueOptions): readonly RequeueOutcome[] {
  const outcomes = wouldRequeue(memory, requests, options.log);
  const moved = requests
    .filter((_, index) => outcomes[index] === 'requeued')
    .map((request) => ({ request, job: reopen(memory, request) ?? restore(memory, request, options.now) }));
  for (const one of moved) if (!one.request.atFront) place(memory, one, options.now);
  // Those that go to the front keep their order among each other, so the last of them is placed first.
  for (const one of moved.toReversed()) if (one.request.atFront) place(memory, one, options.now);
  for (const { request } of moved) tellLog(memory, request, options);
  return outcomes;
}

/** What {@link requeue} would say, without doing it. */
export function wouldRequeue(
  { jobs, graves }: Memory,
  requests: readonly RequeueRequest[],
  log: MemoryFailureLog | undefined,
): readonly RequeueOutcome[] {
  const seen = new Set<string>();
  const taken = new Set<string>();
  return requests.map((request) => {
    const { jobId, unique } = request;
    if (seen.has(jobId)) return 'not_failed';
    seen.add(jobId);
    const holder = unique === undefined ? undefined : jobs.holderOf(unique.key);
    if ((holder !== undefined && holder.id !== jobId) || (unique !== undefined && taken.has(unique.key))) return 'duplicate';
    const job = jobs.find(jobId);
    if (!(job === undefined ? !graves.has(jobId) && mayBeRestored(request, log) : mayBeReopened(job, request, log))) return 'not_failed';
    if (unique !== undefined) taken.add(unique.key);
    return 'requeued';
  });
}

/** Not one that was moved, or resolved by hand, since. */
function mayBeReopened({ id, state, run }: MemoryJob, request: RequeueRequest, log: MemoryFailureLog | undefined): boolean {
  return state === 'failed' && run === request.run && log?.standing(id)?.status !== 'resolved';
}

/** Not one that was forgotten since, nor one that was retried and is gone because it succeeded. */
function mayBeRestored({ jobId, run }: RequeueRequest, log: MemoryFailureLog | undefined): boolean {
  if (log === undefined) return true;
  const onRecord = log.standing(jobId);
  return onRecord?.status === 'failed' && onRecord.run === run;
}

/** The failed job in its next run. */
function reopen({ jobs }: Memory, { jobId, queue, unique, editedMemento }: RequeueRequest): MemoryJob | undefined {
  const job = jobs.find(jobId);
  if (job === undefined) return undefined;
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
): MemoryJob {
  const job = jobs.add({ id: jobId, name, priority, createdAt: now, memento: editedMemento ?? memento, run: run + 1, queue });
  jobs.hold(job, unique);
  return job;
}

function place({ jobs }: Memory, { request: { delayMs, atFront }, job }: Moved, now: number): void {
  if (delayMs > 0) jobs.wait(job, now + delayMs);
  else if (atFront) jobs.makeReadyAtFront(job, now);
  else jobs.makeReady(job, now);
}

function tellLog(
  { announcements }: Memory,
  { jobId, run, name, note, bulkRetry }: RequeueRequest,
  { log, now: at, newEventId }: RequeueOptions,
): void {
  const opened = { jobId, run: run + 1, at };
  const step = { ...(note === undefined ? {} : { note }), ...(bulkRetry === undefined ? {} : { bulkRetry }) };
  if (log !== undefined) log.retryingNow({ ...opened, ...step });
  else announcements.add({ ...opened, eventId: newEventId(), kind: 'retrying', name, text: undefined, session: undefined, step });
}
