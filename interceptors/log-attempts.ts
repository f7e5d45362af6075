import type { Interceptor, JobExceptionEvent, JobFailedEvent } from '../src/interceptor/points.ts';
import type { Logger } from '../src/logger.ts';

/** Logs each failed attempt, at error level, with the redacted failure and the job. */
export class LogAttempts implements Interceptor {
  constructor(private readonly logger: Logger) {}

  onJobException({ failure, attempt, maxAttempts, retryAt }: JobExceptionEvent): void {
    const { jobId: id, job, queue, run, kind, rule, type, message, stack, properties } = failure;
    const of = maxAttempts === 0 ? '' : ` of ${maxAttempts}`;
    const next = retryAt === null ? 'it has failed' : `next attempt at ${retryAt.toISOString()}`;
    this.logger.error(
      { id, job, queue, run, attempt, kind, rule, type, stack, properties, retryAt },
      `Attempt ${attempt}${of} of ${job} ended with ${type}: ${firstLine(message)}; ${next}`,
    );
  }

  onJobFailed({ failure, failedJobId, redelivered }: JobFailedEvent): void {
    if (!redelivered) return;
    // The worker that ran the attempt died before it could log it.
    this.logger.error(
      { id: failure.jobId, job: failure.job, kind: failure.kind, type: failure.type, failedJobId },
      `${failure.job} failed with ${failure.type}: ${firstLine(failure.message)} (told again)`,
    );
  }
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n', 1);
  return line.length > 500 ? `${line.slice(0, 500)}…` : line;
}
