import { RedriveError } from '../errors.ts';
import type { FailedJobFilter } from '../record/failure-log.ts';
import { withinBudget, type AnalysisContext } from './analysis.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { FailedJobList, ListOptions } from './failed-job.ts';
import { presentFailedJob } from './present.ts';

const largestPage = 200;
const defaultPage = 25;

/** One page of a checked filter. Throws `CURSOR_INVALID`, `OPTIONS_INVALID`. */
export async function listFailedJobs(
  { log, clock, redactor }: AnalysisContext,
  filter: FailedJobFilter,
  { limit = defaultPage, cursor, order = 'newest' }: ListOptions,
): Promise<FailedJobList> {
  if (!Number.isInteger(limit) || limit < 1 || limit > largestPage)
    throw new RedriveError('OPTIONS_INVALID', `limit: must be an integer from 1 to ${largestPage}`);
  const after = cursor === undefined ? {} : { after: decodeCursor(cursor, filter, order) };
  // One row more than asked for tells whether there is a next page.
  const { rows, stoppedAt } = await log.search(filter, { limit: limit + 1, order, ...after }, withinBudget(clock));
  const items = rows.slice(0, limit).map((row) => presentFailedJob(row, redactor));
  if (rows.length > limit) {
    const last = rows[limit - 1];
    return last === undefined ? { items } : { items, cursor: encodeCursor(last.place, filter, order) };
  }
  return stoppedAt === undefined ? { items } : { items, cursor: encodeCursor(stoppedAt, filter, order), partial: true };
}
