import { setImmediate } from 'node:timers/promises';
import type { Place } from '../../src/record/failure-log.ts';
import { emptySpans, noSpans, type SeriesTally, type Tally, type TallyRequest } from '../../src/record/failure-tally.ts';
import type { Script } from '../../src/store/script.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import {
  countsOf,
  extremesOf,
  groupSeries,
  groupSpansBySeries,
  mostAsked,
  samplesOf,
  spanCountsOf,
  type Bundle,
  type GroupedSeries,
} from './figures.ts';
import { inOrder } from './places.ts';
import type { Series } from './series.ts';
import type { FailedJobsTable, Stretch } from './stretches.ts';

/** Series asked about one by one, or grouped, between two questions whether to go on. */
const askedAtOnce = 25;
const groupedAtOnce = 500;

/** What series are counted in. */
export interface TallyContext {
  readonly store: Pick<SqlStore, 'read'>;
  readonly table: FailedJobsTable;
  /** Which of their failures. */
  readonly which: Omit<Bundle, 'by'>;
}

interface CountedSeries extends Series, Omit<GroupedSeries, 'series'> {}

type Insight = Pick<SeriesTally, 'spans' | 'samples'>;

const noInsight: Insight = { spans: [], samples: [] };

/** Counts series by the index alone, then looks into those of the largest groups. */
export async function tallySeries(context: TallyContext, series: readonly Series[], request: TallyRequest): Promise<Tally> {
  const { spans = noSpans, samples = 0, largest, mayGoOn } = request;
  const counted: CountedSeries[] = [];
  const isMany = series.length * context.which.statuses.length * 3 > mostAsked;
  const isWhole = await inChunks(series, { size: isMany ? groupedAtOnce : askedAtOnce, mayGoOn }, async (some) => {
    counted.push(...(await context.store.read(() => (isMany ? countGrouped(context, some) : countEach(context, some)))));
  });
  const insights = new Map<string, Insight>();
  const wanted = spans.count > 0 || samples > 0 ? ofLargestGroups(counted, largest) : [];
  const areSpansMany = wanted.length * context.which.statuses.length * spans.count > mostAsked;
  const isLookedInto = await inChunks(wanted, { size: askedAtOnce, mayGoOn }, async (some) => {
    const found = await context.store.read(() => lookInto(context, some, { spans, samples, isGrouped: areSpansMany }));
    some.forEach((one, index) => insights.set(one.series, found[index] ?? noInsight));
  });
  return {
    series: counted.map(({ series: key, ...facts }) => ({ ...facts, ...(insights.get(key) ?? noInsight) })),
    partial: !isWhole || !isLookedInto,
  };
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

/** A series' stretches: one a status. */
function stretchesOf({ statuses, since, until }: TallyContext['which'], { series }: Series): readonly Stretch[] {
  return statuses.map((status) => ({ status, by: { column: 'series', value: series }, since, until }));
}

function bundleOf({ which }: TallyContext, series: readonly Series[]): Bundle {
  return { ...which, by: { column: 'series', values: series.map((one) => one.series) } };
}

function* countGrouped(context: TallyContext, series: readonly Series[]): Script<readonly CountedSeries[]> {
  const bySeries = new Map((yield* groupSeries(context.table, bundleOf(context, series))).map((one) => [one.series, one]));
  return series.flatMap((one) => {
    const found = bySeries.get(one.series);
    return found === undefined ? [] : [{ ...one, ...found }];
  });
}

function* countEach({ table, which }: TallyContext, series: readonly Series[]): Script<readonly CountedSeries[]> {
  const asked = series.flatMap((one) => stretchesOf(which, one).map((stretch) => ({ one, stretch })));
  const counts = yield* countsOf(
    table,
    asked.map(({ stretch }) => stretch),
  );
  const filled = asked.flatMap(({ one, stretch }, index) => {
    const count = counts[index] ?? 0;
    return count === 0 ? [] : [{ one, stretch, count }];
  });
  const extremes = yield* extremesOf(
    table,
    filled.map(({ stretch }) => stretch),
  );
  const counted = new Map<string, CountedSeries>();
  for (const [index, { one, count }] of filled.entries()) {
    const { firstFailedAt, lastFailedAt } = extremes[index] ?? { firstFailedAt: 0, lastFailedAt: 0 };
    const known = counted.get(one.series) ?? { ...one, count: 0, firstFailedAt, lastFailedAt };
    counted.set(one.series, {
      ...known,
      count: known.count + count,
      firstFailedAt: Math.min(known.firstFailedAt, firstFailedAt),
      lastFailedAt: Math.max(known.lastFailedAt, lastFailedAt),
    });
  }
  return [...counted.values()];
}

/** The series of so many of the largest groups, those of the largest first. */
function ofLargestGroups(counted: readonly CountedSeries[], largest = Number.POSITIVE_INFINITY): readonly CountedSeries[] {
  const groups = new Map<string, CountedSeries[]>();
  for (const one of counted) {
    const group = groups.get(one.fingerprint);
    if (group === undefined) groups.set(one.fingerprint, [one]);
    else group.push(one);
  }
  return [...groups.values()]
    .map((group) => ({ group, size: group.reduce((sum, { count }) => sum + count, 0) }))
    .toSorted((one, other) => other.size - one.size)
    .slice(0, largest)
    .flatMap(({ group }) => group);
}

function* lookInto(
  context: TallyContext,
  series: readonly CountedSeries[],
  { spans, samples, isGrouped }: { readonly spans: Required<TallyRequest>['spans']; readonly samples: number; readonly isGrouped: boolean },
): Script<readonly Insight[]> {
  const { table, which } = context;
  const stretches = series.flatMap((one) => stretchesOf(which, one));
  const places = samples === 0 ? [] : yield* samplesOf(table, stretches, samples);
  // Of many series most were silent of late.
  const heard = series.filter(({ lastFailedAt }) => lastFailedAt >= spans.from);
  const counts = new Map(isGrouped && heard.length > 0 ? yield* groupSpansBySeries(table, bundleOf(context, heard), spans) : []);
  if (!isGrouped) for (const one of heard) counts.set(one.series, yield* spanCountsOf(table, stretchesOf(which, one), spans));
  return series.map((one, index) => {
    const own = which.statuses.flatMap((_, status) => places[index * which.statuses.length + status] ?? []);
    return { spans: counts.get(one.series) ?? emptySpans(spans), samples: outermost(own, samples) };
  });
}

/** Of places of several stretches the newest, newest first, and the oldest. */
function outermost(places: readonly Place[], samples: number): readonly Place[] {
  const sorted = places.toSorted(inOrder('newest'));
  const oldest = sorted.at(-1);
  return oldest === undefined || sorted.length <= samples ? sorted : [...sorted.slice(0, samples), oldest];
}
