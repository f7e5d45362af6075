import type { BackoffFunction, PlainBackoff } from '../job/backoff.ts';
import type { ErrorClass } from '../job/exceptions.ts';
import type { StoredOptions } from '../job/memento.ts';
import type { JobPolicy } from '../job/registry.ts';

/** What a pool says where neither dispatch nor job does. */
export interface PoolPolicy {
  readonly maxAttempts: number;
  readonly backoff: PlainBackoff | BackoffFunction;
  readonly timeoutMs: number;
}

/** The rules one attempt is judged by. */
export interface AttemptPolicy {
  /** 0: no limit. */
  readonly maxAttempts: number;
  readonly backoff: PlainBackoff | BackoffFunction;
  /** Used where a backoff function fails to answer. */
  readonly poolBackoff: PlainBackoff | BackoffFunction;
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly failOn: readonly ErrorClass[];
  /** Undefined: every error is tried again. */
  readonly retryOn: readonly ErrorClass[] | undefined;
  /** Since the first attempt of the run; undefined: no limit. */
  readonly retryUntilMs: number | undefined;
  readonly markAsFailed: boolean;
}

/** Dispatch option before job class before pool. */
export function resolvePolicy(dispatched: StoredOptions, job: JobPolicy | undefined, pool: PoolPolicy): AttemptPolicy {
  return {
    maxAttempts: dispatched.maxAttempts ?? job?.maxAttempts ?? pool.maxAttempts,
    backoff: dispatched.backoff ?? job?.backoff ?? pool.backoff,
    poolBackoff: pool.backoff,
    timeoutMs: dispatched.timeoutMs ?? job?.timeoutMs ?? pool.timeoutMs,
    failOn: job?.failOn ?? [],
    retryOn: job?.retryOn,
    retryUntilMs: job?.retryUntilMs,
    markAsFailed: job?.markAsFailed ?? false,
  };
}
