import { durationMs } from '../duration.ts';
import { parseBackoff, type BackoffFunction, type PlainBackoff } from './backoff.ts';
import { definitionOf, type JobClass, type JobOptions } from './define.ts';
import type { ErrorClass } from './exceptions.ts';

/** What a job class says about its attempts; a missing key leaves it to the pool. */
export interface JobPolicy {
  readonly maxAttempts?: number;
  readonly backoff?: PlainBackoff | BackoffFunction;
  readonly timeoutMs?: number;
  readonly failOn: readonly ErrorClass[];
  /** Undefined: every error is tried again. */
  readonly retryOn?: readonly ErrorClass[];
  readonly retryUntilMs?: number;
  readonly markAsFailed: boolean;
}

export interface RegisteredJob {
  readonly name: string;
  readonly policy: JobPolicy;
  readonly options: JobOptions;
  readonly jobClass: JobClass;
}

/** The jobs this process can run, by name. */
export class JobRegistry {
  private readonly jobs: ReadonlyMap<string, RegisteredJob>;

  /** Takes classes the config has checked: named, with valid options, and no name twice. */
  constructor(classes: readonly JobClass[]) {
    const jobs = new Map<string, RegisteredJob>();
    for (const jobClass of classes) {
      const definition = definitionOf(jobClass);
      if (definition !== undefined)
        jobs.set(definition.name, {
          name: definition.name,
          policy: parsePolicy(definition.options),
          options: definition.options,
          jobClass,
        });
    }
    this.jobs = jobs;
  }

  find(name: string): RegisteredJob | undefined {
    return this.jobs.get(name);
  }

  all(): Iterable<RegisteredJob> {
    return this.jobs.values();
  }

  names(): readonly string[] {
    return [...this.jobs.keys()];
  }
}

function parsePolicy(options: JobOptions): JobPolicy {
  return {
    ...(options.maxAttempts === undefined ? {} : { maxAttempts: options.maxAttempts }),
    ...(options.backoff === undefined ? {} : { backoff: parseBackoff(options.backoff) }),
    ...(options.timeout === undefined ? {} : { timeoutMs: durationMs(options.timeout, 'timeout') }),
    ...(options.retryOn === undefined ? {} : { retryOn: options.retryOn }),
    ...(options.retryUntil === undefined ? {} : { retryUntilMs: durationMs(options.retryUntil, 'retryUntil') }),
    failOn: options.failOn ?? [],
    markAsFailed: options.markAsFailed ?? false,
  };
}
