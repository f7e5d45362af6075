import type { FailedJobFilter, Place } from '../../src/record/failure-log.ts';
import type { Script } from '../../src/store/script.ts';
import { hasStatus, narrowFound } from './filter.ts';
import { findPlaces, inOrder } from './places.ts';
import { allOf } from './queries.ts';
import { placeOf, type FailedJobRow } from './rows.ts';
import type { FailedJobsTable } from './stretches.ts';

/** Some rows, newest first, and where the next step begins; no `next` after the last. */
export interface ScanStep {
  readonly rows: readonly { readonly series: string; readonly place: Place }[];
  readonly next?: Place;
}

/** Looks at the next `stride` rows that an index yields for a filter that no index answers, and returns those that are meant. */
export function* scanStep(
  table: FailedJobsTable,
  filter: FailedJobFilter,
  { after, stride }: { readonly after: Place | undefined; readonly stride: number },
): Script<ScanStep> {
  const places = yield* findPlaces(table, filter, { after, order: 'newest', count: stride });
  if (places.length === 0) return { rows: [] };
  const ids = places.map(({ id }) => id);
  const columns = ['id', 'failed_at', 'failedDate', 'series', 'status'];
  const found = yield* allOf<FailedJobRow>(narrowFound(table.from().select(columns).whereIn('id', ids), filter));
  const compare = inOrder('newest');
  const rows = found
    .filter(hasStatus(filter))
    .map((row) => ({ series: row.series ?? '', place: placeOf(row) }))
    .toSorted((one, other) => compare(one.place, other.place));
  const next = places.length < stride ? undefined : places.at(-1);
  return { rows, ...(next === undefined ? {} : { next }) };
}
