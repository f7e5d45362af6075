import { setImmediate } from 'node:timers/promises';
import type { Place } from '../../src/record/failure-log.ts';
import type { SeriesFacts, SeriesTally, Tally, TallyRequest } from '../../src/record/failure-tally.ts';
import type { Script } from '../../src/store/script.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { countsOf, extremesOf, samplesOf } from './figures.ts';
import { inOrder } from './places.ts';
import type { Series } from './series.ts';
import { within, type FailedJobsTable, type Stretch } from './stretches.ts';

/** A series, and the stretches of it that are meant: one a status. */
export interface MeantSeries extends Series {
  readonly stretches: readonly Stretch[];
}

interface CountedSeries extends MeantSeries, Pick<SeriesTally, 'count' | 'firstFailedAt' | 'lastFailedAt'> {}

/** Series counted, and looked into, between two questions whether to go on. */
const countedAtOnce = 25;
const lookedIntoAtOnce = 4;

/** Counts series by the index alone, then looks into those of the largest groups. */
export async function tallySeries(
  { store, table }: { readonly store: SqlStore; readonly table: FailedJobsTable },
  series: readonly MeantSeries[],
  request: TallyRequest,
): Promise<Tally> {
  const counted: CountedSeries[] = [];
  const isWhole = await inChunks(series, { size: countedAtOnce, mayGoOn: request.mayGoOn }, async (some) => {
    counted.push(...(await store.read(() => countSeries(table, some))));
  });
  const insights = new Map<string, Pick<SeriesTally, 'spans' | 'samples'>>();
  const { edges = [], samples = 0 } = request;
  const wanted = edges.length > 0 || samples > 0 ? ofLargestGroups(counted, request.largest) : [];
  const isLookedInto = await inChunks(wanted, { size: lookedIntoAtOnce, mayGoOn: request.mayGoOn }, async (some) => {
    const found = await store.read(() => lookInto(table, some, { edges, samples }));
    some.forEach((one, index) => insights.set(one.series, found[index] ?? noInsight));
  });
  return {
    series: counted.map((one) => ({ ...factsOf(one), ...(insights.get(one.series) ?? noInsight) })),
    partial: !isWhole || !isLookedInto,
  };
}

const noInsight = { spans: [], samples: [] };

function factsOf(series: CountedSeries): SeriesFacts & Pick<SeriesTally, 'count' | 'firstFailedAt' | 'lastFailedAt'> {
  const { connection, queue, kind, fingerprint, job, type, count, firstFailedAt, lastFailedAt } = series;
  return { connection, queue, kind, fingerprint, job, type, count, firstFailedAt, lastFailedAt };
}

/** Works through a list, chunk by chunk. False where `mayGoOn` ended it before the last chunk. */
export async function inChunks<T>(
  all: readonly T[],
  { size, mayGoOn }: { readonly size: number; readonly mayGoOn: () => boolean },
  work: (some: readonly T[]) => Promise<void>,
): Promise<boolean> {
  for (let from = 0; from < all.length; from += size) {
    if (from > 0 && !mayGoOn()) return false;
    await work(all.slice(from, from + size));
    // Whatever else this process does goes on between two chunks.
    await setImmediate();
  }
  return true;
}

/** Those that are not empty, counted. */
function* countSeries(table: FailedJobsTable, series: readonly MeantSeries[]): Script<readonly CountedSeries[]> {
  const stretches = series.flatMap((one) => one.stretches);
  const counts = yield* countsOf(table, stretches);
  const filled = stretches.filter((_, index) => (counts[index] ?? 0) > 0);
  const extremes = new Map((yield* extremesOf(table, filled)).map((one, index) => [filled[index], one]));
  const countOf = new Map(stretches.map((stretch, index) => [stretch, counts[index] ?? 0]));
  return series.flatMap((one) => {
    const own = one.stretches.flatMap((stretch) => {
      const found = extremes.get(stretch);
      return found === undefined ? [] : [{ stretch, count: countOf.get(stretch) ?? 0, ...found }];
    });
    if (own.length === 0) return [];
    return [
      {
        ...one,
        stretches: own.map(({ stretch }) => stretch),
        count: own.reduce((sum, { count }) => sum + count, 0),
        firstFailedAt: Math.min(...own.map(({ firstFailedAt }) => firstFailedAt)),
        lastFailedAt: Math.max(...own.map(({ lastFailedAt }) => lastFailedAt)),
      },
    ];
  });
}

/** The series of so many of the largest groups, those of the largest first. */
function ofLargestGroups(counted: readonly CountedSeries[], largest = Number.POSITIVE_INFINITY): readonly CountedSeries[] {
  const groups = new Map<string, CountedSeries[]>();
  for (const one of counted) groups.set(one.fingerprint, [...(groups.get(one.fingerprint) ?? []), one]);
  const sizeOf = (group: readonly CountedSeries[]): number => group.reduce((sum, { count }) => sum + count, 0);
  return [...groups.values()]
    .map((group) => ({ group, size: sizeOf(group) }))
    .toSorted((one, other) => other.size - one.size)
    .slice(0, largest)
    .flatMap(({ group }) => group);
}

function* lookInto(
  table: FailedJobsTable,
  series: readonly CountedSeries[],
  { edges, samples }: { readonly edges: readonly number[]; readonly samples: number },
): Script<readonly Pick<SeriesTally, 'spans' | 'samples'>[]> {
  const insights: Pick<SeriesTally, 'spans' | 'samples'>[] = [];
  for (const { stretches, lastFailedAt } of series) {
    const places = samples === 0 ? [] : (yield* samplesOf(table, stretches, samples)).flat();
    const spans = yield* countSpans(table, lastFailedAt < (edges[0] ?? 0) ? [] : stretches, edges);
    insights.push({ samples: outermost(places, samples), spans });
  }
  return insights;
}

/** Of places of several stretches the newest, newest first, and the oldest. */
function outermost(places: readonly Place[], samples: number): readonly Place[] {
  const sorted = places.toSorted(inOrder('newest'));
  const oldest = sorted.at(-1);
  return oldest === undefined || sorted.length <= samples ? sorted : [...sorted.slice(0, samples), oldest];
}

/** How many failed from each edge to before the next, in all the stretches. */
export function* countSpans(table: FailedJobsTable, stretches: readonly Stretch[], edges: readonly number[]): Script<readonly number[]> {
  const spans = edges.slice(1).map((until, index) => ({ since: edges[index] ?? 0, until }));
  const first = edges[0] ?? 0;
  const whole = stretches.map((stretch) => within(stretch, { since: first, until: edges.at(-1) ?? first }));
  // Of many series most were silent in any one span of time.
  const sizes = whole.length === 1 ? [1] : yield* countsOf(table, whole);
  const filled = whole.filter((_, index) => (sizes[index] ?? 0) > 0);
  const counts = yield* countsOf(
    table,
    filled.flatMap((stretch) => spans.map((span) => within(stretch, span))),
  );
  return spans.map((_, span) => filled.reduce((sum, _stretch, index) => sum + (counts[index * spans.length + span] ?? 0), 0));
}
