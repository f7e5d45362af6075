import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../clock.ts';
import { didYouMean } from '../config/nearest.ts';
import { durationMs } from '../duration.ts';
import { RedriveError } from '../errors.ts';
import type { InterceptorBus } from '../interceptor/bus.ts';
import type { JsonObject } from '../job/json.ts';
import { decodeMemento, type StoredOptions } from '../job/memento.ts';
import type { QueueProvider, RequeueRequest } from '../provider/queue-provider.ts';
import type { FailedJobFilter, FailureLog, Place, StoredFailedJob } from '../record/failure-log.ts';
import type { Redactor } from '../record/redaction.ts';
import type { AuditNote } from '../record/audit-log.ts';
import type { Logger } from '../logger.ts';
import { audited, checkBy, noteOf } from './audit.ts';
import { takeOver } from './cbq-job.ts';
import type { RetryOptions, RetryOutcome, RetryResult, RetryStatus } from './failed-job.ts';
import { parseId } from './filter.ts';

/** Failed jobs moved by one transaction. */
const chunkSize = 200;
const knownOptions = ['delay', 'queue', 'atFront', 'dryRun', 'by', 'note'];

export interface RetryContext {
  readonly log: FailureLog;
  readonly clock: Clock;
  readonly bus: InterceptorBus;
  readonly redactor: Redactor;
  readonly logger: Logger;
  /** Undefined for a connection this config does not know. */
  readonly provider: (connection: string) => Promise<QueueProvider | undefined>;
  readonly providers: () => Promise<ReadonlyMap<string, QueueProvider>>;
}

type Id = string | number;

interface Target {
  readonly id: Id;
  readonly stored: StoredFailedJob;
}

/** A failed job that may be put back: as what, and what is to be said of it. */
interface Candidate extends Target {
  readonly jobId: string;
  readonly memento: string;
  readonly detail?: string;
}

/** One call of `failedJobs.retry`. */
export class Retry {
  private readonly delayMs: number;
  private readonly by: string;
  private note: AuditNote;

  constructor(
    private readonly context: RetryContext,
    private readonly options: RetryOptions,
  ) {
    for (const key of Object.keys(options))
      if (!knownOptions.includes(key))
        throw new RedriveError('OPTIONS_INVALID', `${key}: no such option of retry${didYouMean(key, knownOptions)}`);
    this.by = checkBy(options.by);
    this.note = this.noteOf(undefined);
    this.delayMs = options.delay === undefined ? 0 : durationMs(options.delay, 'delay');
    if (options.queue !== undefined && options.queue.trim() === '') throw new RedriveError('OPTIONS_INVALID', 'queue: must be a name');
  }

  /** An outcome for each id, in order. */
  async ids(ids: readonly Id[]): Promise<RetryResult> {
    const outcomes: RetryOutcome[] = [];
    for (let from = 0; from < ids.length; from += chunkSize) outcomes.push(...(await this.chunk(ids.slice(from, from + chunkSize))));
    return summed(outcomes);
  }

  /** Everything that matches now; what fails again meanwhile has a higher number and is left alone. */
  async matching(filter: FailedJobFilter): Promise<RetryResult> {
    const outcomes: RetryOutcome[] = [];
    this.note = this.noteOf(filter);
    const through = await this.context.log.lastSeq();
    for (let after: Place | undefined; ;) {
      const page = { through, limit: chunkSize, order: 'oldest' as const, ...(after === undefined ? {} : { after }) };
      const rows = await this.context.log.list(filter, page);
      outcomes.push(...(await this.move(rows.map((stored) => ({ id: stored.jobId ?? stored.id, stored })))));
      const last = rows.at(-1);
      if (last === undefined) return summed(outcomes);
      after = last.place;
    }
  }

  private async chunk(ids: readonly Id[]): Promise<readonly RetryOutcome[]> {
    const targets = await Promise.all(ids.map(async (id) => ({ id, stored: await this.context.log.find(parseId(id)) })));
    const seen = new Set<number>();
    const repeated = new Set<number>();
    targets.forEach(({ stored }, index) => {
      if (stored === undefined) return;
      if (seen.has(stored.id)) repeated.add(index);
      seen.add(stored.id);
    });
    const found = targets.flatMap(({ id, stored }, index) => (stored !== undefined && !repeated.has(index) ? [{ id, stored, index }] : []));
    const moved = await this.move(found);
    const outcomeAt = new Map(found.map(({ index }, position) => [index, moved[position]]));
    return Promise.all(
      targets.map(async ({ id, stored }, index) => {
        if (repeated.has(index)) return { id, status: 'not_failed' as const, detail: 'named twice' };
        return outcomeAt.get(index) ?? (stored === undefined ? this.unknown(id) : outcome(id, 'error'));
      }),
    );
  }

  /** What is to be said of an id that is no failed job's. */
  private async unknown(id: Id): Promise<RetryOutcome> {
    if (typeof id === 'string') {
      for (const provider of (await this.context.providers()).values())
        if ((await provider.find(id)) !== undefined) return outcome(id, 'not_failed', 'it has not failed');
    }
    return outcome(id, 'not_found', 'there is no failed job of this id');
  }

  private async move(targets: readonly Target[]): Promise<readonly RetryOutcome[]> {
    const outcomes = new Map<Id, RetryOutcome>();
    const byConnection = new Map<string, Target[]>();
    for (const target of targets) {
      const { id, stored } = target;
      if (stored.status !== 'failed') outcomes.set(id, outcome(id, 'not_failed', `it is ${stored.status}`));
      else byConnection.set(stored.connection, [...(byConnection.get(stored.connection) ?? []), target]);
    }
    for (const [connection, group] of byConnection) {
      for (const one of await this.moveOn(connection, group)) outcomes.set(one.id, one);
    }
    return targets.map(({ id }) => outcomes.get(id) ?? outcome(id, 'error'));
  }

  private async moveOn(connection: string, group: readonly Target[]): Promise<readonly RetryOutcome[]> {
    const provider = await this.context.provider(connection);
    if (provider === undefined) return group.map(({ id }) => outcome(id, 'error', `its connection "${connection}" is not in this config`));
    const outcomes: RetryOutcome[] = [];
    const candidates: Candidate[] = [];
    for (const target of group) {
      const candidate = this.candidate(target);
      if ('status' in candidate) outcomes.push(candidate);
      else if (this.delayMs > 0 && !provider.capabilities.delay)
        outcomes.push(outcome(target.id, 'error', `the provider of its connection "${connection}" knows no delay; retry it without`));
      else if (this.options.dryRun === true) outcomes.push(outcome(target.id, 'would_requeue'));
      else if (target.stored.jobId === null && !(await this.context.log.claim(target.stored.id, candidate.jobId)))
        outcomes.push(outcome(target.id, 'not_failed', details.not_failed));
      else candidates.push(candidate);
    }
    if (candidates.length === 0) return outcomes;
    const requests = candidates.map((candidate) => this.request(candidate));
    const { audit } = this.context.log;
    const moved = await audited(
      { audit, provider, logger: this.context.logger },
      {
        note: this.note,
        run: (note) => provider.requeue(requests, note === undefined ? {} : { audit: note }),
        done: (all) => requests.filter((_, index) => all[index] === 'requeued').map(({ jobId }) => jobId),
      },
    );
    const requeued = requests.filter((_, index) => moved[index] === 'requeued');
    await this.tellLog(requeued);
    for (const [index, { id, stored, jobId, detail }] of candidates.entries()) {
      const status = moved[index] ?? 'error';
      outcomes.push(outcome(id, status, status === 'requeued' ? detail : details[status]));
      if (status === 'requeued') await this.tell(stored, jobId);
    }
    await this.runHere(provider, requeued);
    return outcomes;
  }

  /** A provider without a background runs what was put back, now. That it was put back holds whatever comes of it. */
  private async runHere(provider: QueueProvider, requeued: readonly RequeueRequest[]): Promise<void> {
    if (requeued.length === 0) return;
    try {
      await provider.afterPush(requeued.map(({ jobId }) => jobId));
    } catch (error) {
      this.context.logger.error({ err: error, jobs: requeued.length }, 'Jobs were put back, but not run to their end');
    }
  }

  /** What is to be put back; what cbq wrote becomes a job of ours, which its row is told of before the job is there. */
  private candidate({ id, stored }: Target): Candidate | RetryOutcome {
    const { jobId, memento } = stored;
    if (jobId !== null && stored.rule !== null) return { id, stored, jobId, memento };
    try {
      return { id, stored, ...takeOver(stored, jobId ?? uuidv7(), this.context.clock.now()) };
    } catch (error) {
      return outcome(id, 'error', error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * A log that shares the jobs' database knows already, and nothing changes. One elsewhere is told at once; where it
   * cannot be reached, the announcement that the move left behind tells it later.
   */
  private async tellLog(moved: readonly RequeueRequest[]): Promise<void> {
    const at = this.context.clock.now();
    const steps = moved.map(({ jobId, run, note }) => ({ jobId, run: run + 1, at, ...(note === undefined ? {} : { note }) }));
    if (steps.length > 0) await this.context.log.retrying(steps).catch(() => undefined);
  }

  private request({ stored, jobId, memento }: Candidate): RequeueRequest {
    const { queue, atFront = false, note } = this.options;
    const { run, job: name } = stored;
    const { priority = 0, unique } = storedOptions(memento);
    return {
      jobId,
      run,
      name,
      memento,
      priority,
      ...(unique === undefined ? {} : { unique }),
      queue: queue ?? stored.queue,
      delayMs: this.delayMs,
      atFront,
      ...(note === undefined ? {} : { note }),
    };
  }

  private noteOf(filter: FailedJobFilter | undefined): AuditNote {
    const { by: _by, dryRun: _dryRun, atFront, ...others } = this.options;
    const said = atFront === true ? { ...others, atFront } : others;
    const detail = JSON.parse(JSON.stringify(said)) as JsonObject;
    return noteOf(
      {
        action: 'retried',
        by: this.by,
        ...(filter === undefined ? {} : { filter }),
        ...(Object.keys(detail).length === 0 ? {} : { detail }),
      },
      this.context,
    );
  }

  private async tell(stored: StoredFailedJob, id: string): Promise<void> {
    const { bus, clock, redactor } = this.context;
    if (!bus.hears('onJobRetried')) return;
    const { job: name, connection, maxAttempts, failedAt } = stored;
    // What cbq wrote was never redacted.
    const properties = redactor.json(stored.properties, 'properties');
    const run = stored.run + 1;
    const job = Object.freeze({
      id,
      name,
      queue: this.options.queue ?? stored.queue,
      connection,
      properties,
      attempt: 0,
      maxAttempts,
      run,
      createdAt: new Date(stored.createdAt ?? failedAt),
    });
    await bus.emit('onJobRetried', { eventId: uuidv7(), at: new Date(clock.now()), job, by: this.by, run });
  }
}

const details: Partial<Record<RetryStatus, string>> = {
  not_failed: 'somebody else moved it first',
  duplicate: 'another job holds its unique key',
};

/** What a dispatch said; nothing where the payload cannot be read, which is why it failed. */
function storedOptions(memento: string): StoredOptions {
  try {
    return decodeMemento(memento).options;
  } catch {
    return {};
  }
}

function outcome(id: Id, status: RetryStatus, detail?: string): RetryOutcome {
  return detail === undefined ? { id, status } : { id, status, detail };
}

function summed(outcomes: readonly RetryOutcome[]): RetryResult {
  return { requeued: outcomes.filter(({ status }) => status === 'requeued').length, outcomes };
}
