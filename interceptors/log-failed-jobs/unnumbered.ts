import type { FailedJobFilter, Place } from '../../src/record/failure-log.ts';
import type { SeriesFacts } from '../../src/record/failure-tally.ts';
import type { Script } from '../../src/store/script.ts';
import { readFailedDate } from './cbq-row.ts';
import { isWithin, meansUnnumbered, narrowUnnumbered } from './filter.ts';
import { allOf, type From } from './queries.ts';
import type { FailedJobRow } from './rows.ts';

/** A row that an old cbq wrote and nobody has numbered yet, as lists and figures need it. */
export interface UnnumberedRow extends Place {
  readonly facts: SeriesFacts;
}

const columns = ['id', 'failedDate', 'connection', 'queue', 'mapping', 'exceptionType'] as const;

/**
 * The unnumbered rows that a filter means, in no order. They are few, since whoever may write numbers them; an index says at
 * once that there are none. Their time is in cbq's own column, and has to be read here.
 */
export function* findUnnumbered(from: From, filter: FailedJobFilter): Script<readonly UnnumberedRow[]> {
  if (!meansUnnumbered(filter)) return [];
  const query = narrowUnnumbered(from().select([...columns]), filter);
  const rows = yield* allOf<Pick<FailedJobRow, (typeof columns)[number]>>(query);
  return rows
    .map(({ id, failedDate, connection, queue, mapping: job, exceptionType }) => {
      const facts = { connection, queue, kind: 'exception' as const, fingerprint: '', job, type: exceptionType ?? '' };
      return { id, at: readFailedDate(failedDate), facts };
    })
    .filter(({ at }) => isWithin(filter, at));
}
