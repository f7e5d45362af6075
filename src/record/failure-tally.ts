import type { Place } from './failure-log.ts';
import type { FailureKind, WorkerIdentity } from './types.ts';

// Failed jobs counted. A series is all failures of one group, on one queue of one connection, of one kind: the finest
// grain of any figure, of which all coarser ones are sums.

/** What the failures of one series share. */
export interface SeriesFacts {
  readonly connection: string;
  readonly queue: string;
  readonly kind: FailureKind;
  /** Empty for rows that an old cbq wrote and nobody has numbered yet. */
  readonly fingerprint: string;
  /** The job's name. */
  readonly job: string;
  /** The exception's type. */
  readonly type: string;
}

export interface SeriesTally extends SeriesFacts {
  readonly count: number;
  /** Of the first failure, epoch ms. */
  readonly firstFailedAt: number;
  readonly lastFailedAt: number;
  /** How many failed in each of the spans asked for; empty where none were, or none of them looked into. */
  readonly spans: readonly number[];
  /** The newest failures, newest first, and the oldest; none where that was not asked for. */
  readonly samples: readonly Place[];
}

/** Spans of time of one length, one after the other. */
export interface Spans {
  /** Where the first begins, epoch ms. */
  readonly from: number;
  readonly ms: number;
  readonly count: number;
}

export interface TallyRequest {
  readonly spans?: Spans;
  /** How many of the newest failures of a series are sampled. Default 0: none, and not the oldest either. */
  readonly samples?: number;
  /** Spans and samples are wanted for the series of so many of the largest groups. Default: of all. */
  readonly largest?: number;
  /** Asked between chunks that take a few hundredths of a second. */
  readonly mayGoOn: () => boolean;
}

export interface HistogramRequest {
  readonly spans: Spans;
  readonly mayGoOn: () => boolean;
}

export interface Tally {
  readonly series: readonly SeriesTally[];
  /** True where `mayGoOn` ended it before everything was counted. */
  readonly partial: boolean;
}

/** How many failed in each span. */
export interface Histogram {
  readonly spans: readonly number[];
  readonly partial: boolean;
}

/** The little of a failed job that a summary shows. */
export interface FailureGlance {
  readonly id: number;
  readonly message: string;
  readonly release: string | null;
  readonly worker: WorkerIdentity | null;
}

interface OpenTally {
  readonly facts: SeriesFacts;
  count: number;
  firstFailedAt: number;
  lastFailedAt: number;
  readonly spans: number[];
  readonly newest: Place[];
  oldest: Place | undefined;
}

/** Counts failed jobs one by one, given from the newest to the oldest. */
export class SeriesCounter {
  private readonly open = new Map<string, OpenTally>();
  private readonly spans: Spans;
  private readonly samples: number;

  constructor({ spans = noSpans, samples = 0 }: Pick<TallyRequest, 'spans' | 'samples'>) {
    this.spans = spans;
    this.samples = samples;
  }

  /** `key` is the same for facts that are the same. */
  add(key: string, facts: SeriesFacts, place: Place): void {
    const tally = this.open.get(key) ?? this.begin(key, facts, place);
    tally.count += 1;
    tally.firstFailedAt = Math.min(tally.firstFailedAt, place.at);
    tally.lastFailedAt = Math.max(tally.lastFailedAt, place.at);
    addToSpan(tally.spans, this.spans, { at: place.at, count: 1 });
    if (tally.newest.length < this.samples) tally.newest.push(place);
    else tally.oldest = place;
  }

  tallies(): readonly SeriesTally[] {
    return [...this.open.values()].map(({ facts, newest, oldest, ...counted }) => ({
      ...facts,
      ...counted,
      samples: oldest === undefined || this.samples === 0 ? newest : [...newest, oldest],
    }));
  }

  private begin(key: string, facts: SeriesFacts, { at }: Place): OpenTally {
    const spans = emptySpans(this.spans);
    const tally = { facts, count: 0, firstFailedAt: at, lastFailedAt: at, spans, newest: [], oldest: undefined };
    this.open.set(key, tally);
    return tally;
  }
}

export const noSpans: Spans = { from: 0, ms: 1, count: 0 };

/** A zero for each span. */
export function emptySpans({ count }: Spans): number[] {
  return Array.from({ length: count }, () => 0);
}

/** Adds what failed at a time, epoch ms, to the span that holds it, if one does. */
export function addToSpan(counts: number[], { from, ms }: Spans, { at, count }: { readonly at: number; readonly count: number }): void {
  const span = Math.floor((at - from) / ms);
  if (span >= 0 && span < counts.length) counts[span] = (counts[span] ?? 0) + count;
}
