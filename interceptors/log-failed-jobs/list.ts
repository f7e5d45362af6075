import type { FailedJobFilter, FailedJobPage, Place } from '../../src/record/failure-log.ts';
import type { Script } from '../../src/store/script.ts';
import { hasStatus, narrowFound } from './filter.ts';
import { findPlaces, inOrder } from './places.ts';
import { allOf } from './queries.ts';
import { firstUnnumbered, placeOf, type FailedJobRow } from './rows.ts';
import type { FailedJobsTable } from './stretches.ts';
import { findUnnumbered } from './unnumbered.ts';

/** Some rows of a page, and where the rest begins; no `next` where the list is at its end. */
export interface Step {
  readonly rows: readonly FailedJobRow[];
  readonly next?: Place;
}

/** A page, and how many rows are looked at for it before the next step is left to another script. */
export interface StepPage extends FailedJobPage {
  readonly stride: number;
}

/** One step of a list: the part of it that the next `stride` places of an index cover. */
export function* listStep(table: FailedJobsTable, filter: FailedJobFilter, page: StepPage): Script<Step> {
  const { limit, order, stride } = page;
  const places = yield* findPlaces(table, filter, { ...page, count: stride });
  const next = places.length < stride ? undefined : places.at(-1);
  const rows = [...(yield* numberedRows(table, filter, { ...page, places })), ...(yield* unnumberedRows(table, filter, { ...page, next }))];
  const compare = inOrder(order);
  const sorted = rows.toSorted((one, other) => compare(placeOf(one), placeOf(other)));
  return { rows: sorted.slice(0, limit), ...(next === undefined ? {} : { next }) };
}

function* numberedRows(
  { from }: FailedJobsTable,
  filter: FailedJobFilter,
  { places, through }: { readonly places: readonly Place[]; readonly through?: number },
): Script<readonly FailedJobRow[]> {
  if (places.length === 0) return [];
  const ids = places.map(({ id }) => id);
  const query = narrowFound(from().whereIn('id', ids), filter);
  if (through !== undefined) query.where('failure_seq', '<=', through);
  return (yield* allOf<FailedJobRow>(query)).filter(hasStatus(filter));
}

/** Those that lie between where the page begins and where the index's part of it ends. */
function* unnumberedRows(
  { from }: FailedJobsTable,
  filter: FailedJobFilter,
  { after, next, through, limit, order }: FailedJobPage & { readonly next: Place | undefined },
): Script<readonly FailedJobRow[]> {
  if (through !== undefined && through < firstUnnumbered) return [];
  const compare = inOrder(order);
  const places = (yield* findUnnumbered(from, filter)).filter(
    (place) => (after === undefined || compare(after, place) < 0) && (next === undefined || compare(place, next) <= 0),
  );
  if (places.length === 0) return [];
  const ids = places
    .toSorted(compare)
    .slice(0, limit)
    .map(({ id }) => id);
  return yield* allOf<FailedJobRow>(from().whereIn('id', ids).whereNull('status'));
}
