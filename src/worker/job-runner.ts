import type { ResolvedPool } from '../config/resolved.ts';
import { isRedriveError } from '../errors.ts';
import { guarded, type GuardOptions } from '../guard.ts';
import type { JobInfo } from '../interceptor/points.ts';
import { lendContext, type Job, type JobContext } from '../job/job.ts';
import type { Logger } from '../logger.ts';
import type { PullProvider, ReservedJob, SettleReceipt } from '../provider/pull-provider.ts';
import { v7 as uuidv7 } from 'uuid';
import type { Announcer } from './announcer.ts';
import { Attempt } from './attempt.ts';
import type { Decision } from './decide.ts';
import type { Outcome } from './outcome.ts';
import { checkSchema, Judge, openCase, type Case, type Verdict } from './verdict.ts';
import type { WorkerContext } from './worker-context.ts';
import type { WorkerSession } from './worker-session.ts';

/** What became of one attempt. */
export interface Worked {
  /** What follows it; undefined where that is somebody else's to say: the worker lost the job, or stopped before it was written. */
  readonly decision: Decision | undefined;
  /** Resolves when the job's code has ended, which may be long after its outcome is known. */
  readonly ended: Promise<void>;
}

/** Takes one reserved and started job through run, decide, settle and announce. */
export class JobRunner {
  readonly judge: Judge;
  private readonly guard: GuardOptions;

  constructor(
    private readonly pool: ResolvedPool,
    private readonly provider: PullProvider,
    private readonly context: WorkerContext,
    readonly announcer: Announcer,
  ) {
    this.judge = new Judge(pool, context);
    this.guard = { clock: context.clock, logger: context.logger, patienceMs: context.interceptorTimeoutMs };
  }

  /** Resolves when the outcome is written and everybody is told. */
  async work(job: ReservedJob, session: WorkerSession): Promise<Worked> {
    const opened = await checkSchema(openCase(job, this.pool, this.context), this.guard);
    const attempt = await this.begin(opened, session);
    const ended = attempt?.ended ?? Promise.resolve();
    // Lost while the interceptors were told of the start: somebody else has the job now.
    if (session.isLost && attempt === undefined) return { decision: undefined, ended };
    const startedAt = attempt?.startedAt ?? this.context.clock.now();
    const outcome: Outcome = attempt === undefined ? { status: 'unprocessable', exception: opened.fault } : await attempt.outcome;
    const verdict = await this.judge.judge(opened, outcome, { startedAt, endedAt: this.context.clock.now() });
    const receipt = await this.settle(verdict, session);
    session.release(job);
    if (receipt !== undefined) await this.tell(opened, verdict, receipt, { session, job: attempt?.job });
    return { decision: receipt === undefined ? undefined : verdict.decision, ended };
  }

  /** Writes a verdict, and resolves with undefined where that came too late: somebody else has the job then, or will. */
  async settle(verdict: Verdict, session: WorkerSession): Promise<SettleReceipt | undefined> {
    const { record } = verdict;
    if (record !== undefined && verdict.decision.action === 'fail') session.telling.add(record.eventId);
    try {
      return await session.settler.settle(verdict.settlement);
    } catch (error) {
      // The settler has said so, for all of them at once.
      if (isRedriveError(error, 'STOPPED')) return undefined;
      if (!isRedriveError(error, 'LEASE_LOST')) throw error;
      const { job } = verdict.settlement;
      session.lose(error);
      this.context.logger.warn(
        { code: 'LEASE_LOST', id: job.id, job: job.name, attempt: job.attempt },
        'LEASE_LOST: the outcome of this attempt came too late and changes nothing',
      );
      return undefined;
    }
  }

  /** Tells everybody what was settled. */
  async tell(opened: Case, verdict: Verdict, receipt: SettleReceipt, by: { session: WorkerSession; job: Job | undefined }): Promise<void> {
    const { decision, record } = verdict;
    if (receipt.late.has(opened.job.id)) return void by.session.telling.delete(record?.eventId ?? '');
    if (decision.action === 'complete') {
      await this.tellResolved(opened, receipt, by.session);
      return this.tellComplete(opened, decision.result, verdict.durationMs);
    }
    if (record === undefined) return;
    const info = this.judge.info(opened);
    const isTerminal = decision.action === 'fail';
    if (decision.rule !== 'released' && decision.rule !== 'shutdown') {
      const job = by.job ?? (isTerminal ? await this.build(opened) : undefined);
      const failedJobId = receipt.failedJobIds.get(info.id);
      const told = await this.announcer.announce({
        info,
        pool: this.judge.poolInfo,
        record,
        exception: decision.exception,
        isTerminal,
        failedJobId,
        job,
        redelivered: false,
      });
      if (isTerminal && told) by.session.settler.forget(record.eventId);
      else by.session.telling.delete(record.eventId);
    }
    if (!isTerminal) await this.tellReleased(info, decision.action === 'retry' ? decision.availableAt : record.endedAt, decision.rule);
  }

  /** A job object for `onFailure` where no attempt of this process left one. */
  async build(opened: Case): Promise<Job | undefined> {
    if (opened.registered === undefined || opened.memento === undefined) return undefined;
    try {
      const job = await this.context.makeJob(opened.registered.jobClass);
      lendContext(job, { ...this.jobContext(opened), signal: () => new AbortController().signal, ask: () => undefined });
      return job;
    } catch (error) {
      this.context.logger.error(
        { err: error, id: opened.job.id, job: opened.job.name },
        'The job could not be built to be told of its failure',
      );
      return undefined;
    }
  }

  private async begin(opened: Case, session: WorkerSession): Promise<Attempt | undefined> {
    const { job, registered, fault } = opened;
    if (fault !== undefined || registered === undefined) return undefined;
    const info = this.needsInfo ? this.judge.info(opened) : undefined;
    if (info !== undefined) await this.tellMarshalled(info);
    if (session.isLost) return undefined;
    const { clock, makeJob } = this.context;
    session.cover(job, opened.policy.timeoutMs);
    const attempt = Attempt.begin({
      clock,
      timeoutMs: opened.policy.timeoutMs,
      make: () => makeJob(registered.jobClass),
      context: this.jobContext(opened),
    });
    session.started(job, attempt);
    return attempt;
  }

  private jobContext(opened: Case): Omit<JobContext, 'ask' | 'signal'> {
    const { job, memento, policy } = opened;
    const { id, name, queue, attempt, run } = job;
    const log = lazily(() => this.context.logger.child({ job: name, id, attempt }));
    const { connection } = this.pool;
    return {
      id,
      name,
      queue,
      attempt,
      run,
      connection,
      maxAttempts: policy.maxAttempts,
      properties: opened.validated ?? memento?.properties ?? {},
      batchId: undefined,
      log,
    };
  }

  /** Most jobs run where nobody listens to starts and successes: nothing is built for them then. */
  private get needsInfo(): boolean {
    return this.context.bus.hears('onJobMarshalled') || this.provider.watchesRuns;
  }

  private async tellMarshalled(job: JobInfo): Promise<void> {
    const pool = this.judge.poolInfo;
    await guarded('beforeJobRun', this.guard, () => this.provider.beforeJobRun(job, pool));
    if (this.context.bus.hears('onJobMarshalled'))
      await this.context.bus.emit('onJobMarshalled', { eventId: uuidv7(), at: new Date(this.context.clock.now()), job, pool });
  }

  /** A log elsewhere learns that a retried job succeeded; where it cannot be reached, it is told with a later renewal. */
  private async tellResolved(opened: Case, receipt: SettleReceipt, session: WorkerSession): Promise<void> {
    const run = receipt.resolved.find(({ jobId }) => jobId === opened.job.id);
    if (run === undefined) return;
    session.telling.add(run.eventId);
    try {
      const log = await this.context.failureLog();
      await log?.resolved([run]);
      session.settler.forget(run.eventId);
    } catch (error) {
      session.telling.delete(run.eventId);
      this.context.logger.warn(
        { err: error, id: run.jobId },
        'The failed-jobs log could not be told that a retried job succeeded; it is told again later',
      );
    }
  }

  private async tellComplete(opened: Case, result: unknown, duration: number): Promise<void> {
    const { bus, clock } = this.context;
    if (!bus.hears('onJobComplete') && !this.provider.watchesRuns) return;
    const job = this.judge.info(opened);
    const pool = this.judge.poolInfo;
    await bus.emit('onJobComplete', { eventId: uuidv7(), at: new Date(clock.now()), job, pool, result, duration });
    await guarded('afterJobRun', this.guard, () => this.provider.afterJobRun(job, pool));
  }

  private async tellReleased(job: JobInfo, availableAt: number, reason: string): Promise<void> {
    const { bus, clock } = this.context;
    if (!bus.hears('onJobReleased')) return;
    await bus.emit('onJobReleased', {
      eventId: uuidv7(),
      at: new Date(clock.now()),
      job,
      pool: this.judge.poolInfo,
      availableAt: new Date(availableAt),
      reason,
    });
  }
}

/** A logger is made for each attempt, and most attempts never use theirs. */
function lazily(make: () => Logger): () => Logger {
  let logger: Logger | undefined;
  return () => (logger ??= make());
}
