import type { FailedJobFilter, FailedJobPage, Place } from '../../src/record/failure-log.ts';
import { all, type Script } from '../../src/store/script.ts';
import { marks } from '../../src/store/sql-dialect.ts';
import { hasStatus, narrowFound } from './filter.ts';
import { allOf } from './queries.ts';
import type { FailedJobRow } from './rows.ts';
import { allOfThem, stretchesOf, whereOf, type FailedJobsTable, type Part, type Stretch } from './stretches.ts';

// Where the numbered failed jobs that a filter may mean stand in the order of lists: read from an index alone.

/** The part of the order that is asked for. */
export interface Range {
  readonly after?: Place | undefined;
  readonly order: FailedJobPage['order'];
  readonly count: number;
}

/** Stretches joined by one statement. */
const joinedAtOnce = 50;
/** Series looked at by one statement. */
const seriesAtOnce = 500;

/** The first `count` places that the filter may mean, in the direction of `order`; fewer only at the end of the list. */
export function* findPlaces(table: FailedJobsTable, filter: FailedJobFilter, range: Range): Script<readonly Place[]> {
  if (filter.ids !== undefined) return yield* placesOfIds(table, filter, range);
  const stretches = yield* stretchesOf(table, filter);
  const nearest = stretches.length > joinedAtOnce ? yield* nearestOf(table, stretches, range) : stretches;
  const found: Place[] = [];
  for (let from = 0; from < nearest.length; from += joinedAtOnce) {
    const { text, bindings } = joined(table, nearest.slice(from, from + joinedAtOnce), range);
    found.push(...(yield* all<Place>(text, bindings)));
  }
  return nearest.length <= joinedAtOnce ? found : found.toSorted(inOrder(range.order)).slice(0, range.count);
}

/** The first places of a stretch, as a statement. */
export function placesOf({ sql, name }: FailedJobsTable, stretch: Stretch, range: Range): Part {
  const { text, bindings } = whereBeyond(sql, stretch, range);
  const direction = range.order === 'oldest' ? 'ASC' : 'DESC';
  return {
    text: `SELECT failed_at AS at, id FROM ${name} WHERE ${text} ORDER BY failed_at ${direction}, id ${direction}${sql.limit('?')}`,
    bindings: [...bindings, range.count],
  };
}

/** Compares two places by the direction of a list. */
export function inOrder(order: FailedJobPage['order']): (one: Place, other: Place) => number {
  const sign = order === 'oldest' ? 1 : -1;
  return (one, other) => sign * (one.at - other.at || one.id - other.id);
}

type PlacedRow = Pick<FailedJobRow, 'id' | 'status'> & { readonly failed_at: number };

function* placesOfIds({ from }: FailedJobsTable, filter: FailedJobFilter, { after, order, count }: Range): Script<readonly Place[]> {
  const compare = inOrder(order);
  // Few, and sorted here: some engines would rather walk the whole list than look up a thousand ids.
  const rows = (yield* allOf<PlacedRow>(narrowFound(from().select('id', 'failed_at', 'status'), filter))).filter(hasStatus(filter));
  const places = rows.map((row) => ({ at: row.failed_at, id: row.id })).toSorted(compare);
  return places.filter((place) => after === undefined || compare(after, place) < 0).slice(0, count);
}

function joined(table: FailedJobsTable, stretches: readonly Stretch[], range: Range): Part {
  const parts = stretches.map((stretch) => placesOf(table, stretch, range));
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const union = parts.map(({ text }, index) => `SELECT at, id FROM (${text}) part${index}`).join(' UNION ALL ');
  const direction = range.order === 'oldest' ? 'ASC' : 'DESC';
  return {
    text: `SELECT at, id FROM (${union}) parts ORDER BY at ${direction}, id ${direction}${table.sql.limit('?')}`,
    bindings: [...parts.flatMap(({ bindings }) => bindings), range.count],
  };
}

interface Head {
  readonly stretch: Stretch;
  /** The time of its first place. */
  readonly at: number;
}

/** Of many stretches those that can hold one of the first `count` places: their own first place is among the first `count` of all. */
function* nearestOf(table: FailedJobsTable, stretches: readonly Stretch[], range: Range): Script<readonly Stretch[]> {
  const heads: Head[] = [];
  for (const status of new Set(stretches.map((stretch) => stretch.status))) {
    const ofStatus = stretches.filter((stretch) => stretch.status === status);
    for (let from = 0; from < ofStatus.length; from += seriesAtOnce)
      heads.push(...(yield* headsOf(table, ofStatus.slice(from, from + seriesAtOnce), range)));
  }
  const sign = range.order === 'oldest' ? 1 : -1;
  const sorted = heads.toSorted((one, other) => sign * (one.at - other.at));
  const last = sorted[range.count - 1]?.at;
  // Those that begin at the same time as the last one may hold it as well.
  return sorted.filter(({ at }) => last === undefined || sign * (at - last) <= 0).map(({ stretch }) => stretch);
}

/** The heads of series of one status and span of time; an empty one has none. */
function* headsOf({ sql, name }: FailedJobsTable, stretches: readonly Stretch[], range: Range): Script<readonly Head[]> {
  const [some] = stretches;
  if (some === undefined) return [];
  const { by: _by, ...shared } = some;
  const bySeries = new Map(stretches.map((stretch) => [stretch.by?.value ?? '', stretch]));
  const { text, bindings } = whereBeyond(sql, shared, range);
  const direction = range.order === 'oldest' ? 'ASC' : 'DESC';
  const rows = yield* all<{ series: string; at: number | null }>(
    `SELECT s.series, (SELECT failed_at FROM ${name} f WHERE f.series = s.series AND ${text} ORDER BY failed_at ${direction}${sql.limit(1)}) AS at
       FROM ${sql.own('series')} s WHERE s.series IN (${marks(stretches)})`,
    [...bindings, ...bySeries.keys()],
  );
  return rows.flatMap(({ series, at }) => {
    const stretch = bySeries.get(series);
    return stretch === undefined || at === null ? [] : [{ stretch, at }];
  });
}

/** The part of a stretch beyond a place. Two bounds on one side become one, for an index is entered by one. */
function whereBeyond(sql: FailedJobsTable['sql'], stretch: Stretch, { after, order }: Range): Part {
  if (after === undefined) return whereOf(sql, stretch);
  const { at, id } = after;
  const { since = at, until = at + 1 } = stretch;
  const isForward = order === 'oldest';
  const rest = isForward ? { ...stretch, since: Math.max(since, at) } : { ...stretch, until: Math.min(until, at + 1) };
  const beyond = isForward ? '>' : '<';
  return allOfThem([whereOf(sql, rest), { text: `(failed_at ${beyond} ? OR id ${beyond} ?)`, bindings: [at, id] }]);
}
