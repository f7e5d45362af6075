import { sleep } from '../clock.ts';
import type { ResolvedPool } from '../config/resolved.ts';
import { RedriveError } from '../errors.ts';
import type { PullProvider, ReservedJob } from '../provider/pull-provider.ts';
import { rebuildException } from '../record/rebuild-exception.ts';
import { Announcer } from './announcer.ts';
import type { Decision } from './decide.ts';
import { JobRunner } from './job-runner.ts';
import { keepAlive } from './keep-alive.ts';
import { Latch } from './latch.ts';
import type { LocalPool } from './local-pool.ts';
import { recover } from './recover.ts';
import type { WorkerContext } from './worker-context.ts';
import { abortGraceMs, type PoolHealth } from './worker-pool.ts';
import { WorkerSession } from './worker-session.ts';

/**
 * Runs jobs in the time of the call that waits for them, for a provider without a background: delay, attempts and
 * backoff pass in one go, each job in the pipeline of every other. Calls do not wait for one another, so a job may
 * dispatch another and wait for it.
 */
export class InlineWorker implements LocalPool {
  private readonly runner: JobRunner;
  private readonly stopping = new AbortController();
  private readonly giveUp = new AbortController();
  private readonly calls = new Set<Promise<unknown>>();
  private readonly sessions = new Set<WorkerSession>();
  /** Sessions whose call has returned while the code of a job goes on. */
  private readonly closed = new Set<WorkerSession>();
  /** One for each attempt whose code has not ended. */
  private readonly running = new Set<Promise<void>>();
  private readonly quietListeners = new Set<() => void>();

  constructor(
    /** Says how its jobs are worked. */
    private readonly config: ResolvedPool,
    private readonly provider: PullProvider,
    private readonly context: WorkerContext,
  ) {
    this.runner = new JobRunner(config, provider, context, new Announcer(provider, context, this.giveUp.signal));
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

  get isQuiet(): boolean {
    return this.running.size === 0;
  }

  /** Runs jobs one at a time, each to its end; resolves with what the failed ones threw. Rejects with `STOPPED` where a stop comes first. */
  async run(jobIds: readonly string[]): Promise<readonly unknown[]> {
    const letGo = keepAlive();
    const call = this.runAll(new Set(jobIds));
    this.calls.add(call);
    try {
      return await call;
    } finally {
      this.calls.delete(call);
      letGo();
    }
  }

  cancel(jobId: string, reason: string): void {
    for (const session of this.sessions) session.attemptOf(jobId)?.cancel(reason);
  }

  health(): PoolHealth {
    const renewals = [...this.sessions].map(({ lastRenewalAt }) => lastRenewalAt);
    return {
      ok: true,
      running: this.running.size,
      prefetched: 0,
      ignoringTheirSignal: [...this.sessions, ...this.closed].flatMap((session) => session.lingering()),
      lastRenewalAt: renewals.length === 0 ? null : new Date(Math.max(...renewals)),
      heartbeat: [...this.sessions].some((session) => session.isAttended),
    };
  }

  async quiet(): Promise<void> {
    await Promise.allSettled(this.running);
  }

  onQuiet(listener: () => void): () => void {
    this.quietListeners.add(listener);
    return () => void this.quietListeners.delete(listener);
  }

  /** Jobs that wait for their time go back at once; running ones get `timeoutMs` to end and are then aborted, as in a pool. */
  async stop({ timeoutMs = this.config.shutdownTimeoutMs }: { readonly timeoutMs?: number }): Promise<void> {
    this.stopping.abort();
    await this.ended(timeoutMs);
    if (this.running.size > 0) {
      for (const session of this.sessions) session.abortAll('shutdown');
      await this.ended(abortGraceMs);
    }
    this.giveUp.abort();
  }

  private async runAll(left: Set<string>): Promise<readonly unknown[]> {
    const thrown: unknown[] = [];
    const latch = new Latch();
    const wake = (): void => latch.open();
    const ignoreWakes = this.provider.onWake(wake);
    this.stopping.signal.addEventListener('abort', wake);
    let session = await this.open(latch);
    try {
      while (left.size > 0) {
        this.refuseStopped();
        if (session.isLost) session = await this.open(latch);
        const { jobs, nextReadyAt } = await session.reserve({ queues: this.config.queues, limit: 1, startNow: 1, only: left });
        const [job] = jobs;
        if (job === undefined) {
          await this.dropEnded(left, thrown);
          if (left.size > 0) await this.rest(latch, nextReadyAt);
          continue;
        }
        const decision = await this.attempt(job, session);
        if (decision?.action === 'fail') thrown.push(decision.exception);
        if (decision?.action === 'fail' || decision?.action === 'complete') left.delete(job.id);
      }
    } finally {
      ignoreWakes();
      this.stopping.signal.removeEventListener('abort', wake);
      await this.close(session);
    }
    return thrown;
  }

  private refuseStopped(): void {
    if (this.stopping.signal.aborted)
      throw new RedriveError('STOPPED', 'Redrive was stopped before the job had ended; it is in memory, and nobody goes on with it');
  }

  private async attempt(job: ReservedJob, session: WorkerSession): Promise<Decision | undefined> {
    let free = (): void => undefined;
    const slot = new Promise<void>((resolve) => (free = resolve));
    this.running.add(slot);
    void slot.then(() => this.leave(slot));
    try {
      const { decision, ended } = await this.runner.work(job, session);
      // A handler that ignores its signal goes on without anybody waiting for it.
      void ended.then(free);
      return decision;
    } catch (error) {
      session.release(job);
      free();
      throw error;
    }
  }

  private leave(slot: Promise<void>): void {
    this.running.delete(slot);
    for (const session of this.closed) if (session.lingering().length === 0) this.closed.delete(session);
    if (this.isQuiet) for (const listener of this.quietListeners) listener();
  }

  /** Jobs that somebody ended by hand while they waited for their time are waited for no more. */
  private async dropEnded(left: Set<string>, thrown: unknown[]): Promise<void> {
    for (const id of left) {
      const state = (await this.provider.find(id))?.state;
      if (state === 'ready' || state === 'waiting' || state === 'reserved') continue;
      left.delete(id);
      if (state === 'canceled') thrown.push(new RedriveError('JOB_CANCELLED', 'The job was cancelled before it ran'));
      const last = state === 'failed' ? (await this.provider.attempts(id)).at(-1) : undefined;
      if (last !== undefined) thrown.push(rebuildException(last.exception));
    }
  }

  /** Waits until a job may be ready. */
  private async rest(latch: Latch, nextReadyAt: number | undefined): Promise<void> {
    const { clock } = this.context;
    const untilReady = nextReadyAt === undefined ? Number.POSITIVE_INFINITY : Math.max(nextReadyAt - clock.now(), 0);
    const timer = clock.after(Math.min(this.provider.pollIntervalMs, untilReady), () => latch.open());
    await latch.wait();
    timer.cancel();
  }

  private async open(latch: Latch): Promise<WorkerSession> {
    const session = await WorkerSession.open(this.config, this.provider, this.context, {
      afterRenewal: (own) => this.afterRenewal(own),
      onLost: () => latch.open(),
      giveUp: this.giveUp.signal,
    });
    this.sessions.add(session);
    return session;
  }

  private async afterRenewal(session: WorkerSession): Promise<void> {
    await recover(session, this.config, this.provider, this.context, this.runner);
    await this.provider.maintain();
  }

  private async close(session: WorkerSession): Promise<void> {
    try {
      // What was failed by hand while it waited is told by whoever waited for it.
      if ((await this.provider.untold()) > 0) session.recover();
      await session.close();
      await this.provider.maintain();
    } catch (error) {
      this.context.logger.error({ err: error }, 'The session could not be closed; its lease runs out by itself');
    }
    this.sessions.delete(session);
    if (session.lingering().length > 0) this.closed.add(session);
  }

  private async ended(timeoutMs: number): Promise<void> {
    const done = new AbortController();
    const ends = Promise.allSettled([...this.calls, ...this.running]).then(() => done.abort());
    await Promise.race([ends, sleep(this.context.clock, timeoutMs, done.signal)]);
  }
}
