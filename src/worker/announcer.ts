import { sleep } from '../clock.ts';
import { guarded, type GuardOptions } from '../guard.ts';
import type { JobInfo, PoolInfo, RedactedFailure } from '../interceptor/points.ts';
import type { Job } from '../job/job.ts';
import { appendFailure } from '../provider/append-failure.ts';
import type { QueueProvider } from '../provider/queue-provider.ts';
import type { FailureRecord } from '../record/types.ts';
import type { WorkerContext } from './worker-context.ts';

/** A recorded failed attempt, as it is told. */
export interface ToldFailure {
  readonly info: JobInfo;
  readonly pool: PoolInfo;
  readonly record: FailureRecord;
  readonly exception: unknown;
  readonly isTerminal: boolean;
  /** Undefined where the failed-jobs log lives elsewhere and was not written yet. */
  readonly failedJobId: number | undefined;
  /** The job object whose `onFailure` is called; undefined where it could not be built. */
  readonly job: Job | undefined;
  readonly redelivered: boolean;
}

const firstPauseMs = 200;
const longestPauseMs = 10_000;

/**
 * Tells everybody of a failure, after it was recorded and in a fixed order. Each listener is isolated from
 * the next; none can change what was recorded.
 */
export class Announcer {
  private readonly guard: GuardOptions;

  constructor(
    private readonly provider: QueueProvider,
    private readonly context: WorkerContext,
    /** Aborts when the pool gives up waiting: what was not told is then told by another pool. */
    private readonly signal: AbortSignal,
  ) {
    this.guard = { clock: context.clock, logger: context.logger, patienceMs: context.interceptorTimeoutMs };
  }

  /** Resolves with whether the failure was told: false where its log could not be written before the pool gave up. */
  async announce(told: ToldFailure): Promise<boolean> {
    let { failedJobId } = told;
    if (told.isTerminal && failedJobId === undefined) {
      const appended = await this.append(told.record);
      if (!appended.held) return false;
      failedJobId = appended.id;
    }
    if (!told.redelivered) await this.tellException(told);
    if (told.isTerminal) await this.tellFailed(told, failedJobId);
    return true;
  }

  private async tellException(told: ToldFailure): Promise<void> {
    const { info, pool, record, exception } = told;
    const retryAt = record.retryAt === null ? null : new Date(record.retryAt);
    const willRetry = retryAt !== null;
    await guarded('afterJobException', this.guard, () =>
      this.provider.afterJobException({ id: info.id, job: info, pool, exception, attempt: info.attempt, willRetry, retryAt }),
    );
    if (!this.context.bus.hears('onJobException')) return;
    const { eventId, kind, maxAttempts } = record;
    const at = new Date(record.endedAt);
    const failure = withoutMemento(record);
    await this.context.bus.emit('onJobException', {
      eventId,
      at,
      job: info,
      pool,
      exception,
      failure,
      kind,
      attempt: info.attempt,
      maxAttempts,
      willRetry,
      retryAt,
    });
  }

  private async tellFailed(told: ToldFailure, failedJobId: number | undefined): Promise<void> {
    const { info, pool, record, exception, job, redelivered } = told;
    if (job?.onFailure !== undefined) await guarded('onFailure', this.guard, () => job.onFailure?.(exception));
    if (this.context.bus.hears('onJobFailed')) {
      const event = {
        eventId: record.eventId,
        at: new Date(record.endedAt),
        job: info,
        pool,
        exception,
        failure: withoutMemento(record),
        kind: record.kind,
      };
      await this.context.bus.emit('onJobFailed', { ...event, attempt: info.attempt, attempts: info.attempt, failedJobId, redelivered });
    }
    await guarded('afterJobFailed', this.guard, () =>
      this.provider.afterJobFailed({ id: info.id, job: info, pool, exception, kind: record.kind }),
    );
  }

  /** Writes the failed job to a log that lives elsewhere, again and again until it holds. */
  private async append(record: FailureRecord): Promise<{ held: boolean; id?: number }> {
    const log = await this.context.failureLog();
    if (log === undefined) return { held: true };
    for (let pauseMs = firstPauseMs; !this.signal.aborted; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        const appended = await appendFailure(log, this.provider, record);
        // Written after the pool gave up: another pool has, or will, take over the telling.
        if (this.signal.aborted) return { held: false };
        return appended === undefined ? { held: true } : { held: true, id: appended.id };
      } catch (error) {
        this.context.logger.error(
          { err: error, id: record.jobId, job: record.job },
          'The failed-jobs log could not be written; trying again',
        );
        await sleep(this.context.clock, pauseMs, this.signal);
      }
    }
    return { held: false };
  }
}

function withoutMemento(record: FailureRecord): RedactedFailure {
  const { memento: _memento, ...rest } = record;
  return Object.freeze(rest);
}
