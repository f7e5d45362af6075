import { durationMs, tryDurationMs, type Duration } from '../duration.ts';
import { RedriveError } from '../errors.ts';

/** What a backoff function is told: the attempt that failed (1, 2, ...), what it threw, and the job. */
export interface BackoffContext {
  readonly attempt: number;
  readonly exception: unknown;
  readonly job: { readonly id: string; readonly name: string; readonly queue: string; readonly properties: unknown };
}

/** Returns the delay before the next attempt, or null for no further attempt. */
export type BackoffFunction = (context: BackoffContext) => Duration | null | Promise<Duration | null>;

/** A delay, a list of delays of which the last repeats, a policy, or a function. */
export type Backoff = Duration | readonly Duration[] | BackoffPolicy | BackoffFunction;

interface Jitter {
  /** Share of the delay that may be taken away at random, 0 to 1; default 0. A delay d becomes one of [(1-j)d, d]. */
  readonly jitter?: number;
}

export type BackoffPolicy =
  | { readonly policy: 'constant'; readonly baseMs: number; readonly maxMs: number; readonly jitter: number }
  | { readonly policy: 'linear'; readonly baseMs: number; readonly maxMs: number; readonly jitter: number }
  | { readonly policy: 'exponential'; readonly baseMs: number; readonly factor: number; readonly maxMs: number; readonly jitter: number };

/** Delays base, base * factor, base * factor^2, ... up to max. Defaults: base 1 s, factor 2, max 1 h, jitter 0. */
export function exponential(options: { base?: Duration; factor?: number; max?: Duration } & Jitter = {}): BackoffPolicy {
  const factor = options.factor ?? 2;
  if (!Number.isFinite(factor) || factor < 1)
    throw new RedriveError('OPTIONS_INVALID', `exponential: factor must be a number of at least 1, not ${factor}`);
  return { policy: 'exponential', factor, ...bounds('exponential', options) };
}

/** Delays base, 2 base, 3 base, ... up to max. Defaults as for {@link exponential}. */
export function linear(options: { base?: Duration; max?: Duration } & Jitter = {}): BackoffPolicy {
  return { policy: 'linear', ...bounds('linear', options) };
}

/** The same delay each time. */
export function constant(delay: Duration, options: Jitter = {}): BackoffPolicy {
  return { policy: 'constant', ...bounds('constant', { ...options, base: delay, max: delay }) };
}

/** A backoff that needs no user code, ready to be stored: milliseconds only. */
export type PlainBackoff = readonly number[] | BackoffPolicy;

/** Splits a backoff into what is plain data and what is a function. Throws `DURATION_INVALID` for a bad delay, `OPTIONS_INVALID` for what is no backoff. */
export function parseBackoff(backoff: Backoff, what = 'backoff'): PlainBackoff | BackoffFunction {
  if (typeof backoff === 'function') return backoff;
  if (typeof backoff === 'number' || typeof backoff === 'string') return [durationMs(backoff, what)];
  if (Array.isArray(backoff)) {
    const list = (backoff as readonly Duration[]).map((delay, index) => durationMs(delay, `${what}[${index}]`));
    return list.length > 0 ? list : [0];
  }
  if (isPolicy(backoff)) return backoff;
  throw new RedriveError(
    'OPTIONS_INVALID',
    `${what} must be a duration, a list of durations, exponential(), linear(), constant(), or a function`,
  );
}

/** Milliseconds before the attempt after this one. Pure but for `random`, a number in [0, 1), which jitter takes. */
export function backoffMs(backoff: PlainBackoff, attempt: number, random: number): number {
  if (!('policy' in backoff)) return backoff[Math.min(attempt, backoff.length) - 1] ?? 0;
  const exact = Math.round(Math.min(unjittered(backoff, Math.max(attempt, 1)), backoff.maxMs));
  // Rounded up: rounding to the nearest could fall below (1 - jitter) of a short delay.
  return Math.ceil(exact * (1 - backoff.jitter * random));
}

/** Milliseconds that a backoff function's answer stands for; null: do not retry; undefined: no valid answer. */
export function answeredDelayMs(answer: unknown): number | null | undefined {
  return answer === null ? null : tryDurationMs(answer);
}

function unjittered(backoff: BackoffPolicy, attempt: number): number {
  switch (backoff.policy) {
    case 'constant':
      return backoff.baseMs;
    case 'linear':
      return backoff.baseMs * attempt;
    case 'exponential':
      // From attempt 1025 on the power may be infinite, and infinity times 0 is no number.
      return backoff.baseMs === 0 ? 0 : backoff.baseMs * backoff.factor ** (attempt - 1);
  }
}

function isPolicy(value: unknown): value is BackoffPolicy {
  if (typeof value !== 'object' || value === null) return false;
  const { policy, baseMs, maxMs, jitter, factor } = value as Partial<Record<string, unknown>>;
  const isShare = typeof jitter === 'number' && jitter >= 0 && jitter <= 1;
  if (!isDelay(baseMs) || !isDelay(maxMs) || !isShare) return false;
  return (
    policy === 'constant' ||
    policy === 'linear' ||
    (policy === 'exponential' && typeof factor === 'number' && Number.isFinite(factor) && factor >= 1)
  );
}

function isDelay(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function bounds(what: string, options: { base?: Duration; max?: Duration } & Jitter): { baseMs: number; maxMs: number; jitter: number } {
  const jitter = options.jitter ?? 0;
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1))
    throw new RedriveError('OPTIONS_INVALID', `${what}: jitter must be a number from 0 to 1, not ${jitter}`);
  return { baseMs: durationMs(options.base ?? '1s', `${what}: base`), maxMs: durationMs(options.max ?? '1h', `${what}: max`), jitter };
}
