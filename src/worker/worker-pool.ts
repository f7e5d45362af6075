import { setImmediate } from 'node:timers';
import { sleep, type Timer } from '../clock.ts';
import type { ResolvedPool } from '../config/resolved.ts';
import { isRedriveError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { PullPool, PullProvider, ReservedJob } from '../provider/pull-provider.ts';
import type { StopWorker } from '../provider/queue-provider.ts';
import { Announcer } from './announcer.ts';
import { JobRunner } from './job-runner.ts';
import { Latch } from './latch.ts';
import type { LocalPool } from './local-pool.ts';
import { Polls } from './polls.ts';
import { recover } from './recover.ts';
import type { WorkerContext } from './worker-context.ts';
import { WorkerSession } from './worker-session.ts';

export interface PoolHealth {
  readonly ok: boolean;
  readonly running: number;
  readonly prefetched: number;
  /** Ids of jobs whose signal aborted and whose handler goes on all the same. */
  readonly ignoringTheirSignal: readonly string[];
  readonly lastRenewalAt: Date | null;
  /** Whether a thread of its own prolongs the lease while a job's code blocks the event loop. */
  readonly heartbeat: boolean;
  /** Why no jobs can be fetched, no lease renewed or no outcome written at present. */
  readonly error?: string;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** How long a stop waits for handlers to end after their signal aborted. */
export const abortGraceMs = 5_000;

/**
 * Runs jobs of some queues in a number of slots.
 *
 * idle -> reserve -> start (durable) -> run -> decide -> settle -> announce -> idle
 *
 * One loop fills free slots; each job then takes care of itself in a {@link JobRunner}. Errors of the store
 * never end the loop: it waits, with jitter, and goes on.
 */
export class WorkerPool implements PullPool, LocalPool {
  readonly logger: Logger;
  private readonly latch = new Latch();
  private readonly stopping = new AbortController();
  private readonly giveUp = new AbortController();
  /** False where the provider works the pool by itself. */
  private isPulled = false;
  private provider!: PullProvider;
  private runner!: JobRunner;
  private polls!: Polls;
  private session: WorkerSession | undefined;
  private prefetched: ReservedJob[] = [];
  private readonly running = new Set<Promise<void>>();
  private fetching = false;
  private trouble: string | undefined;
  private readonly quietListeners = new Set<() => void>();
  /** After the stop: handlers that ignore their signal. */
  private lingering: Promise<void> | undefined;

  constructor(
    private readonly config: ResolvedPool,
    private readonly context: WorkerContext,
  ) {
    this.logger = context.logger.child({ pool: config.name });
  }

  get name(): string {
    return this.config.name;
  }

  get connection(): string {
    return this.config.connection;
  }

  get queues(): readonly string[] {
    return this.config.queues;
  }

  get shutdownTimeoutMs(): number {
    return this.config.shutdownTimeoutMs;
  }

  /** Begins to work; the returned function stops. */
  async pull(provider: PullProvider): Promise<StopWorker> {
    this.prepare(provider);
    this.isPulled = true;
    this.session = await this.openSession();
    this.session.recover();
    const loop = this.loop();
    const ignoreWakes = provider.onWake((queue) => {
      if (queue === undefined || this.serves(queue)) this.latch.open();
    });
    let stopped: Promise<void> | undefined;
    return (options) => (stopped ??= this.stop(loop, ignoreWakes, options?.timeoutMs ?? this.config.shutdownTimeoutMs));
  }

  /** Works at most one job; resolves with whether there was one. */
  async workOnce(provider: PullProvider): Promise<boolean> {
    this.prepare(provider);
    const session = await this.openSession();
    try {
      await this.afterRenewal(session);
      const { jobs } = await session.reserve({ queues: this.config.queues, limit: 1, startNow: 1 });
      for (const job of jobs) await (await this.runner.work(job, session)).ended;
      return jobs.length > 0;
    } finally {
      await session.close();
    }
  }

  /** Cancels a job that runs in this pool; the store was told already. */
  cancel(jobId: string, reason: string): void {
    this.session?.attemptOf(jobId)?.cancel(reason);
  }

  health(): PoolHealth {
    const lastRenewalAt = this.session?.lastRenewalAt;
    const trouble = this.trouble ?? this.session?.trouble;
    return {
      ok: !this.isPulled || (this.session !== undefined && !this.session.isLost && trouble === undefined),
      running: this.running.size,
      prefetched: this.prefetched.length,
      // Their outcome is settled, but their code goes on: each keeps its slot.
      ignoringTheirSignal: this.session?.lingering() ?? [],
      lastRenewalAt: lastRenewalAt === undefined ? null : new Date(lastRenewalAt),
      heartbeat: this.session?.isAttended ?? false,
      ...(trouble === undefined ? {} : { error: trouble }),
    };
  }

  /** True when the pool holds no job and is not about to. */
  get isQuiet(): boolean {
    return this.running.size === 0 && this.prefetched.length === 0 && !this.fetching;
  }

  /** Resolves when every job of a stopped pool has ended, whatever that takes, and its session with them. */
  async quiet(): Promise<void> {
    await this.lingering;
  }

  /** Calls back whenever the pool may have become quiet; returns how to stop it. */
  onQuiet(listener: () => void): () => void {
    this.quietListeners.add(listener);
    return () => void this.quietListeners.delete(listener);
  }

  private prepare(provider: PullProvider): void {
    this.provider = provider;
    this.polls = new Polls(provider);
    const announcer = new Announcer(this.provider, this.context, this.giveUp.signal);
    this.runner = new JobRunner(this.config, this.provider, this.context, announcer);
  }

  private async openSession(): Promise<WorkerSession> {
    const context = { ...this.context, logger: this.logger };
    return WorkerSession.open(this.config, this.provider, context, {
      afterRenewal: (own) => this.afterRenewal(own),
      onLost: () => this.latch.open(),
      giveUp: this.giveUp.signal,
    });
  }

  private async afterRenewal(session: WorkerSession): Promise<void> {
    await recover(session, this.config, this.provider, this.context, this.runner);
    await this.provider.maintain();
  }

  private async loop(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (!this.stopping.signal.aborted) {
      try {
        if (this.session === undefined || this.session.isLost) {
          this.prefetched = [];
          this.session = await this.openSession();
        }
        const nextReadyAt = await this.fill(this.session);
        pauseMs = firstPauseMs;
        this.trouble = undefined;
        await this.rest(nextReadyAt);
      } catch (error) {
        this.fetching = false;
        if (isRedriveError(error, 'LEASE_LOST')) {
          this.session?.lose(error);
          continue;
        }
        this.trouble = error instanceof Error ? error.message : String(error);
        this.logger.error({ err: error }, 'No jobs could be fetched; trying again');
        await sleep(this.context.clock, pauseMs * (0.5 + Math.random() / 2), this.stopping.signal);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
  }

  /** Fills the free slots: from what was prefetched, then from the store. Returns when more will be ready, where known. */
  private async fill(session: WorkerSession): Promise<number | undefined> {
    this.fetching = true;
    await this.startPrefetched(session);
    const free = this.config.quantity - this.running.size;
    const limit = free + Math.max(this.provider.prefetch - this.prefetched.length, 0);
    let nextReadyAt: number | undefined;
    if (limit > 0 && !this.stopping.signal.aborted) {
      const reservation = await session.reserve({ queues: this.config.queues, limit, startNow: free });
      this.prefetched.push(...reservation.jobs.slice(free));
      for (const job of reservation.jobs.slice(0, free)) this.launch(job, session);
      nextReadyAt = reservation.nextReadyAt;
      this.polls.saw(reservation.jobs.length);
    }
    this.fetching = false;
    if (this.isQuiet) this.tellQuiet();
    return nextReadyAt;
  }

  private async startPrefetched(session: WorkerSession): Promise<void> {
    const free = this.config.quantity - this.running.size;
    const next = this.prefetched.slice(0, free);
    const last = next.at(-1);
    if (last === undefined) return;
    await this.provider.start(session.session, last.lease.seq);
    this.prefetched.splice(0, next.length);
    for (const job of next) this.launch(job, session);
  }

  private launch(job: ReservedJob, session: WorkerSession): void {
    const work = this.runner
      .work(job, session)
      // A handler that goes on keeps its slot.
      .then(({ ended }) => ended)
      .catch((error: unknown) => {
        // Held no more, the job goes back to its queue with the next renewal.
        session.release(job);
        this.logger.fatal({ err: error, id: job.id }, 'The worker failed outside of the job; the job goes back to its queue');
      })
      .finally(() => {
        this.running.delete(work);
        this.latch.open();
      });
    this.running.add(work);
  }

  /** Waits until there may be something to do. */
  private async rest(nextReadyAt: number | undefined): Promise<void> {
    const { clock } = this.context;
    const untilReady = nextReadyAt === undefined ? Number.POSITIVE_INFINITY : Math.max(nextReadyAt - clock.now(), 0);
    const timer: Timer = clock.after(Math.min(this.polls.nextMs(), untilReady), () => this.latch.open());
    await this.latch.wait();
    timer.cancel();
    // One turn of the loop, so that slots which came free together are filled together.
    await new Promise<void>((resolve) => void setImmediate(resolve));
  }

  private serves(queue: string): boolean {
    return this.config.queues.includes('*') || this.config.queues.includes(queue);
  }

  private tellQuiet(): void {
    for (const listener of this.quietListeners) listener();
  }

  /**
   * Nothing new is taken, what never started goes back at once, running jobs get `timeoutMs` to end and are
   * then aborted. A handler that ignores its signal keeps its lease until the process ends.
   */
  private async stop(loop: Promise<void>, ignoreWakes: () => void, timeoutMs: number): Promise<void> {
    this.stopping.abort();
    ignoreWakes();
    this.latch.open();
    await loop;
    const { session } = this;
    if (session === undefined) return;
    await this.waitFor(this.giveBack(session), timeoutMs);
    await this.ended(timeoutMs);
    if (this.running.size > 0) {
      this.logger.warn({ jobs: this.running.size }, 'Jobs still run after the shutdown timeout; their signals are aborted');
      session.abortAll('shutdown');
      await this.ended(abortGraceMs);
    }
    this.giveUp.abort();
    if (this.running.size === 0) return this.close(session);
    this.logger.error(
      { jobs: this.running.size },
      'Jobs ignore their aborted signal; they keep their lease until they or this process end',
    );
    session.linger();
    this.lingering = Promise.allSettled(this.running).then(() => this.close(session));
  }

  private close(session: WorkerSession): Promise<void> {
    return session
      .close()
      .catch((error: unknown) => this.logger.error({ err: error }, 'The session could not be closed; its lease runs out by itself'));
  }

  private async giveBack(session: WorkerSession): Promise<void> {
    const unstarted = this.prefetched.splice(0);
    await Promise.allSettled(unstarted.map((job) => session.settler.settle({ job, transition: { to: 'returned' } })));
    for (const job of unstarted) session.release(job);
  }

  private async ended(timeoutMs: number): Promise<void> {
    if (this.running.size > 0) await this.waitFor(Promise.allSettled(this.running), timeoutMs);
  }

  /** Resolves when the work is done, or after `timeoutMs`. */
  private async waitFor(work: Promise<unknown>, timeoutMs: number): Promise<void> {
    const done = new AbortController();
    const ended = work.then(() => done.abort());
    await Promise.race([ended, sleep(this.context.clock, timeoutMs, done.signal)]);
  }
}
