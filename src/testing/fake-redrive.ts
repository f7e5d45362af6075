import { systemClock, type Clock } from '../clock.ts';
import type { RedriveConfig } from '../config/redrive-config.ts';
import type { ResolvedConfig, ResolvedConnection } from '../config/resolved.ts';
import { resolveConfig } from '../config/resolve.ts';
import type { DispatchOptions, JobSpec } from '../dispatch/dispatcher.ts';
import { PendingJob } from '../dispatch/pending-job.ts';
import { RedriveError } from '../errors.ts';
import type { JobArguments, JobClass, PropertiesOf } from '../job/define.ts';
import type { Job } from '../job/job.ts';
import type { JsonObject } from '../job/json.ts';
import type { Logger } from '../logger.ts';
import { Redrive, type RedriveParts } from '../redrive.ts';
import { DispatchedJobs, type Caller, type DispatchedJob, type ExpectedProperties } from './dispatched-jobs.ts';
import { FakeProvider } from './fake-provider.ts';
import { memoryBackends } from './memory-backends.ts';
import { RecordingLogger } from './recording-logger.ts';

export interface FakeRedriveRuntime {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Used where the config names none. Default: a `RecordingLogger`. */
  readonly logger?: Logger;
}

/**
 * Stands in for a Redrive: a dispatch checks its job, properties and options as the real one does, remembers the job,
 * and runs nothing. All else answers as a Redrive does whose jobs are never taken up by a worker.
 *
 * @example
 * const redrive = createFakeRedrive();
 * await new SignUp(redrive).register('ada@example.com');
 * redrive.assertDispatched(SendWelcomeEmail, { userId: 1 });
 */
export class FakeRedrive extends Redrive {
  private readonly remembered: DispatchedJobs;

  /** Without a config, or with one that has no connections, any connection and any queue will do. */
  constructor(config: RedriveConfig = {}, runtime: FakeRedriveRuntime = {}) {
    const remembered = new DispatchedJobs();
    super(partsOf(resolveConfig(config, {}), remembered, runtime));
    this.remembered = remembered;
  }

  override dispatch<J extends JobClass>(job: J, properties: PropertiesOf<J>, options?: DispatchOptions): Promise<string>;
  override dispatch<J extends JobClass | string>(job: J, ...given: JobArguments<J, [options?: DispatchOptions]>): Promise<string>;
  override async dispatch(job: JobClass | string, properties?: object, options?: DispatchOptions): Promise<string> {
    const id = await super.dispatch(job, properties, options);
    this.remembered.note(id, options ?? {});
    return id;
  }

  override async dispatchMany(specs: readonly JobSpec[]): Promise<readonly string[]> {
    const ids = await super.dispatchMany(specs);
    for (const [index, id] of ids.entries()) this.remembered.note(id, specs[index]?.options ?? {});
    return ids;
  }

  override job<J extends JobClass>(job: J, properties: PropertiesOf<J>): PendingJob;
  override job<J extends JobClass | string>(job: J, ...given: JobArguments<J>): PendingJob;
  override job(job: JobClass | string, properties: object = {}): PendingJob {
    return new PendingJob((spec) => this.dispatch(spec.job, spec.properties, spec.options), job, properties);
  }

  /** The jobs that were dispatched, oldest first: all, or those of a class or name. */
  dispatched<J extends JobClass>(job: J): readonly DispatchedJob<PropertiesOf<J>>[];
  dispatched(name?: string): readonly DispatchedJob[];
  dispatched(job?: JobClass | string): readonly DispatchedJob[] {
    return this.remembered.of(job);
  }

  /** Throws an `AssertionError`, which says what was dispatched, unless such a job was; with `times`, exactly so often. */
  assertDispatched<J extends JobClass>(job: J, properties?: ExpectedProperties<PropertiesOf<J>>, times?: number): void;
  assertDispatched(name: string, properties?: ExpectedProperties<JsonObject>, times?: number): void;
  assertDispatched(job: JobClass | string, properties?: ExpectedProperties<JsonObject>, times?: number): void {
    this.remembered.assertSome({ job, properties: checked(properties) }, checkedTimes(times), this.caller('assertDispatched'));
  }

  /** Throws an `AssertionError` unless such a job was dispatched to this queue. */
  assertDispatchedOn<J extends JobClass>(queue: string, job: J, properties?: ExpectedProperties<PropertiesOf<J>>): void;
  assertDispatchedOn(queue: string, name: string, properties?: ExpectedProperties<JsonObject>): void;
  assertDispatchedOn(queue: string, job: JobClass | string, properties?: ExpectedProperties<JsonObject>): void {
    this.remembered.assertSome({ job, properties: checked(properties), queue }, undefined, this.caller('assertDispatchedOn'));
  }

  /** Throws an `AssertionError` unless this job was dispatched exactly so often. */
  assertDispatchedTimes(job: JobClass | string, times: number): void {
    this.remembered.assertSome({ job }, checkedTimes(times), this.caller('assertDispatchedTimes'));
  }

  /** Throws an `AssertionError` if such a job was dispatched. */
  assertNotDispatched<J extends JobClass>(job: J, properties?: ExpectedProperties<PropertiesOf<J>>): void;
  assertNotDispatched(name: string, properties?: ExpectedProperties<JsonObject>): void;
  assertNotDispatched(job: JobClass | string, properties?: ExpectedProperties<JsonObject>): void {
    this.remembered.assertNone({ job, properties: checked(properties) }, this.caller('assertNotDispatched'));
  }

  /** Throws an `AssertionError` if any job was dispatched. */
  assertNothingDispatched(): void {
    this.remembered.assertNothing(this.caller('assertNothingDispatched'));
  }

  /** Forgets what was dispatched, as between two tests. */
  clearDispatched(): void {
    this.remembered.clear();
  }

  private caller(name: Extract<keyof FakeRedrive, `assert${string}`>): Caller {
    return { name, stackStartFn: this[name] };
  }
}

/**
 * A {@link FakeRedrive}. With the config of your app it knows its connections, queues and jobs, and refuses what the
 * real one would; its providers and interceptors are not built.
 */
export function createFakeRedrive(config?: RedriveConfig, runtime?: FakeRedriveRuntime): FakeRedrive {
  return new FakeRedrive(config, runtime);
}

function partsOf(config: ResolvedConfig, dispatched: DispatchedJobs, { clock = systemClock, logger }: FakeRedriveRuntime): RedriveParts {
  const connect = (name: string, defaultQueue = 'default'): ResolvedConnection => ({
    name,
    provider: { from: 'instance', value: new FakeProvider(dispatched) },
    properties: {},
    defaultQueue,
  });
  const known = new Map([...config.connections].map(([name, { defaultQueue }]) => [name, connect(name, defaultQueue)]));
  const isOpen = known.size === 0;
  return {
    config: {
      ...config,
      connections: isOpen ? new AnyConnection(connect) : known,
      defaultConnection: config.defaultConnection ?? 'default',
      failedJobs: config.failedJobs === undefined && !isOpen ? undefined : inMemory,
      interceptors: [],
    },
    clock,
    logger: config.logger ?? logger ?? new RecordingLogger(),
    access: 'create',
    standsIn: false,
    backends: memoryBackends,
    build: async (ref) => {
      if (ref.from === 'instance') return ref.value;
      throw new RedriveError('JOB_UNRESOLVABLE', 'A fake Redrive builds nothing');
    },
    makeJob: (jobClass) => Object.create(jobClass.prototype as object) as Job,
    boundInterceptors: async () => [],
    builtInInterceptors: async () => [],
    makeMetrics: async (source) => (await import('../../interceptors/metrics/metrics.ts')).makeMetrics(source),
  };
}

const inMemory: ResolvedConfig['failedJobs'] = Object.freeze({
  tableName: 'cbq_failed_jobs',
  datasource: undefined,
  cleanup: undefined,
  store: 'memory',
  schema: undefined,
  timeoutMs: undefined,
});

/** Knows every connection it is asked for: a fake without a config has nothing to say about their names. */
class AnyConnection extends Map<string, ResolvedConnection> {
  constructor(private readonly connect: (name: string) => ResolvedConnection) {
    super();
  }

  override has(): boolean {
    return true;
  }

  override get(name: string): ResolvedConnection {
    const known = super.get(name) ?? this.connect(name);
    this.set(name, known);
    return known;
  }
}

function checked<P extends object>(properties: ExpectedProperties<P> | undefined): ExpectedProperties<P> | undefined {
  if (properties === undefined || typeof properties === 'function' || (typeof properties === 'object' && properties !== null))
    return properties;
  throw new RedriveError(
    'OPTIONS_INVALID',
    `The expected properties must be an object, or a function that says whether properties will do, not ${String(properties)}; to count jobs use assertDispatchedTimes(job, times)`,
  );
}

function checkedTimes(times: number | undefined): number | undefined {
  if (times === undefined || (Number.isSafeInteger(times) && times >= 0)) return times;
  throw new RedriveError('OPTIONS_INVALID', `times: must be an integer of at least 0, not ${String(times)}`);
}
