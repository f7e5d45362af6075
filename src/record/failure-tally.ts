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
  /** How many failed from each edge to before the next; empty where that was not asked for. */
  readonly spans: readonly number[];
  /** The newest failures, newest first, and the oldest; none where that was not asked for. */
  readonly samples: readonly Place[];
}

export interface TallyRequest {
  /** Rising times, epoch ms. */
  readonly edges?: readonly number[];
  /** How many of the newest failures of a series are sampled. Default 0: none, and not the oldest either. */
  readonly samples?: number;
  /** Spans and samples are wanted for the series of so many of the largest groups. Default: of all. */
  readonly largest?: number;
  /** Asked between chunks that take a few hundredths of a second. */
  readonly mayGoOn: () => boolean;
}

export interface HistogramRequest {
  /** Rising times, epoch ms. */
  readonly edges: readonly number[];
  readonly mayGoOn: () => boolean;
}

export interface Tally {
  readonly series: readonly SeriesTally[];
  /** True where `mayGoOn` ended it before everything was counted. */
  readonly partial: boolean;
}

/** How many failed from each edge to before the next. */
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
  private readonly edges: readonly number[];
  private readonly samples: number;

  constructor({ edges = [], samples = 0 }: Pick<TallyRequest, 'edges' | 'samples'>) {
    this.edges = edges;
    this.samples = samples;
  }

  /** `key` is the same for facts that are the same. */
  add(key: string, facts: SeriesFacts, place: Place): void {
    const tally = this.open.get(key) ?? this.begin(key, facts, place);
    tally.count += 1;
    tally.firstFailedAt = Math.min(tally.firstFailedAt, place.at);
    tally.lastFailedAt = Math.max(tally.lastFailedAt, place.at);
    const span = spanOf(this.edges, place.at);
    if (span !== undefined) tally.spans[span] = (tally.spans[span] ?? 0) + 1;
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
    const spans = this.edges.slice(1).map(() => 0);
    const tally = { facts, count: 0, firstFailedAt: at, lastFailedAt: at, spans, newest: [], oldest: undefined };
    this.open.set(key, tally);
    return tally;
  }
}

/** The index of the span that holds a time, found by halving; undefined where it is before the first edge, or at or after the last. */
export function spanOf(edges: readonly number[], at: number): number | undefined {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edges[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low === 0 || low === edges.length ? undefined : low - 1;
}
