import type { BulkRetryPlan, BulkTally } from '../record/bulk-retry-log.ts';

/** What a bulk retry does next. */
export type NextStep =
  /** Move as many at most. */
  | { readonly kind: 'move'; readonly limit: number }
  /** Until something comes of what was moved. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'stop'; readonly reason: string }
  | { readonly kind: 'finish' };

/** Jobs moved by one transaction. */
const chunkSize = 200;
/**
 * With `stopAfter`, jobs whose outcome is not known yet: so many may fail at most after the one that was too many. Without
 * such a bound all of a set would be moved before the first of them had failed.
 */
const mostUnderWay = 100;
/** A paced bulk retry moves what a tenth of a second allows, or one job. */
const paceMs = 100;

/** Decides by the numbers alone. */
export function nextStep({ canary = 0, stopAfter }: BulkRetryPlan, tally: BulkTally): NextStep {
  const { pending, succeeded, failedAgain } = tally;
  const underWay = underWayOf(tally);
  if (stopAfter !== undefined && failedAgain >= stopAfter) return { kind: 'stop', reason: `${failedAgain} job(s) failed again` };
  const isCanary = succeeded < canary;
  if (isCanary && failedAgain > 0) return { kind: 'stop', reason: 'a job of the canary failed again' };
  if (pending === 0) return underWay > 0 && (canary > 0 || stopAfter !== undefined) ? { kind: 'wait' } : { kind: 'finish' };
  const limits = [chunkSize];
  if (isCanary) limits.push(canary - succeeded - underWay);
  if (stopAfter !== undefined) limits.push(mostUnderWay - underWay);
  const limit = Math.min(...limits);
  return limit > 0 ? { kind: 'move', limit } : { kind: 'wait' };
}

/** Jobs moved of which nothing is known yet. */
export function underWayOf({ moved, succeeded, failedAgain, cancelled }: BulkTally): number {
  return moved - succeeded - failedAgain - cancelled;
}

/** How many jobs a paced bulk retry moves at once. */
export function paceOf({ rate }: BulkRetryPlan): number {
  return rate === undefined ? chunkSize : Math.min(Math.max(Math.floor((rate.jobs * paceMs) / rate.perMs), 1), chunkSize);
}

/** How long the pace makes the next ones wait after as many. */
export function restMs({ rate }: BulkRetryPlan, moved: number): number {
  return rate === undefined ? 0 : (moved * rate.perMs) / rate.jobs;
}
