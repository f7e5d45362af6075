import { v7 as uuidv7 } from 'uuid';
import type { ResolvedPool } from '../config/resolved.ts';
import { RedriveError, isRedriveError } from '../errors.ts';
import { within, type GuardOptions } from '../guard.ts';
import type { JobInfo, PoolInfo } from '../interceptor/points.ts';
import { decodeMemento, type Memento } from '../job/memento.ts';
import type { JsonObject } from '../job/json.ts';
import type { RegisteredJob } from '../job/registry.ts';
import { validate } from '../job/standard-schema.ts';
import type { ReservedJob, Settlement, Transition } from '../provider/pull-provider.ts';
import { buildFailureRecord } from '../record/failure-record.ts';
import type { FailureRecord, WorkerIdentity } from '../record/types.ts';
import { chooseBackoff } from './choose-backoff.ts';
import { decide, needsBackoff, type Decision } from './decide.ts';
import type { Outcome } from './outcome.ts';
import { resolvePolicy, type AttemptPolicy } from './policy.ts';
import type { WorkerContext } from './worker-context.ts';

/** A reserved job with everything its attempt is judged by. */
export interface Case {
  readonly job: ReservedJob;
  readonly registered: RegisteredJob | undefined;
  /** Undefined where the stored job cannot be read. */
  readonly memento: Memento | undefined;
  /** Why the job cannot be run at all. */
  readonly fault: RedriveError | undefined;
  readonly policy: AttemptPolicy;
  /** What the job's schema made of the properties, where it has one. */
  readonly validated?: JsonObject;
  /** The properties as stored, whatever the handler did to its own copy; null where they cannot be read. */
  readonly pristine: () => JsonObject | null;
}

/** The attempt's end: what is written, and what is told. */
export interface Verdict {
  readonly decision: Decision;
  readonly settlement: Settlement;
  readonly record: FailureRecord | undefined;
  readonly durationMs: number;
}

export interface AttemptTimes {
  readonly startedAt: number | null;
  readonly endedAt: number;
}

/** Reads a reserved job; a payload that cannot be read and a name nobody registered are facts, not errors. */
export function openCase(job: ReservedJob, pool: ResolvedPool, context: WorkerContext): Case {
  const registered = context.registry.find(job.name);
  let memento: Memento | undefined;
  let fault: RedriveError | undefined;
  try {
    memento = decodeMemento(job.memento);
    if (registered === undefined)
      fault = new RedriveError(
        'JOB_UNKNOWN',
        `No job named "${job.name}" is registered here; add its class to jobs and retry the failed job`,
      );
  } catch (error) {
    fault = isRedriveError(error) ? error : new RedriveError('PAYLOAD_UNREADABLE', 'The stored job cannot be read', { cause: error });
  }
  const pristine = once(() => (memento === undefined ? null : decodeMemento(job.memento).properties));
  return { job, registered, memento, fault, pristine, policy: resolvePolicy(memento?.options ?? {}, registered?.policy, pool) };
}

/** The case with its properties put through the job's schema; what does not hold is a fault of the payload. */
export async function checkSchema(opened: Case, { clock, patienceMs }: GuardOptions): Promise<Case> {
  const schema = opened.registered?.options.schema;
  if (schema === undefined || opened.fault !== undefined || opened.memento === undefined) return opened;
  const { properties } = opened.memento;
  const checked = await within(clock, patienceMs, () => validate(schema, properties)).catch((error: Error) => ({
    ok: false as const,
    faults: [`the schema: ${error.message}`],
  }));
  if (checked.ok) return { ...opened, validated: checked.value as JsonObject };
  return {
    ...opened,
    fault: new RedriveError('PROPERTIES_INVALID', `The properties do not fit the job's schema: ${checked.faults.join('; ')}`, {
      faults: checked.faults,
    }),
  };
}

/** Payloads may be large, and most attempts end without anybody asking for them again. */
function once<T>(read: () => T): () => T {
  let kept: { readonly value: T } | undefined;
  return () => (kept ??= { value: read() }).value;
}

/** Judges outcomes of one pool's jobs and puts each verdict into the form in which it is stored. */
export class Judge {
  constructor(
    private readonly pool: ResolvedPool,
    private readonly context: WorkerContext,
  ) {}

  /** `ranBy`: the worker the attempt ran in, where it was not this one. */
  async judge(opened: Case, outcome: Outcome, times: AttemptTimes, ranBy?: WorkerIdentity): Promise<Verdict> {
    const backoffMs = await this.backoffMs(opened, outcome);
    const decision = decide(outcome, opened.job, { ...opened.policy, backoffMs }, times.endedAt);
    const durationMs = times.startedAt === null ? 0 : times.endedAt - times.startedAt;
    if (decision.action === 'complete') {
      const transition: Transition = { to: 'completed', result: resultText(decision.result) };
      return { decision, durationMs, record: undefined, settlement: { job: opened.job, transition } };
    }
    const record = this.record(opened, decision, times, ranBy);
    return { decision, durationMs, record, settlement: { job: opened.job, transition: transitionOf(decision), record } };
  }

  info(opened: Case): JobInfo {
    const { job, policy } = opened;
    return Object.freeze({
      id: job.id,
      name: job.name,
      queue: job.queue,
      connection: this.pool.connection,
      // Redacted: what listeners hear, they pass on.
      properties: this.context.redactor.json(opened.pristine(), 'properties'),
      attempt: job.attempt,
      maxAttempts: policy.maxAttempts,
      run: job.run,
      createdAt: new Date(job.createdAt),
    });
  }

  get poolInfo(): PoolInfo {
    return Object.freeze({ name: this.pool.name, connection: this.pool.connection });
  }

  private async backoffMs(opened: Case, outcome: Outcome): Promise<number | null> {
    if (!needsBackoff(outcome, opened.job, opened.policy)) return null;
    const { job, policy } = opened;
    const exception = 'exception' in outcome ? outcome.exception : undefined;
    const asked = {
      id: job.id,
      name: job.name,
      queue: job.queue,
      properties: typeof policy.backoff === 'function' ? structuredClone(opened.pristine()) : null,
    };
    const { clock, logger, interceptorTimeoutMs } = this.context;
    return chooseBackoff(policy, { attempt: job.attempt, exception, job: asked }, { clock, logger, patienceMs: interceptorTimeoutMs });
  }

  private record(
    opened: Case,
    decision: Exclude<Decision, { action: 'complete' }>,
    times: AttemptTimes,
    ranBy?: WorkerIdentity,
  ): FailureRecord {
    const { job, policy } = opened;
    const { context, pool } = this;
    return buildFailureRecord(
      {
        eventId: uuidv7(),
        jobId: job.id,
        connection: pool.connection,
        queue: job.queue,
        job: job.name,
        memento: job.memento,
        properties: opened.pristine(),
        createdAt: job.createdAt,
        kind: decision.kind,
        rule: decision.rule,
        thrown: decision.exception,
        run: job.run,
        attempt: decision.action === 'return' ? null : job.attempt,
        maxAttempts: policy.maxAttempts,
        startedAt: times.startedAt,
        endedAt: times.endedAt,
        retryAt: decision.action === 'retry' ? decision.availableAt : null,
        worker: { host: ranBy?.host ?? context.host, pid: ranBy?.pid ?? context.pid, pool: ranBy?.pool ?? pool.name },
        release: context.release ?? null,
      },
      context.redactor,
    );
  }
}

/** Results beyond this many characters are not kept: a result is for looking at, not for storage. */
const longestResult = 64 * 1024;

/** A result as JSON, or undefined for what JSON cannot carry or is too long; a job does not fail for its result. */
function resultText(result: unknown): string | undefined {
  if (result === undefined) return undefined;
  try {
    const text = JSON.stringify(result) as string | undefined;
    return text !== undefined && text.length <= longestResult ? text : undefined;
  } catch {
    return undefined;
  }
}

function transitionOf(decision: Exclude<Decision, { action: 'complete' }>): Transition {
  switch (decision.action) {
    case 'retry':
      return { to: 'retry', availableAt: decision.availableAt };
    case 'fail':
      return { to: 'failed' };
    case 'return':
      return { to: 'returned' };
  }
}
