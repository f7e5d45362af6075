import type { Duration } from '../duration.ts';
import { durationMs } from '../duration.ts';
import { RedriveError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { JsonObject } from './json.ts';

/** What a running attempt knows of itself; the worker lends it to the job object. */
export interface JobContext {
  readonly id: string;
  readonly name: string;
  readonly properties: JsonObject;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly run: number;
  readonly queue: string;
  readonly connection: string;
  readonly batchId: string | undefined;
  readonly signal: () => AbortSignal;
  readonly log: () => Logger;
  /** Takes note of what the job asks for; the last word counts. */
  readonly ask: (request: JobRequest) => void;
}

export type JobRequest =
  | { readonly kind: 'release'; readonly delayMs: number }
  | { readonly kind: 'cancel'; readonly exception: RedriveError }
  | { readonly kind: 'fail'; readonly exception: unknown };

const contexts = new WeakMap<object, JobContext>();

/** Lends a job object the context of an attempt. */
export function lendContext(job: Job, context: JobContext): void {
  contexts.set(job, context);
}

/**
 * A unit of work. Extend it, name it with `@job('name')`, register it in `jobs`, and write `handle`.
 * A new object is made for each attempt; what the getters return is there from `before` on, not yet in the constructor.
 *
 * @typeParam P its properties: plain JSON.
 * @typeParam R what `handle` returns.
 */
export abstract class Job<P extends object = JsonObject, R = unknown> {
  /** Runs before `handle`, each attempt; if it throws, the attempt failed. */
  before?(): unknown;
  abstract handle(): R | Promise<R>;
  /** Runs after `handle` succeeded; if it throws, the attempt failed. */
  after?(result: Awaited<R>): unknown;
  /** Runs once a run, after the terminal failure is recorded. What it throws is logged and changes nothing. */
  onFailure?(exception: unknown): unknown;

  /** The job's id, a UUIDv7, the same for its whole life. */
  get id(): string {
    return this.context.id;
  }
  get name(): string {
    return this.context.name;
  }
  /** A fresh copy each attempt: changing it never reaches the store. */
  get properties(): P {
    return this.context.properties as unknown as P;
  }
  /** 1 for the first execution of a run, 2 for the next, ... */
  get attempt(): number {
    return this.context.attempt;
  }
  /** How many executions a run may have; 0: no limit. */
  get maxAttempts(): number {
    return this.context.maxAttempts;
  }
  /** 1 until somebody retries the failed job; each such retry opens the next run. */
  get run(): number {
    return this.context.run;
  }
  get queue(): string {
    return this.context.queue;
  }
  get connection(): string {
    return this.context.connection;
  }
  get batchId(): string | undefined {
    return this.context.batchId;
  }
  /** Aborts on timeout, cancellation, shutdown, and when the worker lost its right to the job. Pass it on. */
  get signal(): AbortSignal {
    return this.context.signal();
  }
  /** A logger that names the job and the attempt. */
  get log(): Logger {
    return this.context.log();
  }

  /** Puts the job back into its queue once `handle` returns; costs an attempt. At the limit the job fails with `MAX_ATTEMPTS_REACHED`. */
  release(delay: Duration = 0): void {
    this.context.ask({ kind: 'release', delayMs: durationMs(delay, 'release') });
  }

  /** Ends the job at once as failed, kind `cancelled`. Throws; a job that catches it is cancelled all the same. */
  cancel(reason = 'The job cancelled itself'): never {
    const exception = new RedriveError('JOB_CANCELLED', reason);
    this.context.ask({ kind: 'cancel', exception });
    throw exception;
  }

  /** Ends the job at once as failed. Throws; a job that catches it fails all the same. A reason that is no Error is wrapped in one. */
  fail(exceptionOrReason: unknown): never {
    const exception = exceptionOrReason instanceof Error ? exceptionOrReason : new Error(String(exceptionOrReason));
    this.context.ask({ kind: 'fail', exception });
    throw exception;
  }

  private get context(): JobContext {
    const context = contexts.get(this);
    if (context !== undefined) return context;
    throw new RedriveError(
      'JOB_NOT_RUNNING',
      `${this.constructor.name}: id, properties, signal and the like are there while an attempt runs, not in the constructor`,
    );
  }
}
