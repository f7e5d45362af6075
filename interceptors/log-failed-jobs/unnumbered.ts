import type { FailedJobFilter, Place } from '../../src/record/failure-log.ts';
import type { Script } from '../../src/store/script.ts';
import { readFailedDate } from './cbq-row.ts';
import { isWithin, meansUnnumbered, narrowUnnumbered } from './filter.ts';
import { allOf, type From } from './queries.ts';
import type { FailedJobRow } from './rows.ts';

/**
 * Places of rows that an old cbq wrote and nobody has numbered yet, in no order. They are few, since whoever may write numbers
 * them; an index says at once that there are none. Their time is in cbq's own column, and has to be read here.
 */
export function* findUnnumberedPlaces(from: From, filter: FailedJobFilter): Script<readonly Place[]> {
  if (!meansUnnumbered(filter)) return [];
  const query = narrowUnnumbered(from().select('id', 'failedDate'), filter);
  const rows = yield* allOf<Pick<FailedJobRow, 'id' | 'failedDate'>>(query);
  return rows.map(({ id, failedDate }) => ({ id, at: readFailedDate(failedDate) })).filter(({ at }) => isWithin(filter, at));
}
