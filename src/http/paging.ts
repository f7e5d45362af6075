import { writeFilter } from '../failure/filter.ts';
import type { FailedJobFilter } from '../record/failure-log.ts';

/**
 * The `Link` header that leads to the next page. Its times are absolute: `since=24h` would be another filter by the time
 * it is followed, and the cursor not one of it.
 */
export function nextLink(path: string, filter: FailedJobFilter, page: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(page).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)] as [string, string]]));
  return `<${path}?${new URLSearchParams([...Object.entries(writeFilter(filter)), ...given]).toString()}>; rel="next"`;
}
