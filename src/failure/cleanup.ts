import type { Knex } from 'knex';
import { sleep } from '../clock.ts';
import type { Schedule } from '../config/cron.ts';
import type { ResolvedCleanup } from '../config/resolved.ts';
import { formatDuration } from '../duration.ts';
import type { FailedJobFilter } from '../record/failure-log.ts';
import type { Claim } from '../record/claims.ts';
import { noteOf } from './audit.ts';
import type { ByHandContext } from './by-hand.ts';
import { removeOldest, tidy } from './prune.ts';
import { Removal } from './removal.ts';

export interface CleanupContext extends Omit<ByHandContext, 'log'> {
  readonly log: () => Promise<ByHandContext['log'] | undefined>;
}

const claimName = 'cleanup';
/** Whoever cleans up says so again in time; another process takes over when that ends. */
const leaseMs = 60_000;
const retryMs = 60_000;

/**
 * Removes old failed jobs on a schedule: one process of all that share the failed-jobs log does it, once for each time of the schedule.
 * What was missed while no process ran is made up for once. The first time ever is the next one of the schedule, and the log says so
 * before: nobody is to lose failures by surprise.
 */
export class Cleanup {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly config: ResolvedCleanup,
    private readonly context: CleanupContext,
  ) {}

  start(): void {
    this.running ??= this.loop();
  }

  /** Ends between two chunks. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private get schedule(): Schedule {
    return this.config.schedule;
  }

  private async loop(): Promise<void> {
    const { clock, logger } = this.context;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      let wakeAt: number | undefined;
      try {
        wakeAt = await this.step();
      } catch (error) {
        if (signal.aborted) return;
        logger.error({ err: error }, 'Old failed jobs could not be cleaned up; trying again');
        wakeAt = clock.now() + retryMs;
      }
      if (wakeAt === undefined) return;
      await sleep(clock, Math.max(wakeAt - clock.now(), 1), signal);
    }
  }

  /** Cleans up if it is time and nobody else does, and returns when to look again. */
  private async step(): Promise<number | undefined> {
    const { clock } = this.context;
    const log = await this.context.log();
    if (log === undefined) return undefined;
    const now = clock.now();
    const seen = await log.claims.find(claimName);
    if (seen === undefined) {
      const first = await log.claims.swap(claimName, undefined, { at: now, leaseUntil: null, detail: null });
      if (first !== undefined) await this.warn(log, now);
      return this.schedule.next(now);
    }
    const due = this.schedule.latest(now);
    if (due === undefined || due <= seen.at) return this.schedule.next(now);
    // Somebody is at it: should that process die, this one takes over.
    if (seen.leaseUntil !== null && seen.leaseUntil > now) return seen.leaseUntil;
    const own = await log.claims.swap(claimName, seen, { ...seen, leaseUntil: now + leaseMs });
    if (own === undefined) return now + 1_000;
    await this.cleanUp({ ...this.context, log }, own, due);
    return this.schedule.next(clock.now());
  }

  private async warn(log: ByHandContext['log'], now: number): Promise<void> {
    const next = this.schedule.next(now);
    const { criteria } = this.config;
    const due = next === undefined ? '' : new Date(next).toISOString();
    if (typeof criteria === 'function') {
      this.context.logger.warn(
        { due },
        `Scheduled clean-up is on: from ${due} on, failed jobs that its criteria mean are removed for good`,
      );
      return;
    }
    const old = await log.count(filterOf(criteria.olderThanMs, now));
    this.context.logger.warn(
      { due, old },
      `Scheduled clean-up is on: from ${due} on, failed jobs older than ${formatDuration(criteria.olderThanMs)} are removed for good; today that would be ${old}`,
    );
  }

  private async cleanUp(context: ByHandContext, taken: Claim, due: number): Promise<void> {
    const { clock, log, logger } = context;
    const { criteria } = this.config;
    const now = clock.now();
    const filter = typeof criteria === 'function' ? ({ status: 'any' } as const) : filterOf(criteria.olderThanMs, now);
    const note = noteOf({ by: 'cleanup', action: 'deleted', filter }, context);
    const removal = new Removal(context, note, undefined);
    let own: Claim | undefined = taken;
    const mayGoOn = async (): Promise<boolean> => {
      if (this.stopping.signal.aborted || own === undefined) return false;
      if ((own.leaseUntil ?? 0) - clock.now() < leaseMs / 2)
        own = await log.claims.swap(claimName, own, { ...own, leaseUntil: clock.now() + leaseMs });
      return own !== undefined;
    };
    const through = await log.lastSeq();
    await removeOldest(context, removal, {
      filter,
      through,
      mayGoOn,
      ...(typeof criteria === 'function' ? { criteria: (query: Knex.QueryBuilder) => criteria(query, new Date(now)) } : {}),
    });
    if (own === undefined) return;
    // Given back undone where this process stops, so that another goes on at once.
    const isDone = !this.stopping.signal.aborted;
    if (isDone) await tidy(context);
    await log.claims.swap(claimName, own, { at: isDone ? due : own.at, leaseUntil: null, detail: null });
    logger.info(
      { removed: removal.removed, due: new Date(due).toISOString() },
      `Scheduled clean-up removed ${removal.removed} failed job(s)`,
    );
  }
}

/** What a clean-up by age means: resolved ones too. */
function filterOf(olderThanMs: number, now: number): FailedJobFilter {
  return olderThanMs === 0 ? { status: 'any' } : { status: 'any', until: new Date(now - olderThanMs) };
}
