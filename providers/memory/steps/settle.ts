import type { ResolvedRun, SettleBatch, SettleReceipt, Settlement } from '../../../src/provider/pull-provider.ts';
import type { MemoryJob } from '../jobs.ts';
import type { Memory } from '../memory.ts';
import { keepFailure, type KeptFailure, type MemoryFailureLog } from '../memory-failure-log.ts';
import { writeAttempt } from '../failure-text.ts';
import { forgetEnded } from './maintain.ts';

export interface SettleOptions {
  /** The caller's session: the fence. */
  readonly session: number;
  /** The failed-jobs log where it is in memory too. */
  readonly log: MemoryFailureLog | undefined;
  /** Whether there is a log at all. */
  readonly logIsOn: boolean;
  /** 0: completed jobs are removed at once. */
  readonly keepCompletedMs: number;
  readonly now: number;
  /** Event ids for successes that a log elsewhere has to be told of. */
  readonly newEventId: () => string;
}

/** A settlement with what it adds to the records, as text. */
interface Written {
  readonly settlement: Settlement;
  readonly attempt: string | undefined;
  readonly failure: KeptFailure | undefined;
}

/**
 * Applies many outcomes in one step: job states, attempts, failed jobs, announcements. A job that is not leased as the
 * settlement says was settled by an earlier call: nothing of it is written again.
 */
export function settle(memory: Memory, batch: SettleBatch, options: SettleOptions): SettleReceipt {
  // Before anything changes, all that could throw: there is no rollback here.
  const written = batch.settlements.map(write);
  memory.sessions.fence(options.session);
  const failedJobIds = new Map<string, number>();
  const resolved: ResolvedRun[] = [];
  const late = new Set<string>();
  for (const one of written) {
    const { job, record, transition } = one.settlement;
    const own = leased(memory, one.settlement);
    // What is not ours any more we settled before, unless another rescuer of this job of a dead session was first.
    if (own === undefined && job.lease.session !== options.session && record !== undefined && !memory.attempts.has(record)) {
      late.add(job.id);
      continue;
    }
    if (own !== undefined) {
      move(memory, own, one.settlement, options);
      keepRecords(memory, one, options);
      if (transition.to === 'completed' && job.run > 1)
        resolved.push({ eventId: options.newEventId(), jobId: job.id, run: job.run, at: options.now });
    }
    const number = transition.to === 'failed' ? options.log?.numberOf(job.id) : undefined;
    if (number !== undefined) failedJobIds.set(job.id, number);
  }
  const untold = keepSuccesses(memory, resolved, batch, options);
  for (const eventId of batch.announced) memory.announcements.remove(eventId);
  forgetEnded(memory, options);
  return { failedJobIds, late, resolved: untold };
}

function write(settlement: Settlement): Written {
  const { record, transition } = settlement;
  const failure = record !== undefined && transition.to === 'failed' ? keepFailure(record) : undefined;
  const attempt = record === undefined ? undefined : (failure?.text ?? writeAttempt(record));
  return { settlement, attempt, failure };
}

/** The job as it is leased to the settlement's session; undefined where it is not ours any more. */
function leased({ jobs }: Memory, { job }: Settlement): MemoryJob | undefined {
  const found = jobs.find(job.id);
  return found?.lease?.session === job.lease.session && found.lease.seq === job.lease.seq ? found : undefined;
}

function move({ jobs, sessions }: Memory, own: MemoryJob, { job, transition }: Settlement, { now }: SettleOptions): void {
  sessions.find(job.lease.session)?.held.delete(job.lease.seq);
  own.cancelReason = undefined;
  switch (transition.to) {
    case 'completed':
      jobs.complete(own, transition.result, now);
      own.attempt = job.attempt;
      return;
    case 'failed':
      jobs.fail(own, now);
      own.attempt = job.attempt;
      return;
    case 'returned':
      jobs.giveBack(own);
      return;
    case 'retry':
      own.attempt = job.attempt;
      if (transition.availableAt > now) jobs.wait(own, transition.availableAt);
      // Behind what is ready: it had its turn.
      else jobs.makeReady(own, now);
  }
}

function keepRecords(
  { attempts, announcements }: Memory,
  { settlement, attempt, failure }: Written,
  { log, session }: SettleOptions,
): void {
  const { record } = settlement;
  if (record === undefined || attempt === undefined) return;
  attempts.add(record, attempt);
  if (failure === undefined) return;
  log?.appendNow(failure);
  const { eventId, jobId, job: name, run, endedAt: at } = record;
  announcements.add({ eventId, kind: 'failed', jobId, name, run, at, text: failure.text, session });
}

/** A retried job that succeeded resolves its failed job: here, or by an announcement where the log is elsewhere. */
function keepSuccesses(
  { announcements }: Memory,
  resolved: readonly ResolvedRun[],
  batch: SettleBatch,
  { log, logIsOn, session }: SettleOptions,
): readonly ResolvedRun[] {
  if (!logIsOn) return [];
  if (log !== undefined) {
    for (const step of resolved) log.resolvedNow(step);
    return [];
  }
  const names = new Map(batch.settlements.map(({ job }) => [job.id, job.name]));
  for (const { eventId, jobId, run, at } of resolved) {
    announcements.add({ eventId, kind: 'resolved', jobId, name: names.get(jobId) ?? '', run, at, text: undefined, session });
  }
  return resolved;
}
