import type { Clock } from '../clock.ts';
import { RedriveError } from '../errors.ts';
import { formatDuration } from '../duration.ts';
import { lendContext, type Job, type JobContext, type JobRequest } from '../job/job.ts';
import type { Outcome } from './outcome.ts';

export interface AttemptOptions {
  /** Builds the job object; what it throws is the attempt's exception. */
  readonly make: () => Job | Promise<Job>;
  readonly context: Omit<JobContext, 'ask' | 'signal'>;
  /** 0: no limit. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * One execution of a job: `before`, `handle`, `after` under a timeout and a signal.
 * Nothing a job does can make it throw: `outcome` and `ended` always resolve, `ended` when the handler does.
 */
export class Attempt {
  /** How the attempt ended. On a timeout it is known before the handler ends. */
  readonly outcome: Promise<Outcome>;
  /** When the job's code has really ended, whatever the outcome was. */
  readonly ended: Promise<void>;
  /** The job object, once it was built. */
  job: Job | undefined;
  readonly startedAt: number;
  /** Settles the outcome before the job's code ends; the first word counts. */
  private interrupt: (outcome: Outcome) => void = () => undefined;
  private controller: AbortController | undefined;
  private abortReason: RedriveError | undefined;
  private request: JobRequest | undefined;
  private shuttingDown = false;

  private constructor(private readonly options: AttemptOptions) {
    this.startedAt = options.clock.now();
    const work = this.work();
    this.ended = work.then(() => undefined);
    this.outcome = new Promise((resolve) => {
      this.interrupt = resolve;
      void work.then(resolve);
    });
    if (options.timeoutMs > 0) this.limit(options.timeoutMs);
  }

  /** The job's id. */
  get id(): string {
    return this.options.context.id;
  }

  get isAborted(): boolean {
    return this.abortReason !== undefined;
  }

  static begin(options: AttemptOptions): Attempt {
    return new Attempt(options);
  }

  /** Ends the attempt as cancelled, at once; what its code does later changes nothing. */
  cancel(reason: string): void {
    const exception = new RedriveError('JOB_CANCELLED', reason);
    this.abortWith(exception);
    this.interrupt({ status: 'cancelled', exception });
  }

  /** Tells the handler to stop. After a shutdown an exception counts as its answer to that, and costs no attempt. */
  abort(reason: 'shutdown' | 'lease-lost'): void {
    if (reason === 'shutdown') this.shuttingDown = true;
    this.abortWith(
      reason === 'shutdown'
        ? new RedriveError('STOPPED', 'The worker is shutting down')
        : new RedriveError('LEASE_LOST', 'The worker lost its right to this job; it may run again elsewhere'),
    );
  }

  private abortWith(reason: RedriveError): void {
    this.abortReason ??= reason;
    this.controller?.abort(this.abortReason);
  }

  /** Made when first asked for: it costs more than all else of a short attempt, and many jobs never look at it. */
  private signal(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.abortReason !== undefined) this.controller.abort(this.abortReason);
    return this.controller.signal;
  }

  private async work(): Promise<Outcome> {
    try {
      return this.conclude(await this.execute());
    } catch (exception) {
      return this.conclude({ status: 'threw', exception, byFail: false });
    }
  }

  private async execute(): Promise<Outcome> {
    const job = await this.options.make();
    lendContext(job, { ...this.options.context, signal: () => this.signal(), ask: (request) => (this.request = request) });
    this.job = job;
    await job.before?.();
    const result: unknown = await job.handle();
    if (this.request === undefined) await job.after?.(result);
    return { status: 'completed', result };
  }

  /** What the job asked for by release, cancel or fail wins over how its code happened to end. */
  private conclude(natural: Outcome): Outcome {
    const { request } = this;
    if (request?.kind === 'cancel') return { status: 'cancelled', exception: request.exception };
    if (request?.kind === 'fail') return { status: 'threw', exception: request.exception, byFail: true };
    if (natural.status === 'completed' && request?.kind === 'release') return { status: 'released', delayMs: request.delayMs };
    if (natural.status === 'threw' && this.shuttingDown) return { status: 'shut-down', exception: natural.exception };
    return natural;
  }

  private limit(timeoutMs: number): void {
    const timer = this.options.clock.after(timeoutMs, () => {
      const exception = new RedriveError('JOB_TIMEOUT', `The attempt took longer than its timeout of ${formatDuration(timeoutMs)}`);
      this.abortWith(exception);
      this.interrupt({ status: 'timed-out', exception });
    });
    void this.outcome.then(() => timer.cancel());
  }
}
