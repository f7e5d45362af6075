import type { Place } from '../../src/record/failure-log.ts';
import { all, first, type Script } from '../../src/store/script.ts';
import { placesOf } from './places.ts';
import { whereOf, type FailedJobsTable, type Part, type Stretch } from './stretches.ts';

// Figures read from an index alone. Each is a subquery of its own with its values in place: so every engine enters the index
// for it, which not each of them does for a value that comes from another table, and none sorts.

/** Subqueries in one statement. */
export const askedAtOnce = 100;

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

/** The times of the first and the last failure of a stretch that is not empty. */
export interface Extremes {
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
}

/** The first and the last failure in each stretch; zeros for an empty one. */
export function* extremesOf({ sql, name }: FailedJobsTable, stretches: readonly Stretch[]): Script<readonly Extremes[]> {
  const times = yield* ask(
    stretches.flatMap((stretch) => {
      const { text, bindings } = whereOf(sql, stretch);
      // Not min() and max(): those read the whole stretch on some engines.
      return ['ASC', 'DESC'].map((direction) => ({
        text: `SELECT failed_at FROM ${name} WHERE ${text} ORDER BY failed_at ${direction} LIMIT 1`,
        bindings,
      }));
    }),
  );
  return stretches.map((_, index) => ({ firstFailedAt: times[2 * index] ?? 0, lastFailedAt: times[2 * index + 1] ?? 0 }));
}

/** The newest places of each stretch, newest first, and its oldest. */
export function* samplesOf(table: FailedJobsTable, stretches: readonly Stretch[], count: number): Script<readonly (readonly Place[])[]> {
  const samples = stretches.map(() => new Map<number, Place>());
  for (let from = 0; from < stretches.length; from += askedAtOnce / 2) {
    const parts = stretches.slice(from, from + askedAtOnce / 2).flatMap((stretch, index) =>
      [placesOf(table, stretch, { order: 'newest', count }), placesOf(table, stretch, { order: 'oldest', count: 1 })].map((part) => ({
        ...part,
        of: from + index,
      })),
    );
    const union = parts.map(({ text, of }, index) => `SELECT ${of} AS stretch, at, id FROM (${text}) part${index}`).join(' UNION ALL ');
    const bindings = parts.flatMap((part) => part.bindings);
    for (const { stretch, at, id } of yield* all<Place & { stretch: number }>(union, bindings)) samples[stretch]?.set(id, { at, id });
  }
  return samples.map((places) => [...places.values()]);
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
