import { AssertionError } from 'node:assert';
import { didYouMean } from '../config/nearest.ts';
import { nameOf, type DispatchOptions } from '../dispatch/dispatcher.ts';
import type { JobClass } from '../job/define.ts';
import type { JsonObject } from '../job/json.ts';
import { differences, show } from './differences.ts';

/** A job that a fake was asked to dispatch. */
export interface DispatchedJob<P extends object = JsonObject> {
  readonly id: string;
  readonly name: string;
  /** As they would have been stored: a copy, without fields that are undefined. */
  readonly properties: P;
  /** As they were given; empty where none were. */
  readonly options: DispatchOptions;
  readonly connection: string;
  readonly queue: string;
}

/** The very properties, in which matchers such as `expect.any(Number)` may stand, or a function that says whether they will do. */
export type ExpectedProperties<P extends object> = P | ((properties: P, dispatched: DispatchedJob<P>) => boolean);

/** What an assertion looks for. */
export interface Wanted {
  readonly job: JobClass | string;
  readonly properties?: ExpectedProperties<JsonObject> | undefined;
  readonly queue?: string;
}

/** The public assertion that failed: its name, and the function where the error's stack is to begin. */
export interface Caller {
  readonly name: string;
  readonly stackStartFn: (...given: never[]) => unknown;
}

/** Jobs that a message lists at most. */
const listed = 20;

/** What a fake remembers of the jobs it was asked to dispatch, oldest first. */
export class DispatchedJobs {
  private readonly jobs: DispatchedJob[] = [];

  add(job: DispatchedJob): void {
    this.jobs.push(job);
  }

  /** Remembers how a job was dispatched; the first word counts, since a unique job's id is given out again. */
  note(id: string, options: DispatchOptions): void {
    const index = this.jobs.findIndex((job) => job.id === id);
    const job = this.jobs[index];
    if (job !== undefined && job.options === unsaid) this.jobs[index] = { ...job, options };
  }

  clear(): void {
    this.jobs.length = 0;
  }

  of(job?: JobClass | string): readonly DispatchedJob[] {
    if (job === undefined) return [...this.jobs];
    const name = nameOf(job);
    return this.jobs.filter((one) => one.name === name);
  }

  assertSome(wanted: Wanted, times: number | undefined, caller: Caller): void {
    const found = this.matching(wanted);
    if (times === undefined ? found.length > 0 : found.length === times) return;
    const often = times === undefined ? '' : ` ${timesText(times)}; it was dispatched ${timesText(found.length)}`;
    this.fail(`Expected ${describe(wanted)} to be dispatched${often}`, wanted, caller);
  }

  assertNone(wanted: Wanted, caller: Caller): void {
    const found = this.matching(wanted);
    if (found.length > 0)
      this.fail(`Expected ${describe(wanted)} not to be dispatched; it was dispatched ${timesText(found.length)}`, wanted, caller);
  }

  assertNothing({ stackStartFn, name }: Caller): void {
    if (this.jobs.length === 0) return;
    const message = `Expected nothing to be dispatched.\n${this.list()}`;
    throw new AssertionError({ message, actual: this.jobs.map(summary), expected: [], operator: name, stackStartFn });
  }

  private matching(wanted: Wanted): readonly DispatchedJob[] {
    return this.of(wanted.job).filter((job) => mismatches(job, wanted).length === 0);
  }

  private fail(message: string, wanted: Wanted, { name, stackStartFn }: Caller): never {
    const candidates = this.of(wanted.job);
    const hint = candidates.length > 0 ? '' : didYouMean(nameOf(wanted.job), new Set(this.jobs.map((job) => job.name)));
    // With functions there is nothing to compare side by side.
    const compared =
      typeof wanted.properties === 'object' ? { actual: nearest(candidates, wanted)?.properties, expected: wanted.properties } : {};
    throw new AssertionError({ message: `${message}${hint}.\n${this.list(wanted)}`, ...compared, operator: name, stackStartFn });
  }

  private list(wanted?: Wanted): string {
    if (this.jobs.length === 0) return 'Nothing was dispatched.';
    const lines = this.jobs.slice(0, listed).flatMap((job, index) => {
      const line = `  ${index + 1}. ${summary(job)}`;
      const isMeant = wanted !== undefined && job.name === nameOf(wanted.job);
      return [line, ...(isMeant ? mismatches(job, wanted).map((difference) => `       ${difference}`) : [])];
    });
    if (this.jobs.length > listed) lines.push(`  ... and ${this.jobs.length - listed} more`);
    return ['Dispatched:', ...lines].join('\n');
  }
}

/** The options of a job of which nobody has said how it was dispatched. */
export const unsaid: DispatchOptions = Object.freeze({});

/** What keeps a job of the wanted name from being the wanted one. */
function mismatches(job: DispatchedJob, { properties, queue }: Wanted): readonly string[] {
  const elsewhere = queue === undefined || queue === job.queue ? [] : [`queue is ${show(job.queue)}; expected ${show(queue)}`];
  if (properties === undefined) return elsewhere;
  if (typeof properties !== 'function') return [...elsewhere, ...differences(properties, job.properties)];
  return properties(job.properties, job) ? elsewhere : [...elsewhere, 'properties are refused by the function that was given'];
}

function nearest(candidates: readonly DispatchedJob[], wanted: Wanted): DispatchedJob | undefined {
  const [first] = candidates.map((job) => ({ job, distance: mismatches(job, wanted).length })).toSorted((a, b) => a.distance - b.distance);
  return first?.job;
}

function describe({ job, properties, queue }: Wanted): string {
  const where = queue === undefined ? '' : ` on queue "${queue}"`;
  const how =
    properties === undefined
      ? ''
      : typeof properties === 'function'
        ? ' with properties that the given function takes'
        : ` with ${show(properties)}`;
  return `job "${nameOf(job)}"${where}${how}`;
}

function summary({ name, properties, queue, connection, options }: DispatchedJob): string {
  const { queue: _queue, connection: _connection, transaction, ...others } = options;
  const said = { ...others, ...(transaction === undefined ? {} : { transaction: 'yes' }) };
  return `${name} ${show(properties)} on ${connection}/${queue}${Object.keys(said).length === 0 ? '' : ` ${show(said)}`}`;
}

function timesText(times: number): string {
  return times === 1 ? 'once' : `${times} times`;
}
