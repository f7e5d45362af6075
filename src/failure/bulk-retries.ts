import { v7 as uuidv7 } from 'uuid';
import { sleep, type Timer } from '../clock.ts';
import { RedriveError } from '../errors.ts';
import type { AuditAction } from '../record/audit-log.ts';
import type { BulkRetryState, StoredBulkRetry } from '../record/bulk-retry-log.ts';
import type { FailedJobFilter, FailureLog } from '../record/failure-log.ts';
import { keepAlive } from '../worker/keep-alive.ts';
import { checkBy, noteOf } from './audit.ts';
import { onlyIfOn } from './only-if-on.ts';
import { BulkDriver, leaseMs } from './bulk-driver.ts';
import { resolveBulkRetry, type BulkRetryOptions } from './bulk-options.ts';
import { BulkRetry, reportOf, type BulkRetryHands, type BulkRetryReport } from './bulk-retry.ts';
import type { MoverContext } from './mover.ts';

export interface BulkRetriesContext extends Omit<MoverContext, 'log'> {
  /** Undefined while the failed-jobs log is off. */
  readonly log: () => Promise<FailureLog | undefined>;
}

/** How often a watching process looks for bulk retries that nobody drives: with the lease, half a minute after a driver's death at most. */
const watchMs = 10_000;
/** How often it is looked whether one that another process drives has ended. */
const followMs = 1_000;
/** How long the jobs of one that has ended are kept; its numbers stay. */
const keepJobsMs = 30 * 24 * 3_600_000;

const verbs = {
  pause: { from: ['running'], to: 'paused', action: 'bulk-retry-paused' },
  resume: { from: ['paused'], to: 'running', action: 'bulk-retry-resumed' },
  cancel: { from: ['running', 'paused'], to: 'cancelled', action: 'bulk-retry-cancelled' },
} as const satisfies Record<string, { from: readonly BulkRetryState[]; to: BulkRetryState; action: AuditAction }>;

/** The bulk retries of a failed-jobs log: started, found, steered, and driven by one process at a time. */
export class BulkRetries implements BulkRetryHands {
  private readonly drivers = new Map<number, BulkDriver>();
  private readonly followers = new Map<number, Set<(report: BulkRetryReport) => void>>();
  private readonly stopping = new AbortController();
  private watching: Timer | undefined;
  private looking: Promise<void> | undefined;

  constructor(private readonly context: BulkRetriesContext) {}

  /** Fixes the set, and begins to move it. Throws `OPTIONS_INVALID`, `DURATION_INVALID`, `PROPERTIES_INVALID`. */
  async start(filter: FailedJobFilter, options: BulkRetryOptions): Promise<BulkRetry> {
    const { by, plan } = resolveBulkRetry(options);
    const log = await this.log();
    const at = this.context.clock.now();
    const through = await log.lastSeq();
    const stored = await log.bulkRetries.create({ token: uuidv7(), by, filter, plan, through, at, drivenUntil: at + leaseMs });
    const handle = new BulkRetry(reportOf(stored, { pending: 0, moved: 0, skipped: 0, succeeded: 0, failedAgain: 0, cancelled: 0 }), this);
    this.follow(handle.id, (report) => handle.follow(report));
    await this.drive(log, stored).collected;
    return handle;
  }

  async find(id: number): Promise<BulkRetry | undefined> {
    const log = await this.log();
    const stored = await log.bulkRetries.find(id);
    return stored === undefined ? undefined : this.handleOf(log, stored);
  }

  /** Newest first. */
  async list(page: { readonly limit: number; readonly before?: number }): Promise<readonly BulkRetry[]> {
    const log = await this.log();
    const handles: BulkRetry[] = [];
    for (const stored of await log.bulkRetries.list(page)) handles.push(await this.handleOf(log, stored));
    return handles;
  }

  /** From now on this process takes over bulk retries whose driver is gone. */
  watch(): void {
    if (this.stopping.signal.aborted || this.watching !== undefined) return;
    const look = (): void => {
      this.watching = this.context.clock.after(watchMs, look);
      this.looking ??= this.takeOver()
        .catch((error: unknown) =>
          this.context.logger.warn({ err: error }, 'Bulk retries that nobody drives could not be looked for; trying again'),
        )
        .finally(() => (this.looking = undefined));
    };
    look();
  }

  /** Leaves to others what this process drives; what is being written is written. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.watching?.cancel();
    await this.looking;
    await Promise.all([...this.drivers.values()].map((driver) => driver.stop()));
  }

  async report(id: number): Promise<BulkRetryReport> {
    const log = await this.log();
    const stored = await log.bulkRetries.find(id);
    if (stored === undefined) throw new RedriveError('OPTIONS_INVALID', `There is no bulk retry ${id}`);
    return reportOf(stored, await log.bulkRetries.tally(id));
  }

  async steer(id: number, verb: keyof typeof verbs, by: string | undefined): Promise<boolean> {
    const { from, to, action } = verbs[verb];
    const note = noteOf({ action, by: checkBy(by) }, this.context);
    const log = await this.log();
    const changed = await log.bulkRetries.step(id, { from, to, at: this.context.clock.now(), audit: { ...note, ids: [id] } });
    // Its driver learns of it when it next writes; one of this process need not wait for that.
    if (changed && verb !== 'resume') await this.drivers.get(id)?.stop();
    if (changed && verb === 'resume') await this.take(log, id);
    return changed;
  }

  async ended(id: number, tell: (report: BulkRetryReport) => void): Promise<void> {
    const letGo = keepAlive();
    const unfollow = this.follow(id, tell);
    try {
      for (;;) {
        if (this.stopping.signal.aborted)
          throw new RedriveError('STOPPED', `This Redrive was stopped before bulk retry ${id} had ended; another process goes on with it`);
        const report = await this.report(id).catch((error: unknown) => this.unreachable(error, id));
        if (report !== undefined) tell(report);
        if (report !== undefined && isOver(report)) return;
        const driver = this.drivers.get(id);
        await Promise.race([sleep(this.context.clock, followMs, this.stopping.signal), ...(driver === undefined ? [] : [driver.ended])]);
      }
    } finally {
      unfollow();
      letGo();
    }
  }

  /** A store that cannot be asked now may be there again; one that is not asked any more, or of nothing there is, is no reason to wait. */
  private unreachable(error: unknown, id: number): undefined {
    if (error instanceof RedriveError && ['OPTIONS_INVALID', 'FAILED_JOBS_OFF', 'STOPPED'].includes(error.code)) throw error;
    this.context.logger.warn({ err: error, bulkRetry: id }, 'It could not be looked how a bulk retry stands; trying again');
    return undefined;
  }

  private async handleOf(log: FailureLog, stored: StoredBulkRetry): Promise<BulkRetry> {
    const handle = new BulkRetry(reportOf(stored, await log.bulkRetries.tally(stored.id)), this);
    if (this.drivers.has(stored.id)) this.follow(stored.id, (report) => handle.follow(report));
    return handle;
  }

  private async log(): Promise<FailureLog> {
    return onlyIfOn(await this.context.log());
  }

  private async takeOver(): Promise<void> {
    const log = await this.context.log();
    if (log === undefined) return;
    for (const id of await log.bulkRetries.undriven(this.context.clock.now())) {
      if (this.stopping.signal.aborted) return;
      if (!this.drivers.has(id)) await this.take(log, id);
    }
    await log.bulkRetries.compact(this.context.clock.now() - keepJobsMs);
  }

  private async take(log: FailureLog, id: number): Promise<void> {
    const now = this.context.clock.now();
    const stored = await log.bulkRetries.take(id, { now, until: now + leaseMs });
    if (stored === undefined) return;
    this.context.logger.info({ bulkRetry: id, by: stored.by }, 'This process goes on with a bulk retry');
    this.drive(log, stored);
  }

  private drive(log: FailureLog, stored: StoredBulkRetry): BulkDriver {
    const { id } = stored;
    const driver = new BulkDriver({ ...this.context, log }, stored, (report) => {
      for (const tell of this.followers.get(id) ?? []) tell(report);
      if (isOver(report)) this.followers.delete(id);
    });
    this.drivers.set(id, driver);
    void driver.ended.then(() => {
      if (this.drivers.get(id) === driver) this.drivers.delete(id);
    });
    if (this.stopping.signal.aborted) void driver.stop();
    return driver;
  }

  /** Tells of every step of one that this process drives; returns how to end that. */
  private follow(id: number, tell: (report: BulkRetryReport) => void): () => void {
    const followers = this.followers.get(id) ?? new Set();
    this.followers.set(id, followers.add(tell));
    return () => {
      followers.delete(tell);
      if (followers.size === 0) this.followers.delete(id);
    };
  }
}

function isOver({ state }: BulkRetryReport): boolean {
  return state !== 'running' && state !== 'paused';
}
