import { injectable } from 'inversify';
import { RedriveError } from '../errors.ts';
import type { Duration } from '../duration.ts';
import type { Backoff } from './backoff.ts';
import type { ErrorClass } from './exceptions.ts';
import { Job } from './job.ts';
import type { JsonObject } from './json.ts';
import type { StandardSchema } from './standard-schema.ts';

/** Which jobs hold a key: those not started yet, those that have not ended, or also failed ones until they are resolved by a retry. */
export type UniqueScope = 'queued' | 'live' | 'failed';

export type UniqueKeyFunction = (properties: never) => string;

/** A key function, whose scope is `live`, or one with another scope. */
export type UniqueOption = UniqueKeyFunction | { readonly key: UniqueKeyFunction; readonly scope?: UniqueScope };

/** How a job wants to be run; each key wins over the pool's and loses to the dispatch's. */
export interface JobOptions {
  /** Executions in total; 0: no limit. Default: the pool's. */
  readonly maxAttempts?: number;
  /** Delay between attempts. Default: the pool's. */
  readonly backoff?: Backoff;
  /** How long one attempt may take; 0: no limit. Default: the pool's. */
  readonly timeout?: Duration;
  /** Errors of these classes fail the job at once. */
  readonly failOn?: readonly ErrorClass[];
  /** Only errors of these classes are tried again. A lost worker is no error of the job's and is always tried again. */
  readonly retryOn?: readonly ErrorClass[];
  /** No attempt begins later than this after the first one of the run; default no limit. */
  readonly retryUntil?: Duration;
  /**
   * A Standard Schema (zod, valibot, arktype, ...) of the properties: checked at dispatch, which throws, and before
   * each attempt, which fails as `unprocessable`. The job works on what the schema returns.
   */
  readonly schema?: StandardSchema;
  /** Refuses a second job of the same key while the first holds it; `dispatch` then returns the first one's id. */
  readonly unique?: UniqueOption;
  /** Never tried again by itself: the first exception makes it a failed job held for a person. Default false. */
  readonly markAsFailed?: boolean;
}

// oxlint-disable-next-line typescript/no-explicit-any -- a job class may take any services: its constructor is the container's business
export type JobClass<P extends object = any, R = any> = new (...services: any[]) => Job<P, R>;

/** The properties a job class works on. */
export type PropertiesOf<J> = J extends JobClass<infer P, infer _R> ? P : never;

/**
 * What follows a job in a call: its properties, to be left out only where none is required, then that call's options.
 * A name says nothing of the properties.
 */
export type JobArguments<J extends JobClass | string, Options extends readonly unknown[] = []> = [J] extends [string]
  ? [properties?: object, ...options: Options]
  : // oxlint-disable-next-line typescript/no-generated-empty-object-type -- no properties at all: will they do?
    Record<never, never> extends PropertiesOf<J>
    ? [properties?: PropertiesOf<J>, ...options: Options]
    : [properties: PropertiesOf<J>, ...options: Options];

/** A job's name and options, kept with its class. */
export interface JobDefinition {
  readonly name: string;
  readonly options: JobOptions;
}

// The global registry's symbol: a job may come from another copy of this package.
const definition = Symbol.for('redrive/job');

/**
 * Names a job class and makes it injectable. It registers nothing: list the class in `jobs`.
 *
 * @example
 * @job('emails.welcome', { maxAttempts: 3 })
 * class SendWelcomeEmail extends Job<{ userId: number }> { async handle() { ... } }
 */
export function job(name: string, options: JobOptions = {}): <J extends JobClass>(target: J) => void {
  return (target) => {
    if (typeof name !== 'string' || name.trim() === '')
      throw new RedriveError('JOB_UNNAMED', `@job on ${target.name}: give the job a name, such as @job('emails.welcome')`);
    Object.defineProperty(target, definition, { value: Object.freeze({ name, options: Object.freeze({ ...options }) }) });
    makeInjectable(target);
  };
}

/** The name and options of a job class; undefined where it has none of its own (a subclass does not inherit its parent's). */
export function definitionOf(target: unknown): JobDefinition | undefined {
  if (typeof target !== 'function' || !Object.hasOwn(target, definition)) return undefined;
  return (target as unknown as Record<symbol, JobDefinition>)[definition];
}

export interface DefineJobSpec<P extends object, R> extends JobOptions {
  readonly name: string;
  // `Job<P>`, not `Job<P, R>`: R is to be inferred from what comes out, also where the parameter has no type written.
  readonly handle: (job: Job<P>) => R | Promise<R>;
  readonly before?: (job: Job<P>) => unknown;
  readonly after?: (result: Awaited<R>, job: Job<P>) => unknown;
  readonly onFailure?: (exception: unknown, job: Job<P>) => unknown;
}

/**
 * Makes a job without writing a class; `job` is what `this` is in a class.
 *
 * @example
 * const ping = defineJob({ name: 'ping', handle: async (job: Job<{ url: string }>) => { await fetch(job.properties.url, { signal: job.signal }); } });
 */
export function defineJob<P extends object = JsonObject, R = unknown>(spec: DefineJobSpec<P, R>): JobClass<P, R> {
  if (typeof spec !== 'object' || (spec as unknown) === null)
    throw new RedriveError('CONFIG_INVALID', 'defineJob takes one object: defineJob({ name, handle, ...options })');
  const { name, handle, before, after, onFailure, ...options } = spec;
  if (typeof name !== 'string' || name.trim() === '')
    throw new RedriveError('JOB_UNNAMED', "defineJob: give the job a name, such as defineJob({ name: 'emails.welcome', handle })");
  if (typeof handle !== 'function') throw new RedriveError('CONFIG_INVALID', `defineJob: job "${name}" has no handle function`);
  class DefinedJob extends Job<P, R> {
    handle(): R | Promise<R> {
      return handle(this);
    }
  }
  const hooks: Partial<Pick<Job<P, R>, 'before' | 'after' | 'onFailure'>> & ThisType<Job<P, R>> = {};
  if (before)
    hooks.before = function () {
      return before(this as Job<P, R>);
    };
  if (after)
    hooks.after = function (result) {
      return after(result, this as Job<P, R>);
    };
  if (onFailure)
    hooks.onFailure = function (exception) {
      return onFailure(exception, this as Job<P, R>);
    };
  Object.assign(DefinedJob.prototype, hooks);
  Object.defineProperty(DefinedJob, 'name', { value: name });
  job(name, options)(DefinedJob);
  return DefinedJob;
}

function makeInjectable(target: JobClass): void {
  try {
    injectable()(target);
  } catch {
    // The class carries @injectable() already, which is all that is wanted.
  }
}
