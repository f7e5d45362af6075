import type { Place } from '../../src/record/failure-log.ts';
import { addToSpan, emptySpans, type Spans } from '../../src/record/failure-tally.ts';
import { all, first, type Script } from '../../src/store/script.ts';
import { marks } from '../../src/store/sql-dialect.ts';
import { placesOf } from './places.ts';
import { allOfThem, whereOf, within, type FailedJobsTable, type Part, type Stretch } from './stretches.ts';

// Figures read from an index alone. Few figures are each asked for by a subquery of its own, with its values in place: so every
// engine enters the index for it, which not each of them does for a value that comes from another table, and none sorts. Many
// subqueries take longer to plan than to run, so many figures are grouped.

/** Subqueries in one statement. */
const askedAtOnce = 100;
/** More figures than this are grouped. */
export const mostAsked = 600;

/** How many failed jobs are in each stretch. */
export function* countsOf({ sql, name }: FailedJobsTable, stretches: readonly Stretch[]): Script<readonly number[]> {
  const counts = yield* ask(
    stretches.map((stretch) => {
      const { text, bindings } = whereOf(sql, stretch);
      return { text: `SELECT count(*) FROM ${name} WHERE ${text}`, bindings };
    }),
  );
  return counts.map((count) => count ?? 0);
}

export interface Extremes {
  /** Epoch ms; 0 where there is no failure. */
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
}

/** The first and the last failure in each stretch. */
export function* extremesOf({ sql, name }: FailedJobsTable, stretches: readonly Stretch[]): Script<readonly Extremes[]> {
  const times = yield* ask(
    stretches.flatMap((stretch) => {
      const { text, bindings } = whereOf(sql, stretch);
      // Not min() and max(): those read the whole stretch on some engines.
      return ['ASC', 'DESC'].map((direction) => ({
        text: `SELECT failed_at FROM ${name} WHERE ${text} ORDER BY failed_at ${direction}${sql.limit(1)}`,
        bindings,
      }));
    }),
  );
  return stretches.map((_, index) => ({ firstFailedAt: times[2 * index] ?? 0, lastFailedAt: times[2 * index + 1] ?? 0 }));
}

/** How many failed in each span, of all the stretches together. */
export function* spanCountsOf(table: FailedJobsTable, stretches: readonly Stretch[], spans: Spans): Script<readonly number[]> {
  const { from, ms } = spans;
  const counts = emptySpans(spans);
  const each = counts.map((_, span) => ({ since: from + span * ms, until: from + (span + 1) * ms }));
  const found = yield* countsOf(
    table,
    stretches.flatMap((stretch) => each.map((span) => within(stretch, span))),
  );
  found.forEach((count, index) => addToSpan(counts, spans, { at: from + (index % counts.length) * ms, count }));
  return counts;
}

/** Stretches that differ in status and in series or release, to be read as one. */
export interface Bundle {
  readonly statuses: readonly string[];
  readonly by?: { readonly column: 'series' | 'release'; readonly values: readonly string[] };
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

export interface GroupedSeries extends Extremes {
  readonly series: string;
  readonly count: number;
}

/** Count and extremes of those series of a bundle that are not empty. */
export function* groupSeries({ sql, name }: FailedJobsTable, bundle: Bundle): Script<readonly GroupedSeries[]> {
  const { text, bindings } = whereOfBundle(sql, bundle);
  const rows = yield* all<{ series: string; count: number; oldest: number; newest: number }>(
    `SELECT series, count(*) AS count, min(failed_at) AS oldest, max(failed_at) AS newest FROM ${name} WHERE ${text} GROUP BY series`,
    bindings,
  );
  return rows.map(({ series, count, oldest, newest }) => ({ series, count, firstFailedAt: oldest, lastFailedAt: newest }));
}

/** How many of a bundle failed in each span, by series; those that are silent in all of them are left out. */
export function* groupSpansBySeries(table: FailedJobsTable, bundle: Bundle, spans: Spans): Script<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  const { text, bindings } = spanQuery(table, bundle, { spans, also: 'series' });
  for (const { series, beginning, count } of yield* all<{ series: string; beginning: number; count: number }>(text, bindings)) {
    const counts = found.get(series) ?? emptySpans(spans);
    addToSpan(counts, spans, { at: spans.from + beginning, count });
    found.set(series, counts);
  }
  return found;
}

/** How many of a bundle failed in each span. */
export function* groupSpans(table: FailedJobsTable, bundle: Bundle, spans: Spans): Script<readonly number[]> {
  const counts = emptySpans(spans);
  const { text, bindings } = spanQuery(table, bundle, { spans });
  for (const { beginning, count } of yield* all<{ beginning: number; count: number }>(text, bindings))
    addToSpan(counts, spans, { at: spans.from + beginning, count });
  return counts;
}

/** The newest places of each stretch, newest first, and its oldest. */
export function* samplesOf(table: FailedJobsTable, stretches: readonly Stretch[], count: number): Script<readonly (readonly Place[])[]> {
  const samples = stretches.map(() => new Map<number, Place>());
  const parts = stretches.flatMap((stretch, of) =>
    [placesOf(table, stretch, { order: 'newest', count }), placesOf(table, stretch, { order: 'oldest', count: 1 })].map((part) => ({
      ...part,
      of,
    })),
  );
  for (let from = 0; from < parts.length; from += askedAtOnce) {
    const some = parts.slice(from, from + askedAtOnce);
    const union = some.map(({ text, of }, index) => `SELECT ${of} AS stretch, at, id FROM (${text}) part${index}`).join(' UNION ALL ');
    const bindings = some.flatMap((part) => part.bindings);
    for (const { stretch, at, id } of yield* all<Place & { stretch: number }>(union, bindings)) samples[stretch]?.set(id, { at, id });
  }
  return samples.map((places) => [...places.values()]);
}

function spanQuery(
  { sql, name }: FailedJobsTable,
  bundle: Bundle,
  { spans: { from, ms, count }, also }: { readonly spans: Spans; readonly also?: 'series' },
): Part {
  const since = Math.max(bundle.since ?? from, from);
  const until = Math.min(bundle.until ?? Number.POSITIVE_INFINITY, from + count * ms);
  const { text, bindings } = whereOfBundle(sql, { ...bundle, since, until });
  const columns = also === undefined ? '' : `${also}, `;
  const inSpans = `SELECT ${columns}(failed_at - ?) - (failed_at - ?) % ? AS beginning FROM ${name} WHERE ${text}`;
  return {
    text: `SELECT ${columns}beginning, count(*) AS count FROM (${inSpans}) in_spans GROUP BY ${columns}beginning`,
    bindings: [from, from, ms, ...bindings],
  };
}

function whereOfBundle(sql: FailedJobsTable['sql'], { statuses, by, since, until }: Bundle): Part {
  const parts: Part[] = [{ text: `status IN (${marks(statuses)})`, bindings: statuses }];
  if (by !== undefined) parts.push({ text: `${sql.id(by.column)} IN (${marks(by.values)})`, bindings: by.values });
  if (since !== undefined) parts.push({ text: 'failed_at >= ?', bindings: [since] });
  if (until !== undefined) parts.push({ text: 'failed_at < ?', bindings: [until] });
  return allOfThem(parts);
}

/** The single values of queries, in order. */
function* ask(queries: readonly Part[]): Script<readonly (number | null)[]> {
  const values: (number | null)[] = [];
  for (let from = 0; from < queries.length; from += askedAtOnce) {
    const some = queries.slice(from, from + askedAtOnce);
    const row = yield* first<Readonly<Record<string, number | null>>>(
      `SELECT ${some.map(({ text }, index) => `(${text}) AS v${index}`).join(', ')}`,
      some.flatMap(({ bindings }) => bindings),
    );
    values.push(...some.map((_, index) => row?.[`v${index}`] ?? null));
  }
  return values;
}
