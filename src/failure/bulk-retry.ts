import type { BulkRetryState, BulkTally, StoredBulkRetry } from '../record/bulk-retry-log.ts';
import type { FailedJobFilter } from '../record/failure-log.ts';
import { underWayOf } from './bulk-plan.ts';

/** How a bulk retry stands. */
export interface BulkRetryReport {
  readonly id: number;
  readonly by: string;
  readonly state: BulkRetryState;
  /** Why it stopped by itself. */
  readonly reason?: string;
  readonly filter: FailedJobFilter;
  /** Jobs in its set, fixed when it started. */
  readonly matched: number;
  /** Put back by it. */
  readonly moved: number;
  /** Passed over: somebody else had moved them, a live job held their unique key, or they could not be moved. */
  readonly skipped: number;
  /** Of those moved: as many have succeeded. */
  readonly succeeded: number;
  /** Of those moved: as many have failed again. */
  readonly failedAgain: number;
  /** Of those moved: as many are queued or run. */
  readonly underWay: number;
  readonly startedAt: Date;
  readonly endedAt?: Date;
}

/** Who asks. */
export interface BySomebody {
  /** Default `api`. */
  readonly by?: string;
}

/** What a {@link BulkRetry} asks of those who keep and drive it. */
export interface BulkRetryHands {
  report(id: number): Promise<BulkRetryReport>;
  steer(id: number, verb: 'pause' | 'resume' | 'cancel', by: string | undefined): Promise<boolean>;
  ended(id: number, tell: (report: BulkRetryReport) => void): Promise<void>;
}

/**
 * A filtered, paced, resumable retry. Its numbers are those of when it was last looked at; where this process drives it,
 * or `done` is awaited, they follow by themselves, and `refresh` asks at once.
 */
export class BulkRetry implements BulkRetryReport {
  private latest: BulkRetryReport;
  private readonly hands: BulkRetryHands;
  private ending: Promise<BulkRetryReport> | undefined;

  constructor(report: BulkRetryReport, hands: BulkRetryHands) {
    this.latest = report;
    this.hands = hands;
  }

  get id(): number {
    return this.latest.id;
  }
  get by(): string {
    return this.latest.by;
  }
  get state(): BulkRetryState {
    return this.latest.state;
  }
  get reason(): string | undefined {
    return this.latest.reason;
  }
  get filter(): FailedJobFilter {
    return this.latest.filter;
  }
  get matched(): number {
    return this.latest.matched;
  }
  get moved(): number {
    return this.latest.moved;
  }
  get skipped(): number {
    return this.latest.skipped;
  }
  get succeeded(): number {
    return this.latest.succeeded;
  }
  get failedAgain(): number {
    return this.latest.failedAgain;
  }
  get underWay(): number {
    return this.latest.underWay;
  }
  get startedAt(): Date {
    return this.latest.startedAt;
  }
  get endedAt(): Date | undefined {
    return this.latest.endedAt;
  }

  /**
   * Resolves when it has ended: when all are moved, with a canary or a `stopAfter` when their outcomes are known too; or
   * when it was cancelled, or stopped itself. A paused one has not ended. Rejects with `STOPPED` when this Redrive stops
   * before. Never rejects unheard: who does not wait for it need not catch it.
   */
  get done(): Promise<BulkRetryReport> {
    if (this.ending === undefined) {
      this.ending = this.hands.ended(this.id, (report) => this.follow(report)).then(() => this.latest);
      this.ending.catch(() => undefined);
    }
    return this.ending;
  }

  /** Moves nothing more until it is resumed, in whatever process. False where it does not run. */
  async pause(options: BySomebody = {}): Promise<boolean> {
    return this.steer('pause', options);
  }

  /** Goes on, driven by this process. False where it was not paused. */
  async resume(options: BySomebody = {}): Promise<boolean> {
    return this.steer('resume', options);
  }

  /** Ends it; what was moved stays moved. False where it has ended. */
  async cancel(options: BySomebody = {}): Promise<boolean> {
    return this.steer('cancel', options);
  }

  /** Asks how it stands. */
  async refresh(): Promise<BulkRetryReport> {
    this.follow(await this.hands.report(this.id));
    return this.latest;
  }

  /** Called by who drives it. */
  follow(report: BulkRetryReport): void {
    this.latest = report;
  }

  toJSON(): BulkRetryReport {
    return this.latest;
  }

  private async steer(verb: 'pause' | 'resume' | 'cancel', { by }: BySomebody): Promise<boolean> {
    const changed = await this.hands.steer(this.id, verb, by);
    await this.refresh();
    return changed;
  }
}

export function reportOf(stored: StoredBulkRetry, tally: BulkTally): BulkRetryReport {
  const { id, by, state, reason, filter, matched, createdAt, endedAt } = stored;
  const { moved, skipped, succeeded, failedAgain } = tally;
  return {
    id,
    by,
    state,
    ...(reason === null ? {} : { reason }),
    filter,
    matched,
    moved,
    skipped,
    succeeded,
    failedAgain,
    underWay: underWayOf(tally),
    startedAt: new Date(createdAt),
    ...(endedAt === null ? {} : { endedAt: new Date(endedAt) }),
  };
}
