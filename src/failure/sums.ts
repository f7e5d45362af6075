import type { SeriesTally } from '../record/failure-tally.ts';

/** Series taken together: by whatever they have in common. */
export interface Sum {
  /** Of the largest series among them. */
  readonly of: SeriesTally;
  readonly count: number;
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
  readonly spans: readonly number[];
  readonly samples: SeriesTally['samples'];
}

/** Sums of the series that have the same key, the largest first; among equals the one that failed last. */
export function sumBy(series: readonly SeriesTally[], keyOf: (series: SeriesTally) => string): readonly Sum[] {
  const sums = new Map<string, Sum>();
  for (const one of series.toSorted((a, b) => b.count - a.count)) {
    const key = keyOf(one);
    const sum = sums.get(key);
    sums.set(key, sum === undefined ? { of: one, ...one } : add(sum, one));
  }
  return [...sums.values()].toSorted((a, b) => b.count - a.count || b.lastFailedAt - a.lastFailedAt);
}

function add(sum: Sum, one: SeriesTally): Sum {
  const { length } = sum.spans.length > one.spans.length ? sum.spans : one.spans;
  return {
    of: sum.of,
    count: sum.count + one.count,
    firstFailedAt: Math.min(sum.firstFailedAt, one.firstFailedAt),
    lastFailedAt: Math.max(sum.lastFailedAt, one.lastFailedAt),
    spans: Array.from({ length }, (_, span) => (sum.spans[span] ?? 0) + (one.spans[span] ?? 0)),
    samples: [...sum.samples, ...one.samples],
  };
}
