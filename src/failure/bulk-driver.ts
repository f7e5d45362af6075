import { setImmediate } from 'node:timers/promises';
import { sleep, type Timer } from '../clock.ts';
import { isOfStore, isRedriveError } from '../errors.ts';
import type { BulkHold, BulkJobKey, BulkTally, SkippedJob, StoredBulkRetry } from '../record/bulk-retry-log.ts';
import type { RunStep, StoredFailedJob } from '../record/failure-log.ts';
import { noteOf } from './audit.ts';
import { retryOf, startDetail } from './bulk-options.ts';
import { nextStep, paceOf, restMs } from './bulk-plan.ts';
import { reportOf, type BulkRetryReport } from './bulk-retry.ts';
import type { RetryOutcome } from './failed-job.ts';
import { Mover, outcomeOf, type MoverContext, type Target } from './mover.ts';

/** How long nobody else may drive after the driver was last heard of. */
export const leaseMs = 20_000;
const beatMs = leaseMs / 4;
/** How often it is looked whether something has come of what was moved, and how old the numbers of a report may be. */
const lookMs = 500;
const firstPauseMs = 250;
const longestPauseMs = 5_000;

/**
 * Drives one bulk retry for as long as this process holds its lease.
 *
 * collect -> [ look -> move a chunk, or wait, or stop ]... -> done
 *
 * Everything it has to know is in the failed-jobs log, and each chunk is one transaction that the lease fences: one
 * that dies, or is paused, at whatever point leaves the next one exactly what is left to do.
 */
export class BulkDriver {
  /** Resolves when its set is fixed, or when it drives no more. */
  readonly collected: Promise<void>;
  /** Resolves when it drives no more. */
  readonly ended: Promise<void>;
  private readonly stopping = new AbortController();
  private readonly mover: Mover;
  private isCollected = (): void => undefined;
  private beat: Timer | undefined;
  private nextAt: number;
  /** Jobs up to this place in the set are behind. */
  private after = 0;
  private tally: BulkTally = { pending: 0, moved: 0, skipped: 0, succeeded: 0, failedAgain: 0, cancelled: 0 };
  private lookedAt = Number.NEGATIVE_INFINITY;
  private mustLook = true;
  /** False where chunks were added to what was last looked at: somebody else may have moved the same jobs. */
  private isExact = false;
  private untold: readonly RunStep[] = [];
  private keys = new Map<number, BulkJobKey>();

  constructor(
    private readonly context: MoverContext,
    private retry: StoredBulkRetry,
    private readonly onProgress: (report: BulkRetryReport) => void,
  ) {
    this.nextAt = retry.nextAt;
    this.mover = new Mover(context, {
      ...retryOf(retry.plan, retry.by),
      dryRun: false,
      audit: undefined,
      bulk: {
        id: retry.id,
        hold: () => this.hold,
        claimed: (failedJob, jobId) => this.claimed(failedJob, jobId),
        untold: (steps) => (this.untold = [...this.untold, ...steps]),
      },
    });
    this.collected = new Promise((resolve) => (this.isCollected = resolve));
    this.ended = this.drive();
  }

  get id(): number {
    return this.retry.id;
  }

  /** Leaves it to somebody else, once what it is about is written. */
  stop(): Promise<void> {
    this.stopping.abort();
    return this.ended;
  }

  private async drive(): Promise<void> {
    this.scheduleBeat();
    let pauseMs = firstPauseMs;
    let isOurs = true;
    while (!this.stopping.signal.aborted) {
      try {
        const waitMs = await this.advance();
        if (waitMs === undefined) {
          isOurs = false;
          break;
        }
        pauseMs = firstPauseMs;
        if (waitMs > 0) await sleep(this.context.clock, waitMs, this.stopping.signal);
        else await setImmediate();
      } catch (error) {
        if (isRedriveError(error, 'LEASE_LOST')) {
          isOurs = false;
          break;
        }
        this.context.logger.warn({ err: error, bulkRetry: this.id }, 'A bulk retry could not go on; trying again');
        await sleep(this.context.clock, pauseMs * (0.5 + Math.random() / 2), this.stopping.signal);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
    this.stopping.abort();
    this.beat?.cancel();
    this.isCollected();
    if (isOurs) await this.context.log.bulkRetries.letGo(this.retry).catch(() => undefined);
  }

  /** Prolongs the lease while a chunk takes long, or nothing is to be moved for long. */
  private scheduleBeat(): void {
    this.beat = this.context.clock.after(beatMs, () => {
      if (this.stopping.signal.aborted) return;
      this.scheduleBeat();
      this.context.log.bulkRetries.hold(this.hold).catch((error: unknown) => {
        if (isRedriveError(error, 'LEASE_LOST')) this.stopping.abort();
      });
    });
  }

  /** Does one thing; returns how long to wait for the next one, undefined when there is none. */
  private async advance(): Promise<number | undefined> {
    if (this.retry.collecting !== null) return this.collect(this.retry.collecting);
    this.isCollected();
    await this.tellLog();
    const now = this.context.clock.now();
    if (this.mustLook || now - this.lookedAt >= lookMs) await this.look();
    const step = nextStep(this.retry.plan, this.tally);
    switch (step.kind) {
      case 'move':
        return now < this.nextAt ? this.nextAt - now : this.moveSome(Math.min(step.limit, paceOf(this.retry.plan)));
      case 'wait':
        this.mustLook = true;
        return lookMs;
      case 'stop':
        return this.end('stopped', step.reason);
      case 'finish':
        if (this.isExact) return this.end('done', undefined);
        this.mustLook = true;
        return 0;
    }
  }

  private async look(): Promise<void> {
    this.tally = await this.context.log.bulkRetries.tally(this.id);
    this.lookedAt = this.context.clock.now();
    this.mustLook = false;
    this.isExact = true;
    this.progress();
  }

  private async collect(from: NonNullable<StoredBulkRetry['collecting']>): Promise<number> {
    const { log } = this.context;
    const { filter, through, plan, by } = this.retry;
    const page = { through, order: 'oldest' as const, ...(from === 'start' ? {} : { after: from }) };
    const { refs, next = null } = await log.pick(filter, page);
    const keys = refs.map(({ seq, id: failedJob, jobId, run }) => ({ seq, failedJob, jobId, run: run + 1 }));
    const note = noteOf({ action: 'bulk-retry-started', by, filter, detail: startDetail(plan, by) }, this.context);
    await log.bulkRetries.collect(this.hold, keys, next, note);
    this.retry = { ...this.retry, collecting: next, matched: this.retry.matched + keys.length };
    this.tally = { ...this.tally, pending: this.tally.pending + keys.length };
    if (next === null) this.progress();
    return 0;
  }

  private async moveSome(limit: number): Promise<number> {
    const { log, clock } = this.context;
    const keys = await log.bulkRetries.pending(this.id, { after: this.after, limit });
    const last = keys.at(-1);
    if (last === undefined) {
      // What lies behind and is pending was left by a chunk of which only a part was written.
      this.after = 0;
      this.mustLook = true;
      return 0;
    }
    const startedAt = clock.now();
    // Written with the move, and as if all of them moved: whoever takes over keeps the pace.
    this.nextAt = Math.ceil(startedAt + restMs(this.retry.plan, keys.length));
    this.keys = new Map(keys.map((key) => [key.failedJob, key]));
    const { targets, gone } = await this.targetsOf(keys);
    const outcomes = await this.moveSafely(targets);
    const skipped = [...gone, ...this.skippedOf(targets, outcomes)];
    await log.bulkRetries.skip(this.id, skipped);
    this.after = last.seq;
    this.count(keys.length - skipped.length, skipped.length);
    this.nextAt = Math.ceil(startedAt + restMs(this.retry.plan, keys.length - skipped.length));
    return 0;
  }

  private count(moved: number, skipped: number): void {
    const { pending, ...tally } = this.tally;
    this.tally = { ...tally, pending: pending - moved - skipped, moved: tally.moved + moved, skipped: tally.skipped + skipped };
    this.isExact = false;
    this.progress();
  }

  /** Failed jobs as they are now; those that are not what they were when they were chosen are passed over. */
  private async targetsOf(
    keys: readonly BulkJobKey[],
  ): Promise<{ readonly targets: readonly Target[]; readonly gone: readonly SkippedJob[] }> {
    const ids = keys.map(({ failedJob }) => failedJob);
    const rows = await this.context.log.list({ ids, status: 'any' }, { limit: ids.length, order: 'oldest' });
    const found = new Map(rows.map((row) => [row.id, row]));
    const targets: Target[] = [];
    const gone: SkippedJob[] = [];
    for (const key of keys) {
      const stored = found.get(key.failedJob);
      const detail = whyNot(stored, key);
      if (stored === undefined || detail !== undefined) gone.push({ seq: key.seq, detail: detail ?? 'it is gone' });
      else targets.push({ id: stored.id, stored });
    }
    return { targets, gone };
  }

  /** One bad row does not hold up its neighbours: what cannot be moved together is moved one by one. */
  private async moveSafely(targets: readonly Target[]): Promise<readonly RetryOutcome[]> {
    try {
      return await this.mover.move(targets);
    } catch (error) {
      if (isRedriveError(error, 'LEASE_LOST') || isOfStore(error)) throw error;
      const [first, ...others] = targets;
      if (first === undefined) return [];
      if (others.length > 0) {
        const outcomes: RetryOutcome[] = [];
        for (const target of targets) outcomes.push(...(await this.moveSafely([target])));
        return outcomes;
      }
      if (!(await this.isReachable(first))) throw error;
      return [outcomeOf(first.id, 'error', this.context.redactor.text(error instanceof Error ? error.message : String(error)))];
    }
  }

  /** Whether it is the job, and not its store, that cannot be had. */
  private async isReachable({ stored }: Target): Promise<boolean> {
    try {
      const provider = await this.context.provider(stored.connection);
      await provider?.find(stored.jobId ?? '');
      await this.context.log.bulkRetries.hold(this.hold);
      return true;
    } catch {
      return false;
    }
  }

  private skippedOf(targets: readonly Target[], outcomes: readonly RetryOutcome[]): readonly SkippedJob[] {
    return targets.flatMap(({ stored }, index): readonly SkippedJob[] => {
      const { status = 'error', detail = status } = outcomes[index] ?? {};
      const seq = this.keys.get(stored.id)?.seq;
      return status === 'requeued' || seq === undefined ? [] : [{ seq, detail }];
    });
  }

  private async claimed(failedJob: number, jobId: string): Promise<void> {
    const seq = this.keys.get(failedJob)?.seq;
    if (seq !== undefined) await this.context.log.bulkRetries.claimed(this.id, { seq, jobId });
  }

  /** The log is elsewhere and could not be told of the last chunk: without that, its jobs would look as if they were still to be moved. */
  private async tellLog(): Promise<void> {
    if (this.untold.length === 0) return;
    await this.context.log.retrying(this.untold);
    this.untold = [];
    this.mustLook = true;
  }

  private async end(to: 'done' | 'stopped', reason: string | undefined): Promise<undefined> {
    const { log, clock } = this.context;
    const { id, fence } = this.retry;
    const action = to === 'done' ? 'bulk-retry-done' : 'bulk-retry-stopped';
    const note = noteOf({ action, by: this.retry.by, ...(reason === undefined ? {} : { detail: { reason } }) }, this.context);
    const audit = { ...note, ids: [id], count: this.tally.moved };
    const endedAt = clock.now();
    const isEnded = await log.bulkRetries.step(id, {
      from: ['running'],
      to,
      at: endedAt,
      fence,
      audit,
      ...(reason === undefined ? {} : { reason }),
    });
    if (isEnded) this.retry = { ...this.retry, state: to, reason: reason ?? null, endedAt };
    this.progress();
  }

  private progress(): void {
    this.onProgress(reportOf(this.retry, this.tally));
  }

  private get hold(): BulkHold {
    const { id, fence } = this.retry;
    return { id, fence, until: this.context.clock.now() + leaseMs, nextAt: this.nextAt };
  }
}

function whyNot(stored: StoredFailedJob | undefined, { run }: BulkJobKey): string | undefined {
  if (stored === undefined) return 'it is gone';
  if (stored.status !== 'failed') return `it is ${stored.status}`;
  return stored.run + 1 === run ? undefined : 'it was retried and has failed again';
}
