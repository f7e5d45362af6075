import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../clock.ts';
import { isRedriveError, type RedriveError } from '../errors.ts';
import type { InterceptorBus } from '../interceptor/bus.ts';
import type { Json } from '../job/json.ts';
import { storedOptions } from '../job/memento.ts';
import type { JobRegistry } from '../job/registry.ts';
import type { Logger } from '../logger.ts';
import type { QueueProvider, RequeueOutcome, RequeueRequest, UniqueKey } from '../provider/queue-provider.ts';
import type { AuditNote } from '../record/audit-log.ts';
import type { BulkHold } from '../record/bulk-retry-log.ts';
import type { FailureLog, RunStep, StoredFailedJob } from '../record/failure-log.ts';
import type { Redactor } from '../record/redaction.ts';
import { audited } from './audit.ts';
import { takeOver } from './cbq-job.ts';
import { editJob } from './edit.ts';
import type { RetryOutcome, RetryStatus } from './failed-job.ts';
import type { ResolvedRetry } from './retry-options.ts';

export interface MoverContext {
  readonly log: FailureLog;
  readonly clock: Clock;
  readonly bus: InterceptorBus;
  readonly redactor: Redactor;
  readonly registry: JobRegistry;
  readonly logger: Logger;
  /** Undefined for a connection this config does not know. */
  readonly provider: (connection: string) => Promise<QueueProvider | undefined>;
}

export interface MoveOptions extends ResolvedRetry {
  readonly dryRun: boolean;
  /** Written down with the move; undefined for one that is told of otherwise. */
  readonly audit: AuditNote | undefined;
  /** Set where a bulk retry does it. */
  readonly bulk?: BulkMove;
}

/** What moving the jobs of a bulk retry takes besides. */
export interface BulkMove {
  readonly id: number;
  /** The lease that each move needs, and is prolonged by. */
  hold(): BulkHold;
  /** What cbq wrote has become this job. */
  claimed(failedJob: number, jobId: string): Promise<void>;
  /** The failed-jobs log could not be told of moves: whoever hears of it tells it later. */
  untold(steps: readonly RunStep[]): void;
}

type Id = string | number;

/** A failed job, and the id by which it was asked for. */
export interface Target {
  readonly id: Id;
  readonly stored: StoredFailedJob;
}

/** A failed job that may be put back: as what, and what is to be said of it. */
interface Candidate extends Target {
  readonly jobId: string;
  readonly memento: string;
  /** Only where it is not what the job's own row holds. */
  readonly editedMemento?: string;
  readonly properties: Json;
  readonly unique?: UniqueKey;
  readonly detail?: string;
}

/** Puts failed jobs back, as many as are given in one transaction for each connection. */
export class Mover {
  constructor(
    private readonly context: MoverContext,
    private readonly options: MoveOptions,
  ) {}

  /** An outcome for each, in order. Throws only where a store cannot be reached. */
  async move(targets: readonly Target[]): Promise<readonly RetryOutcome[]> {
    const outcomes = new Map<Id, RetryOutcome>();
    const byConnection = new Map<string, Target[]>();
    for (const target of targets) {
      const { id, stored } = target;
      if (stored.status !== 'failed') outcomes.set(id, outcomeOf(id, 'not_failed', `it is ${stored.status}`));
      else byConnection.set(stored.connection, [...(byConnection.get(stored.connection) ?? []), target]);
    }
    for (const [connection, group] of byConnection) for (const one of await this.moveOn(connection, group)) outcomes.set(one.id, one);
    return targets.map(({ id }) => outcomes.get(id) ?? outcomeOf(id, 'error'));
  }

  private async moveOn(connection: string, group: readonly Target[]): Promise<readonly RetryOutcome[]> {
    const provider = await this.context.provider(connection);
    if (provider === undefined)
      return group.map(({ id }) => outcomeOf(id, 'error', `its connection "${connection}" is not in this config`));
    if (this.options.delayMs > 0 && !provider.capabilities.delay) {
      const refusal = `the provider of its connection "${connection}" knows no delay; retry it without`;
      return group.map(({ id }) => outcomeOf(id, 'error', refusal));
    }
    const outcomes: RetryOutcome[] = [];
    const candidates: Candidate[] = [];
    for (const target of group) {
      const candidate = await this.candidate(target);
      if ('status' in candidate) outcomes.push(candidate);
      else candidates.push(candidate);
    }
    if (candidates.length === 0) return outcomes;
    const requests = candidates.map((candidate) => this.request(candidate));
    const moved = await this.requeue(provider, requests);
    for (const [index, candidate] of candidates.entries()) {
      outcomes.push(this.outcome(candidate, moved[index]));
      if (moved[index] === 'requeued' && !this.options.dryRun) await this.tell(candidate);
    }
    if (!this.options.dryRun)
      await this.runHere(
        provider,
        requests.filter((_, index) => moved[index] === 'requeued'),
      );
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
  private async candidate(target: Target): Promise<Candidate | RetryOutcome> {
    const { id, stored } = target;
    try {
      const found = stored.jobId === null || stored.rule === null ? this.ofCbq(target) : ofOurs(target);
      const { patch } = this.options;
      const candidate = patch === undefined ? found : await this.edited(found, patch);
      if (stored.jobId !== null || this.options.dryRun) return candidate;
      if (!(await this.context.log.claim(stored.id, candidate.jobId))) return outcomeOf(id, 'not_failed', details.not_failed);
      await this.options.bulk?.claimed(stored.id, candidate.jobId);
      return candidate;
    } catch (error) {
      if (!isOfTheJob(error)) throw error;
      return outcomeOf(id, 'error', this.context.redactor.text(error.message));
    }
  }

  private ofCbq({ id, stored }: Target): Candidate {
    const taken = takeOver(stored, stored.jobId ?? uuidv7(), this.context.clock.now());
    return { id, stored, properties: stored.properties, ...taken, ...uniqueOf(taken.memento) };
  }

  private async edited(candidate: Candidate, patch: NonNullable<ResolvedRetry['patch']>): Promise<Candidate> {
    const { unique: _unique, ...rest } = candidate;
    const { memento: editedMemento, properties, unique } = await editJob(candidate.memento, patch, this.context.registry);
    return { ...rest, editedMemento, properties, ...(unique === undefined ? {} : { unique }) };
  }

  private request({ stored, jobId, memento, editedMemento, unique }: Candidate): RequeueRequest {
    const { queue, atFront, delayMs, note, bulk } = this.options;
    const { run, job: name } = stored;
    return {
      jobId,
      run,
      name,
      memento,
      priority: storedOptions(memento).priority ?? 0,
      queue: queue ?? stored.queue,
      delayMs,
      atFront,
      ...(editedMemento === undefined ? {} : { editedMemento }),
      ...(unique === undefined ? {} : { unique }),
      ...(note === undefined ? {} : { note }),
      ...(bulk === undefined ? {} : { bulkRetry: bulk.id }),
    };
  }

  private async requeue(provider: QueueProvider, requests: readonly RequeueRequest[]): Promise<readonly RequeueOutcome[]> {
    const { log, logger } = this.context;
    const { dryRun, audit, bulk } = this.options;
    if (dryRun) return provider.requeue(requests, { dryRun });
    const joins = await provider.keepsAudit();
    const hold = bulk?.hold();
    if (hold !== undefined && !joins) await log.bulkRetries.hold(hold);
    const movedOf = (outcomes: readonly RequeueOutcome[]): readonly RequeueRequest[] =>
      requests.filter((_, index) => outcomes[index] === 'requeued');
    const run = (note: AuditNote | undefined): Promise<readonly RequeueOutcome[]> =>
      provider.requeue(requests, {
        ...(note === undefined ? {} : { audit: note }),
        ...(hold === undefined || !joins ? {} : { hold }),
      });
    const done = (outcomes: readonly RequeueOutcome[]): readonly string[] => movedOf(outcomes).map(({ jobId }) => jobId);
    const outcomes =
      audit === undefined ? await run(undefined) : await audited({ audit: log.audit, provider, logger }, { note: audit, run, done });
    if (!joins) await this.tellLog(movedOf(outcomes));
    return outcomes;
  }

  /**
   * Where the log is in another database than the jobs it is told at once; if it cannot be reached, the announcement that
   * the move left behind tells it later.
   */
  private async tellLog(moved: readonly RequeueRequest[]): Promise<void> {
    const at = this.context.clock.now();
    const steps = moved.map(({ jobId, run, note, bulkRetry }) => ({
      jobId,
      run: run + 1,
      at,
      ...(note === undefined ? {} : { note }),
      ...(bulkRetry === undefined ? {} : { bulkRetry }),
    }));
    if (steps.length > 0) await this.context.log.retrying(steps).catch(() => this.options.bulk?.untold(steps));
  }

  private outcome({ id, detail }: Candidate, moved: RequeueOutcome | undefined): RetryOutcome {
    if (moved === 'requeued') return this.options.dryRun ? outcomeOf(id, 'would_requeue') : outcomeOf(id, 'requeued', detail);
    return outcomeOf(id, moved ?? 'error', details[moved ?? 'error']);
  }

  private async tell({ stored, jobId: id, properties }: Candidate): Promise<void> {
    const { bus, clock, redactor } = this.context;
    if (!bus.hears('onJobRetried')) return;
    const { job: name, connection, maxAttempts, failedAt } = stored;
    const run = stored.run + 1;
    const job = Object.freeze({
      id,
      name,
      queue: this.options.queue ?? stored.queue,
      connection,
      // What cbq wrote was never redacted, nor is what was edited.
      properties: redactor.json(properties, 'properties'),
      attempt: 0,
      maxAttempts,
      run,
      createdAt: new Date(stored.createdAt ?? failedAt),
    });
    await bus.emit('onJobRetried', { eventId: uuidv7(), at: new Date(clock.now()), job, by: this.options.by, run });
  }
}

const details: Partial<Record<RetryStatus, string>> = {
  not_failed: 'somebody else moved it first',
  duplicate: 'another job holds its unique key',
};

/** A job that was edited before goes on as what it became. */
function ofOurs({ id, stored }: Target): Candidate {
  const memento = stored.editedMemento ?? stored.memento;
  return { id, stored, jobId: stored.jobId ?? '', memento, properties: stored.properties, ...uniqueOf(memento) };
}

function uniqueOf(memento: string): { readonly unique?: UniqueKey } {
  const { unique } = storedOptions(memento);
  return unique === undefined ? {} : { unique };
}

/** What is wrong with one job, and not with the store it is in. */
function isOfTheJob(error: unknown): error is RedriveError {
  return isRedriveError(error) && ['PAYLOAD_UNREADABLE', 'PROPERTIES_INVALID', 'OPTIONS_INVALID'].includes(error.code);
}

export function outcomeOf(id: Id, status: RetryStatus, detail?: string): RetryOutcome {
  return detail === undefined ? { id, status } : { id, status, detail };
}
