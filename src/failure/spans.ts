import { RedriveError } from '../errors.ts';
import type { FailedJobFilter } from '../record/failure-log.ts';
import type { Spans } from '../record/failure-tally.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

const mostHours = 90 * 24;

/** So many whole spans of time, UTC; the last one holds the filter's `until`, or now. */
export function lastSpans(
  filter: FailedJobFilter,
  { now, count, ms }: { readonly now: number; readonly count: number; readonly ms: number },
): Spans {
  return { from: endOf(filter, now, ms) - count * ms, ms, count };
}

/** The hours from the filter's `since` to its `until`, by default the last 24. Throws `FILTER_INVALID` for more than 90 days. */
export function hoursOf(filter: FailedJobFilter, now: number): Spans {
  const { since } = filter;
  const end = endOf(filter, now, hourMs);
  const from = since === undefined ? end - dayMs : floor(since.getTime(), hourMs);
  const count = Math.max(0, (end - from) / hourMs);
  if (count > mostHours) {
    const fault = 'since: figures by hour are for at most 90 days; give a later since';
    throw new RedriveError('FILTER_INVALID', `The filter is not valid: ${fault}`, { faults: [fault] });
  }
  return { from, ms: hourMs, count };
}

/** Where the span ends that holds the last moment in question. */
function endOf({ until }: FailedJobFilter, now: number, ms: number): number {
  return floor(until === undefined ? now : until.getTime() - 1, ms) + ms;
}

function floor(at: number, ms: number): number {
  return Math.floor(at / ms) * ms;
}
