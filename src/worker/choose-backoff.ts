import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { answeredDelayMs, backoffMs, type BackoffContext, type BackoffFunction, type PlainBackoff } from '../job/backoff.ts';
import { within } from '../guard.ts';
import type { AttemptPolicy } from './policy.ts';

export interface ChooseBackoffOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** A function that answers later than this is left behind. */
  readonly patienceMs: number;
}

/**
 * Milliseconds before the next attempt; null: none. Never throws: a backoff function that throws, hangs or
 * answers with no duration is warned about, and the pool's backoff is used, or 0 where that is the one that failed.
 */
export async function chooseBackoff(policy: AttemptPolicy, context: BackoffContext, options: ChooseBackoffOptions): Promise<number | null> {
  const chosen = await ask(policy.backoff, context, options);
  if (chosen !== undefined) return chosen;
  if (policy.poolBackoff === policy.backoff) return 0;
  return (await ask(policy.poolBackoff, context, options)) ?? 0;
}

async function ask(
  backoff: PlainBackoff | BackoffFunction,
  context: BackoffContext,
  options: ChooseBackoffOptions,
): Promise<number | null | undefined> {
  if (typeof backoff !== 'function') return backoffMs(backoff, context.attempt, Math.random());
  const fields = { job: context.job.name, id: context.job.id, attempt: context.attempt };
  try {
    const answer = await within(options.clock, options.patienceMs, async () => backoff(context));
    const delay = answeredDelayMs(answer);
    if (delay === undefined)
      options.logger.warn({ ...fields, answer: shown(answer) }, "The backoff function returned no duration; the pool's backoff is used");
    return delay;
  } catch (error) {
    options.logger.warn({ ...fields, err: error }, "The backoff function failed; the pool's backoff is used");
    return undefined;
  }
}

function shown(answer: unknown): string {
  try {
    return String(answer).slice(0, 200);
  } catch {
    return typeof answer;
  }
}
