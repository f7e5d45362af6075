import { isRedriveError } from '../errors.ts';
import { within } from '../guard.ts';
import type { BackoffFunction, PlainBackoff } from '../job/backoff.ts';
import { describeBackoff } from '../job/describe-backoff.ts';
import { decodeMemento, type Memento } from '../job/memento.ts';
import { validate } from '../job/standard-schema.ts';
import type { StoredFailedJob } from '../record/failure-log.ts';
import { takeOver } from './cbq-job.ts';
import type { RetryStatus } from './failed-job.ts';
import { Retry, type RetryContext } from './retry.ts';

/** Who says how a job is run; `default`: the config, since none of its pools works the queue. */
export type RuleSource = 'dispatch' | 'job' | 'pool' | 'default';

/** How a job's attempts would be judged by the config of this process. */
export interface AttemptRules {
  /** 0: no limit. */
  readonly maxAttempts: number;
  readonly backoff: PlainBackoff | BackoffFunction;
  /** The pool that works the queue; undefined where this config has none. */
  readonly pool: string | undefined;
  readonly from: { readonly maxAttempts: RuleSource; readonly backoff: RuleSource };
}

/** What retrying a failed job would do, as far as this process can tell. */
export interface RetryForecast {
  /** Of a dry run at this moment. */
  readonly outcome: Extract<RetryStatus, 'would_requeue' | 'not_failed' | 'duplicate' | 'error'>;
  /** Why it would not move. */
  readonly detail?: string;
  readonly connection: string;
  readonly queue: string;
  /** There while that queue is paused: it would wait. */
  readonly paused?: true;
  /** The pool of this config that works the queue; null where none does. */
  readonly pool: string | null;
  /** 0: no limit. */
  readonly maxAttempts: number;
  /** The delays between them, in words. */
  readonly backoff: string;
  readonly from: AttemptRules['from'];
  /** There where the job asks for a unique key: the job that holds it, null where it is free, or the backend does not tell. */
  readonly uniqueKey?: { readonly heldBy: string | null };
  /** Whether this process knows a job of this name. */
  readonly registered: boolean;
  /** Whether its properties fit the schema; `none`: there is none, `unknown`: the job is not registered, or did not answer in time. */
  readonly schema: 'fits' | 'misfit' | 'none' | 'unknown' | 'unreadable';
  /** Of a misfit, redacted. */
  readonly faults?: readonly string[];
}

/** A job as far as the rules of its attempts depend on it. */
export interface RuledJob {
  readonly name: string;
  readonly queue: string;
  readonly memento: string;
}

export interface ForecastContext extends RetryContext {
  readonly rules: (job: RuledJob, connection: string) => AttemptRules;
}

/** A schema is code of the user's: a page that only looks waits no longer than this for it. */
const schemaPatienceMs = 2_000;

/** Looks ahead, and changes nothing. Throws only where a store cannot be reached. */
export async function forecast(context: ForecastContext, stored: StoredFailedJob): Promise<RetryForecast> {
  const { job: name, queue, connection } = stored;
  const memento = mementoOf(stored, context.clock.now());
  const { maxAttempts, backoff, pool, from } = context.rules({ name, queue, memento }, connection);
  const payload = read(memento);
  const paused = (await (await context.provider(connection))?.pausedQueues())?.includes(queue) === true;
  return {
    ...(await dryRun(context, stored)),
    connection,
    queue,
    ...(paused ? { paused } : {}),
    pool: pool ?? null,
    maxAttempts,
    backoff: describeBackoff(backoff),
    from,
    ...(await holder(context, stored, payload)),
    registered: context.registry.find(name) !== undefined,
    ...(await fit(context, name, payload)),
  };
}

/** What the retry would work on. */
function mementoOf(stored: StoredFailedJob, now: number): string {
  if (stored.jobId !== null && stored.rule !== null) return stored.editedMemento ?? stored.memento;
  try {
    return takeOver(stored, stored.jobId ?? '', now).memento;
  } catch {
    return stored.memento;
  }
}

function read(memento: string): Memento | undefined {
  try {
    return decodeMemento(memento);
  } catch {
    return undefined;
  }
}

async function dryRun(context: ForecastContext, { id }: StoredFailedJob): Promise<Pick<RetryForecast, 'outcome' | 'detail'>> {
  try {
    const { outcomes } = await new Retry(context, { dryRun: true }).ids([id]);
    const { status = 'error', detail } = outcomes[0] ?? {};
    // Gone since it was looked up.
    const outcome = status === 'requeued' || status === 'not_found' ? 'not_failed' : status;
    return { outcome, ...(detail === undefined ? {} : { detail }) };
  } catch (error) {
    if (isRedriveError(error, 'CAPABILITY_MISSING')) return { outcome: 'error', detail: error.message };
    throw error;
  }
}

async function holder(
  { provider }: ForecastContext,
  { connection, jobId }: StoredFailedJob,
  payload: Memento | undefined,
): Promise<Pick<RetryForecast, 'uniqueKey'>> {
  const unique = payload?.options.unique;
  if (unique === undefined) return {};
  const heldBy = await (await provider(connection))?.holder(unique);
  return { uniqueKey: { heldBy: heldBy === undefined || heldBy === jobId ? null : heldBy } };
}

async function fit(
  { registry, redactor, clock }: ForecastContext,
  name: string,
  payload: Memento | undefined,
): Promise<Pick<RetryForecast, 'schema' | 'faults'>> {
  if (payload === undefined) return { schema: 'unreadable' };
  const job = registry.find(name);
  if (job === undefined) return { schema: 'unknown' };
  const { schema } = job.options;
  if (schema === undefined) return { schema: 'none' };
  const { properties } = payload;
  try {
    const checked = await within(clock, schemaPatienceMs, () => validate(schema, structuredClone(properties)));
    if (checked.ok) return { schema: 'fits' };
    const own = redactor.forJob(properties);
    return { schema: 'misfit', faults: checked.faults.map((fault) => own.text(fault)) };
  } catch {
    return { schema: 'unknown' };
  }
}
