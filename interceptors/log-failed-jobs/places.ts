import type { FailedJobFilter, FailedJobPage, Place } from '../../src/record/failure-log.ts';
import { all, type Script } from '../../src/store/script.ts';
import { marks, type SqlDialect } from '../../src/store/sql-dialect.ts';
import { narrow, statusesOf } from './filter.ts';
import { allOf, type From } from './queries.ts';
import { findSeries, narrowsSeries } from './series.ts';

// Where the numbered failed jobs that a filter may mean stand in the order of lists: read from an index alone.

/** The table of failed jobs, for scripts. */
export interface FailedJobsTable {
  readonly sql: SqlDialect;
  /** Its name, quoted. */
  readonly name: string;
  readonly from: From;
}

/** Failed jobs of one status and, where it is narrower, one series or release: a stretch of one index, in the order of lists. */
export interface Stretch {
  readonly status: string;
  readonly by?: { readonly column: 'series' | 'release'; readonly value: string };
}

/** The part of the order that is asked for. */
interface Range extends Pick<FailedJobFilter, 'since' | 'until'> {
  readonly after?: Place | undefined;
  readonly order: FailedJobPage['order'];
  readonly count: number;
}

/** Stretches joined by one statement. */
const joinedAtOnce = 50;
/** Series looked at by one statement. */
const seriesAtOnce = 500;

/** The first `count` places that the filter may mean, in the direction of `order`; fewer only at the end of the list. */
export function* findPlaces(
  table: FailedJobsTable,
  filter: FailedJobFilter,
  page: { readonly after?: Place | undefined; readonly order: FailedJobPage['order']; readonly count: number },
): Script<readonly Place[]> {
  const { after, order, count } = page;
  const { since, until } = filter;
  if (filter.ids !== undefined) return yield* placesOfIds(table, filter, page);
  const stretches = yield* stretchesOf(table, filter);
  return yield* placesIn(table, stretches, { after, order, count, since, until });
}

/** True where an index yields more than the filter means, so that each row has to be looked at. */
export function isLoose({ ids, text, release, ...filter }: FailedJobFilter): boolean {
  return ids === undefined && (text !== undefined || (release !== undefined && narrowsSeries(filter)));
}

/** The stretches that hold all that the filter means, and perhaps more. */
export function* stretchesOf({ sql }: FailedJobsTable, filter: FailedJobFilter): Script<readonly Stretch[]> {
  const statuses = statusesOf(filter);
  const { release } = filter;
  if (release !== undefined) return statuses.map((status) => ({ status, by: { column: 'release', value: release } }));
  if (!narrowsSeries(filter)) return statuses.map((status) => ({ status }));
  const series = yield* findSeries(sql, filter);
  return statuses.flatMap((status) => series.map((one): Stretch => ({ status, by: { column: 'series', value: one.series } })));
}

function* placesOfIds(
  { from }: FailedJobsTable,
  filter: FailedJobFilter,
  { after, order, count }: { readonly after?: Place | undefined; readonly order: FailedJobPage['order']; readonly count: number },
): Script<readonly Place[]> {
  const compare = inOrder(order);
  // Few, and sorted here: some engines would rather walk the whole list than look up a thousand ids.
  const rows = yield* allOf<{ id: number; failed_at: number }>(narrow(from().select('id', 'failed_at'), filter));
  const places = rows.map((row) => ({ at: row.failed_at, id: row.id })).toSorted(compare);
  return places.filter((place) => after === undefined || compare(after, place) < 0).slice(0, count);
}

function* placesIn(table: FailedJobsTable, stretches: readonly Stretch[], range: Range): Script<readonly Place[]> {
  const nearest = stretches.length > joinedAtOnce ? yield* nearestOf(table, stretches, range) : stretches;
  const found: Place[] = [];
  for (let from = 0; from < nearest.length; from += joinedAtOnce) {
    const { text, bindings } = joined(table, nearest.slice(from, from + joinedAtOnce), range);
    found.push(...(yield* all<Place>(text, bindings)));
  }
  return nearest.length <= joinedAtOnce ? found : found.toSorted(inOrder(range.order)).slice(0, range.count);
}

interface Head {
  readonly stretch: Stretch;
  /** The time of its first place. */
  readonly at: number;
}

/** Of many stretches those that can hold one of the first `count` places: their own first place is among the first `count` of all. */
function* nearestOf(table: FailedJobsTable, stretches: readonly Stretch[], range: Range): Script<readonly Stretch[]> {
  const heads: Head[] = [];
  for (let from = 0; from < stretches.length; from += seriesAtOnce) {
    const some = stretches.slice(from, from + seriesAtOnce);
    for (const status of new Set(some.map((stretch) => stretch.status)))
      heads.push(
        ...(yield* headsOf(
          table,
          some.filter((stretch) => stretch.status === status),
          range,
        )),
      );
  }
  const sign = range.order === 'oldest' ? 1 : -1;
  const sorted = heads.toSorted((one, other) => sign * (one.at - other.at));
  const last = sorted[range.count - 1]?.at;
  // Those that begin at the same time as the last one may hold it as well.
  return sorted.filter(({ at }) => last === undefined || sign * (at - last) <= 0).map(({ stretch }) => stretch);
}

/** The heads of stretches of one status, each a series; an empty one has none. */
function* headsOf({ sql, name }: FailedJobsTable, stretches: readonly Stretch[], range: Range): Script<readonly Head[]> {
  const bySeries = new Map(stretches.map((stretch) => [stretch.by?.value ?? '', stretch]));
  const direction = range.order === 'oldest' ? 'ASC' : 'DESC';
  const within = conditionsOf(range);
  const rows = yield* all<{ series: string; at: number | null }>(
    `SELECT s.series, (SELECT f.failed_at FROM ${name} f WHERE f.status = ? AND f.series = s.series${within.text} ORDER BY failed_at ${direction} LIMIT 1) AS at
       FROM ${sql.own('series')} s WHERE s.series IN (${marks(stretches)})`,
    [stretches[0]?.status, ...within.bindings, ...bySeries.keys()],
  );
  return rows.flatMap(({ series, at }) => {
    const stretch = bySeries.get(series);
    return stretch === undefined || at === null ? [] : [{ stretch, at }];
  });
}

/** Compares two places by the direction of a list. */
export function inOrder(order: FailedJobPage['order']): (one: Place, other: Place) => number {
  const sign = order === 'oldest' ? 1 : -1;
  return (one, other) => sign * (one.at - other.at || one.id - other.id);
}

interface Part {
  readonly text: string;
  readonly bindings: readonly unknown[];
}

function joined(table: FailedJobsTable, stretches: readonly Stretch[], range: Range): Part {
  const parts = stretches.map((stretch) => firstOf(table, stretch, range));
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const union = parts.map(({ text }, index) => `SELECT at, id FROM (${text}) part${index}`).join(' UNION ALL ');
  const direction = range.order === 'oldest' ? 'ASC' : 'DESC';
  return {
    text: `SELECT at, id FROM (${union}) parts ORDER BY at ${direction}, id ${direction} LIMIT ?`,
    bindings: [...parts.flatMap(({ bindings }) => bindings), range.count],
  };
}

function firstOf(table: FailedJobsTable, { status, by }: Stretch, range: Range): Part {
  const direction = range.order === 'oldest' ? 'ASC' : 'DESC';
  const within = conditionsOf(range);
  const narrower = by === undefined ? '' : ` AND ${table.sql.id(by.column)} = ?`;
  return {
    text: `SELECT failed_at AS at, id FROM ${table.name} WHERE status = ?${narrower}${within.text} ORDER BY failed_at ${direction}, id ${direction} LIMIT ?`,
    bindings: [status, ...(by === undefined ? [] : [by.value]), ...within.bindings, range.count],
  };
}

/** The conditions of a range, each with ` AND ` before it. Two of one kind: the narrower alone, for an index is entered by one. */
function conditionsOf({ after, order, since, until }: Range): Part {
  const forward = order === 'oldest';
  const lower = Math.max(since?.getTime() ?? 0, forward ? (after?.at ?? 0) : 0);
  const upper = Math.min(
    until === undefined ? Number.POSITIVE_INFINITY : until.getTime() - 1,
    forward ? Number.POSITIVE_INFINITY : (after?.at ?? Number.POSITIVE_INFINITY),
  );
  const parts: Part[] = [];
  if (lower > 0) parts.push({ text: 'failed_at >= ?', bindings: [lower] });
  if (upper < Number.POSITIVE_INFINITY) parts.push({ text: 'failed_at <= ?', bindings: [upper] });
  if (after !== undefined) {
    const beyond = forward ? '>' : '<';
    parts.push({ text: `(failed_at ${beyond} ? OR id ${beyond} ?)`, bindings: [after.at, after.id] });
  }
  return { text: parts.map(({ text }) => ` AND ${text}`).join(''), bindings: parts.flatMap(({ bindings }) => bindings) };
}
