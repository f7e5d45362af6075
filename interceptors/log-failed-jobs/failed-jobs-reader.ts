import { setImmediate } from 'node:timers/promises';
import type { FailedJobFilter, FailedJobPage, FailedJobSearch, Picked, PickPage, StoredFailedJob } from '../../src/record/failure-log.ts';
import {
  addToSpan,
  emptySpans,
  SeriesCounter,
  type FailureGlance,
  type Histogram,
  type HistogramRequest,
  type SeriesFacts,
  type Spans,
  type Tally,
  type TallyRequest,
} from '../../src/record/failure-tally.ts';
import type { Script } from '../../src/store/script.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { statusesOf } from './filter.ts';
import { countsOf, groupSpans, mostAsked, spanCountsOf } from './figures.ts';
import { listStep } from './list.ts';
import { checkCriteria, pickStep } from './pick.ts';
import { findPlaces } from './places.ts';
import { allOf } from './queries.ts';
import { readRow, workerOf, type FailedJobRow } from './rows.ts';
import { scanStep, type ScanStep } from './scan.ts';
import { findSeries } from './series.ts';
import { isLoose, stretchesOf, type FailedJobsTable, type Stretch } from './stretches.ts';
import { inChunks, tallySeries, type TallyContext } from './tally.ts';
import { findUnnumbered, type UnnumberedRow } from './unnumbered.ts';

/** Rows that the first step of a search looks at, and at most: a step takes SQLite's synchronous driver a few hundredths of a second. */
const usualStrides = { first: 250, longest: 4_000 };
/** Failed jobs glanced at by one statement. */
const glancedAtOnce = 2_000;
/** Stretches asked about one by one, or grouped, between two questions whether to go on. */
const askedAtOnce = 100;
const groupedAtOnce = 500;

const always = (): boolean => true;

/** Lists and counts failed jobs, in steps between which others get their turn. */
export class FailedJobsReader {
  constructor(
    private readonly store: Pick<SqlStore, 'read'>,
    private readonly table: FailedJobsTable,
    private readonly strides = usualStrides,
  ) {}

  async search(filter: FailedJobFilter, page: FailedJobPage, mayGoOn: () => boolean): Promise<FailedJobSearch> {
    const rows: StoredFailedJob[] = [];
    let { after } = page;
    const { first, longest } = this.strides;
    for (let stride = isLoose(filter) ? first : page.limit; ; stride = Math.min(stride * 2, longest)) {
      const rest = { ...page, limit: page.limit - rows.length, stride, ...(after === undefined ? {} : { after }) };
      const step = await this.store.read(() => listStep(this.table, filter, rest));
      rows.push(...step.rows.map(readRow));
      if (step.next === undefined || rows.length === page.limit) return { rows };
      if (!mayGoOn()) return { rows, stoppedAt: step.next };
      after = step.next;
      await setImmediate();
    }
  }

  async pick(filter: FailedJobFilter, page: PickPage): Promise<Picked> {
    if (page.criteria !== undefined) checkCriteria(this.table.from, page.criteria);
    return this.store.read(() => pickStep(this.table, filter, page));
  }

  async count(filter: FailedJobFilter): Promise<number> {
    let count = (await this.unnumbered(filter)).length;
    if (filter.ids !== undefined) {
      const range = { order: 'newest', count: Number.POSITIVE_INFINITY } as const;
      return count + (await this.store.read(() => findPlaces(this.table, filter, range))).length;
    }
    if (!isLoose(filter)) {
      await inChunks(await this.stretchesOf(filter), { size: askedAtOnce, mayGoOn: always }, async (some) => {
        for (const one of await this.store.read(() => countsOf(this.table, some))) count += one;
      });
      return count;
    }
    await this.scan(filter, always, ({ rows }) => (count += rows.length));
    return count;
  }

  async histogram(filter: FailedJobFilter, { spans, mayGoOn }: HistogramRequest): Promise<Histogram> {
    const counts = emptySpans(spans);
    for (const { at } of await this.unnumbered(filter)) addToSpan(counts, spans, { at, count: 1 });
    if (filter.ids !== undefined || isLoose(filter)) {
      const partial = await this.scan(filter, mayGoOn, ({ rows }) => {
        for (const { place } of rows) addToSpan(counts, spans, { at: place.at, count: 1 });
      });
      return { spans: counts, partial };
    }
    const stretches = await this.stretchesOf(filter);
    const isMany = stretches.length * spans.count > mostAsked;
    const size = isMany ? groupedAtOnce : askedAtOnce;
    const isWhole = await inChunks(stretches, { size, mayGoOn }, async (some) => {
      const found = await this.store.read(() => (isMany ? this.grouped(filter, some, spans) : spanCountsOf(this.table, some, spans)));
      found.forEach((count, span) => (counts[span] = (counts[span] ?? 0) + count));
    });
    return { spans: counts, partial: !isWhole };
  }

  async tally(filter: FailedJobFilter, request: TallyRequest): Promise<Tally> {
    const counter = new SeriesCounter(request);
    const series = await this.store.read(() => findSeries(this.table.sql, filter));
    const unnumbered = (await this.unnumbered(filter)).toSorted((one, other) => other.at - one.at);
    for (const { facts, ...place } of unnumbered) counter.add(JSON.stringify(facts), facts, place);
    if (filter.ids === undefined && filter.release === undefined && filter.text === undefined) {
      const found = await tallySeries({ ...this.parts, which: whichOf(filter) }, series, request);
      return { series: [...found.series, ...counter.tallies()], partial: found.partial };
    }
    const bySeries = new Map(series.map(({ series: key, ...facts }) => [key, facts]));
    const partial = await this.scan(filter, request.mayGoOn, ({ rows }) => {
      for (const { series: key, place } of rows) counter.add(key, bySeries.get(key) ?? unknownSeries, place);
    });
    return { series: counter.tallies(), partial };
  }

  async glance(ids: readonly number[]): Promise<readonly FailureGlance[]> {
    const columns = ['id', 'exceptionMessage', 'release', 'worker_host', 'worker_pid', 'worker_pool'] as const;
    const found: FailureGlance[] = [];
    for (let from = 0; from < ids.length; from += glancedAtOnce) {
      const some = ids.slice(from, from + glancedAtOnce);
      const rows = await this.store.read(() =>
        allOf<Pick<FailedJobRow, (typeof columns)[number]>>(
          this.table
            .from()
            .select([...columns])
            .whereIn('id', some),
        ),
      );
      found.push(...rows.map((row) => ({ id: row.id, message: row.exceptionMessage ?? '', release: row.release, worker: workerOf(row) })));
    }
    return found;
  }

  /** Looks at every row that a filter may mean, newest first; true where `mayGoOn` ended it. */
  private async scan(filter: FailedJobFilter, mayGoOn: () => boolean, take: (step: ScanStep) => void): Promise<boolean> {
    let after = undefined as ScanStep['next'];
    const { first, longest } = this.strides;
    for (let stride = first; ; stride = Math.min(stride * 2, longest)) {
      const step = await this.store.read(() => scanStep(this.table, filter, { after, stride }));
      take(step);
      if (step.next === undefined) return false;
      if (!mayGoOn()) return true;
      after = step.next;
      await setImmediate();
    }
  }

  private get parts(): Pick<TallyContext, 'store' | 'table'> {
    return { store: this.store, table: this.table };
  }

  private grouped(filter: FailedJobFilter, stretches: readonly Stretch[], spans: Spans): Script<readonly number[]> {
    const column = stretches[0]?.by?.column;
    const values = [...new Set(stretches.flatMap(({ by }) => by?.value ?? []))];
    return groupSpans(this.table, { ...whichOf(filter), ...(column === undefined ? {} : { by: { column, values } }) }, spans);
  }

  private unnumbered(filter: FailedJobFilter): Promise<readonly UnnumberedRow[]> {
    return this.store.read(() => findUnnumbered(this.table.from, filter));
  }

  private stretchesOf(filter: FailedJobFilter): Promise<readonly Stretch[]> {
    return this.store.read(() => stretchesOf(this.table, filter));
  }
}

function whichOf(filter: FailedJobFilter): TallyContext['which'] {
  return { statuses: statusesOf(filter), since: filter.since?.getTime(), until: filter.until?.getTime() };
}

/** A series whose row is gone: its failures are counted all the same. */
const unknownSeries: SeriesFacts = { connection: '', queue: '', kind: 'exception', fingerprint: '', job: '', type: '' };
