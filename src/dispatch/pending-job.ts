import type { Duration } from '../duration.ts';
import type { Backoff } from '../job/backoff.ts';
import type { JobClass } from '../job/define.ts';
import type { DispatchOptions, JobSpec } from './dispatcher.ts';

/** A job that is being put together. Each call returns a new one; nothing happens before `dispatch`. */
export class PendingJob implements JobSpec {
  constructor(
    private readonly send: (spec: JobSpec) => Promise<string>,
    readonly job: JobClass | string,
    readonly properties: object,
    readonly options: DispatchOptions = {},
  ) {}

  onQueue(queue: string): PendingJob {
    return this.with({ queue });
  }

  onConnection(connection: string): PendingJob {
    return this.with({ connection });
  }

  /** Before the first attempt. */
  delay(delay: Duration): PendingJob {
    return this.with({ delay });
  }

  /** Larger goes first. */
  priority(priority: number): PendingJob {
    return this.with({ priority });
  }

  /** Executions in total; 0: no limit. */
  maxAttempts(maxAttempts: number): PendingJob {
    return this.with({ maxAttempts });
  }

  backoff(backoff: Backoff): PendingJob {
    return this.with({ backoff });
  }

  /** How long one attempt may take; 0: no limit. */
  timeout(timeout: Duration): PendingJob {
    return this.with({ timeout });
  }

  /** Stores the job and returns its id. */
  dispatch(): Promise<string> {
    return this.send(this);
  }

  private with(options: DispatchOptions): PendingJob {
    return new PendingJob(this.send, this.job, this.properties, { ...this.options, ...options });
  }
}
