import { RedriveError } from '../errors.ts';
import type { FailedJobFilter } from '../record/failure-log.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const mostHours = 90 * 24;

/** The edges of so many whole spans of time, UTC; the last span holds the filter's `until`, or now. */
export function lastSpans(
  filter: FailedJobFilter,
  { now, count, ms }: { readonly now: number; readonly count: number; readonly ms: number },
): readonly number[] {
  const end = endOf(filter, now, ms);
  return Array.from({ length: count + 1 }, (_, index) => end - (count - index) * ms);
}

/** The edges of the hours from the filter's `since` to its `until`, by default the last 24. Throws `FILTER_INVALID` for more than 90 days. */
export function hoursOf(filter: FailedJobFilter, now: number): readonly number[] {
  const { since } = filter;
  if (since === undefined) return lastSpans(filter, { now, count: 24, ms: hourMs });
  const end = endOf(filter, now, hourMs);
  const start = floor(since.getTime(), hourMs);
  const count = Math.max(0, (end - start) / hourMs);
  if (count > mostHours)
    throw new RedriveError(
      'FILTER_INVALID',
      'The filter is not valid: since: figures by hour are for at most 90 days; give a later since',
      {
        faults: ['since: figures by hour are for at most 90 days; give a later since'],
      },
    );
  return count === 0 ? [] : lastSpans(filter, { now, count, ms: hourMs });
}

/** Where the span ends that holds the last moment in question. */
function endOf({ until }: FailedJobFilter, now: number, ms: number): number {
  const last = until === undefined ? now : until.getTime() - 1;
  return floor(last, ms) + ms;
}

function floor(at: number, ms: number): number {
  return Math.floor(at / ms) * ms;
}
