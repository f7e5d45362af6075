import type { FailedJobFilter, Place } from '../../src/record/failure-log.ts';
import { first, type Script } from '../../src/store/script.ts';
import { marks } from '../../src/store/sql-dialect.ts';
import { narrow, statusesOf } from './filter.ts';
import { findPlaces, stretchesOf, type FailedJobsTable } from './places.ts';
import { countOf } from './queries.ts';

/** Series counted by one statement. */
const seriesAtOnce = 500;

/** How many numbered failed jobs a filter means that an index answers exactly. */
export function* countNumbered(table: FailedJobsTable, filter: FailedJobFilter): Script<number> {
  if (filter.ids !== undefined) return yield* countOf(narrow(table.from(), filter));
  const stretches = yield* stretchesOf(table, filter);
  const column = stretches[0]?.by?.column;
  if (stretches.length === 0) return 0;
  if (column === undefined) return yield* countWhere(table, filter);
  const values = [...new Set(stretches.flatMap(({ by }) => by?.value ?? []))];
  let count = 0;
  for (let from = 0; from < values.length; from += seriesAtOnce)
    count += yield* countWhere(table, filter, { column, values: values.slice(from, from + seriesAtOnce) });
  return count;
}

function* countWhere(
  { sql, name }: FailedJobsTable,
  filter: FailedJobFilter,
  by?: { readonly column: string; readonly values: readonly string[] },
): Script<number> {
  const statuses = statusesOf(filter);
  const { since, until } = filter;
  const conditions = [
    `status IN (${marks(statuses)})`,
    ...(by === undefined ? [] : [`${sql.id(by.column)} IN (${marks(by.values)})`]),
    ...(since === undefined ? [] : ['failed_at >= ?']),
    ...(until === undefined ? [] : ['failed_at < ?']),
  ];
  const times = [since, until].flatMap((time) => time?.getTime() ?? []);
  const row = yield* first<{ count: number }>(`SELECT count(*) AS count FROM ${name} WHERE ${conditions.join(' AND ')}`, [
    ...statuses,
    ...(by?.values ?? []),
    ...times,
  ]);
  return row?.count ?? 0;
}

/** Some of a count that has to look at each row. */
export interface CountStep {
  readonly count: number;
  /** Where the next step begins; not there after the last. */
  readonly next?: Place;
}

export function* countStep(
  table: FailedJobsTable,
  filter: FailedJobFilter,
  { after, stride }: { readonly after: Place | undefined; readonly stride: number },
): Script<CountStep> {
  const places = yield* findPlaces(table, filter, { after, order: 'newest', count: stride });
  const ids = places.map(({ id }) => id);
  const count = yield* countOf(narrow(table.from().whereIn('id', ids), filter));
  const last = places.at(-1);
  return { count, ...(last === undefined || places.length < stride ? {} : { next: last }) };
}
