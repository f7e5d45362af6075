import { RedriveError } from '../errors.ts';
import { isOneOf, isUnrecoverable, retryAfterMs } from '../job/exceptions.ts';
import type { DecisionRule, FailureKind } from '../record/types.ts';
import type { Outcome } from './outcome.ts';
import type { AttemptPolicy } from './policy.ts';

/**
 * Losses that end a job whose attempts have no limit. A job that kills its worker would else go on for ever;
 * three is what Sidekiq settled on for its poison pills.
 */
export const lossLimit = 3;

export type Decision =
  | { readonly action: 'complete'; readonly result: unknown }
  | {
      readonly action: 'retry';
      readonly rule: DecisionRule;
      readonly kind: FailureKind;
      readonly availableAt: number;
      readonly exception: unknown;
    }
  | { readonly action: 'fail'; readonly rule: DecisionRule; readonly kind: FailureKind; readonly exception: unknown }
  | { readonly action: 'return'; readonly rule: 'shutdown'; readonly kind: 'released'; readonly exception: unknown };

/** The attempt being judged. */
export interface Judged {
  /** 1, 2, ... */
  readonly attempt: number;
  /** When the first attempt of the run began; epoch ms. */
  readonly firstStartedAt: number;
}

/** The policy with its backoff already asked: milliseconds, or null for no further attempt. */
export type JudgedPolicy = Pick<AttemptPolicy, 'maxAttempts' | 'failOn' | 'retryOn' | 'retryUntilMs' | 'markAsFailed'> & {
  readonly backoffMs: number | null;
};

/**
 * Says what follows an attempt, and by which rule. The only place that knows the rules; pure.
 * Which rule wins is their order here: those that end the job at once, then the limits, then the delays.
 */
export function decide(outcome: Outcome, job: Judged, policy: JudgedPolicy, now: number): Decision {
  const settled = decideWithoutBackoff(outcome, job, policy, now);
  if (settled !== undefined) return settled;
  const failed = outcome as FailedOutcome;
  const kind = kindOf(failed);
  if (policy.backoffMs === null) return { action: 'fail', rule: 'backoff-null', kind, exception: failed.exception };
  return retryAt(now + policy.backoffMs, 'attempts-left', failed, { job, policy });
}

/** A retry, unless it would begin later than the job may. */
function retryAt(
  availableAt: number,
  rule: DecisionRule,
  outcome: FailedOutcome,
  { job, policy }: { job: Judged; policy: Pick<JudgedPolicy, 'retryUntilMs'> },
): Decision {
  const { exception } = outcome;
  const kind = kindOf(outcome);
  if (policy.retryUntilMs !== undefined && availableAt > job.firstStartedAt + policy.retryUntilMs)
    return { action: 'fail', rule: 'retry-until', kind, exception };
  return { action: 'retry', rule, kind, availableAt, exception };
}

/** True when what follows depends on the backoff, so that a backoff function has to be asked first. */
export function needsBackoff(outcome: Outcome, job: Judged, policy: Omit<JudgedPolicy, 'backoffMs'>): boolean {
  return decideWithoutBackoff(outcome, job, policy, 0) === undefined;
}

type FailedOutcome = Extract<Outcome, { status: 'threw' | 'timed-out' | 'lost' }>;

function decideWithoutBackoff(outcome: Outcome, job: Judged, policy: Omit<JudgedPolicy, 'backoffMs'>, now: number): Decision | undefined {
  switch (outcome.status) {
    case 'completed':
      return { action: 'complete', result: outcome.result };
    case 'shut-down':
      return { action: 'return', rule: 'shutdown', kind: 'released', exception: outcome.exception };
    case 'unprocessable':
      return { action: 'fail', rule: 'unprocessable', kind: 'unprocessable', exception: outcome.exception };
    case 'cancelled':
      return { action: 'fail', rule: 'cancelled', kind: 'cancelled', exception: outcome.exception };
    case 'released':
      return decideReleased(outcome, job, policy, now);
    case 'threw':
    case 'timed-out':
    case 'lost':
      return decideFailed(outcome, job, policy, now);
  }
}

function decideReleased(
  outcome: Extract<Outcome, { status: 'released' }>,
  job: Judged,
  policy: Pick<JudgedPolicy, 'maxAttempts'>,
  now: number,
): Decision {
  if (!isLast(job, policy)) {
    const exception = new RedriveError('JOB_RELEASED', 'The job put itself back into its queue');
    return { action: 'retry', rule: 'released', kind: 'released', availableAt: now + outcome.delayMs, exception };
  }
  const exception = new RedriveError(
    'MAX_ATTEMPTS_REACHED',
    `The job released itself in attempt ${job.attempt} of ${policy.maxAttempts}, which was its last`,
  );
  return { action: 'fail', rule: 'max-attempts', kind: 'released', exception };
}

function decideFailed(outcome: FailedOutcome, job: Judged, policy: Omit<JudgedPolicy, 'backoffMs'>, now: number): Decision | undefined {
  const { exception } = outcome;
  const kind = kindOf(outcome);
  const fail = (rule: DecisionRule): Decision => ({ action: 'fail', rule, kind, exception });
  if (outcome.status === 'threw' && outcome.byFail) return fail('fail');
  if (isUnrecoverable(exception)) return fail('unrecoverable');
  if (isOneOf(exception, policy.failOn)) return fail('fail-on');
  if (outcome.status !== 'lost' && policy.retryOn !== undefined && !isOneOf(exception, policy.retryOn)) return fail('not-retry-on');
  if (policy.markAsFailed) return fail('mark-as-failed');
  if (isLast(job, policy)) return fail('max-attempts');
  if (outcome.status === 'lost' && policy.maxAttempts === 0 && outcome.lossesBefore + 1 >= lossLimit) return fail('lost');
  const asked = retryAfterMs(exception);
  if (asked !== undefined) return retryAt(now + asked, 'retry-after', outcome, { job, policy });
  return undefined;
}

function isLast(job: Judged, policy: Pick<JudgedPolicy, 'maxAttempts'>): boolean {
  return policy.maxAttempts !== 0 && job.attempt >= policy.maxAttempts;
}

function kindOf(outcome: FailedOutcome): FailureKind {
  switch (outcome.status) {
    case 'threw':
      return 'exception';
    case 'timed-out':
      return 'timeout';
    case 'lost':
      return 'lost';
  }
}
