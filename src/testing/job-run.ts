import type { FailedJob } from '../failure/failed-job.ts';
import type { JobClass } from '../job/define.ts';
import type { DecisionRule, FailureKind } from '../record/types.ts';
import type { DispatchedJob } from './dispatched-jobs.ts';
import type { EventRecorder, RecordedEvent } from './event-recorder.ts';
import type { LogLine } from './recording-logger.ts';

/** What the `handle` of a job class returns, once it is awaited. */
export type ResultOf<J extends JobClass> = Awaited<ReturnType<InstanceType<J>['handle']>>;

/** One attempt of a job that was run. */
export interface JobAttempt {
  /** 1, 2, ... */
  readonly attempt: number;
  readonly status: 'successful' | 'exception' | 'released';
  /** Null where the job could not be begun. */
  readonly startedAt: Date | null;
  readonly endedAt: Date;
  /** What `handle` returned. */
  readonly result?: unknown;
  /** The very value that was thrown. */
  readonly exception?: unknown;
  /** Of an exception. */
  readonly kind?: FailureKind;
  /** What decided how it goes on. */
  readonly rule?: DecisionRule;
  /** When the next attempt begins, where there is one. */
  readonly retryAt?: Date;
  /** Milliseconds from the end of this attempt to the next. */
  readonly waitMs?: number;
}

interface Ran {
  /** The job's id. */
  readonly id: string;
  readonly attempts: readonly JobAttempt[];
  /** What interceptors were told. */
  readonly events: EventRecorder;
  /** What was logged, by the job and by Redrive. */
  readonly logs: readonly LogLine[];
  /** What the job, or an interceptor, dispatched in turn. */
  readonly dispatched: readonly DispatchedJob[];
}

/**
 * How a job ended, or where it stands after the attempts it was given: `retrying` waits for its backoff after an
 * exception, `released` for its release.
 */
export type JobRun<R = unknown> = Ran &
  (
    | {
        readonly status: 'successful';
        readonly result: R;
        readonly exception?: undefined;
        readonly failedJob?: undefined;
        readonly retryAt?: undefined;
      }
    | {
        readonly status: 'failed';
        readonly result?: undefined;
        readonly exception: unknown;
        readonly failedJob: FailedJob;
        readonly retryAt?: undefined;
      }
    | {
        readonly status: 'retrying';
        readonly result?: undefined;
        readonly exception: unknown;
        readonly failedJob?: undefined;
        readonly retryAt: Date;
      }
    | {
        readonly status: 'released';
        readonly result?: undefined;
        readonly exception?: undefined;
        readonly failedJob?: undefined;
        readonly retryAt: Date;
      }
  );

/** The attempts of a job, read from what was told of it. */
export function attemptsOf(id: string, events: readonly RecordedEvent[]): readonly JobAttempt[] {
  const attempts: JobAttempt[] = [];
  let startedAt: Date | null = null;
  for (const told of events) {
    if (!('job' in told.event) || told.event.job.id !== id) continue;
    if (told.point === 'onJobMarshalled') startedAt = told.event.at;
    const attempt = attemptIn(told, startedAt);
    if (attempt === undefined) continue;
    attempts.push(attempt);
    startedAt = null;
  }
  return attempts;
}

function attemptIn(told: RecordedEvent, startedAt: Date | null): JobAttempt | undefined {
  if (told.point === 'onJobComplete') {
    const { job, at, result } = told.event;
    return { attempt: job.attempt, status: 'successful', startedAt, endedAt: at, result };
  }
  if (told.point === 'onJobException') {
    const { attempt, at, exception, kind, failure, retryAt } = told.event;
    return { attempt, status: 'exception', startedAt, endedAt: at, exception, kind, rule: failure.rule, ...waiting(at, retryAt) };
  }
  // After an exception onJobReleased is told as well, and says nothing new.
  if (told.point !== 'onJobReleased' || told.event.reason !== 'released') return undefined;
  const { job, at, availableAt } = told.event;
  return { attempt: job.attempt, status: 'released', startedAt, endedAt: at, rule: 'released', ...waiting(at, availableAt) };
}

function waiting(endedAt: Date, retryAt: Date | null): Pick<JobAttempt, 'retryAt' | 'waitMs'> {
  return retryAt === null ? {} : { retryAt, waitMs: retryAt.getTime() - endedAt.getTime() };
}
