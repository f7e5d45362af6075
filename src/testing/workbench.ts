import { Container, type Newable, type ServiceIdentifier } from 'inversify';
import { AsyncProvider } from '../../providers/async/index.ts';
import type { RedriveConfig } from '../config/redrive-config.ts';
import { resolveConfig } from '../config/resolve.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import { nameOf } from '../dispatch/dispatcher.ts';
import { durationMs, type Duration } from '../duration.ts';
import { FailedJobs } from '../failure/failed-jobs.ts';
import type { Interceptor } from '../interceptor/points.ts';
import type { JobClass } from '../job/define.ts';
import { moduleOf } from '../module.ts';
import { Redrive } from '../redrive.ts';
import { ClockToken, InterceptorToken, LoggerToken } from '../tokens.ts';
import type { DispatchedJob } from './dispatched-jobs.ts';
import { recordEvents, type EventRecorder } from './event-recorder.ts';
import { FakeRedrive } from './fake-redrive.ts';
import { RecordingLogger, type LogLine } from './recording-logger.ts';
import type { ResolvedRun } from './run-job-options.ts';
import { bindServices } from './services.ts';

/** A Redrive in memory for one job, and everything that can be seen of it. */
export class Workbench {
  readonly events: EventRecorder;
  private readonly ends: (() => void)[] = [];
  private elapsing: Promise<void> = Promise.resolve();
  private onTimeout: () => void = () => undefined;

  private constructor(
    readonly jobName: string,
    /** The real one, which runs the job. */
    readonly redrive: Redrive,
    /** What the job and the interceptors are given as Redrive: what they dispatch is not run. */
    private readonly fake: FakeRedrive,
    private readonly logger: RecordingLogger,
    private readonly options: ResolvedRun,
  ) {
    this.events = recordEvents(redrive);
    if (options.elapseMs > 0) this.ends.push(redrive.on('onJobMarshalled', () => this.elapse()));
    // What is told last of an attempt that failed.
    for (const point of ['onJobReleased', 'onJobFailed'] as const) {
      this.ends.push(redrive.on(point, () => (this.events.at('onJobException').at(-1)?.kind === 'timeout' ? this.onTimeout() : undefined)));
    }
  }

  static async make(job: JobClass, options: ResolvedRun): Promise<Workbench> {
    const logger = new RecordingLogger();
    const config = resolveConfig(configOf(job, options.config), {});
    const services = new Container();
    const pairs = await bindServices(services, options.services);
    const container = containerOf(services, config, { options, logger });
    const redrive = container.get(Redrive);
    const fake = new FakeRedrive({}, { clock: options.clock, logger });
    // Whoever looks for the failure of this very job finds it.
    Object.defineProperty(fake, 'failedJobs', { value: redrive.failedJobs });
    const own: readonly [ServiceIdentifier, unknown][] = [
      [Redrive, fake],
      [FailedJobs, redrive.failedJobs],
      [ClockToken, options.clock],
      [LoggerToken, logger],
    ];
    for (const [identifier, value] of own) if (!pairs.has(identifier)) services.rebind(identifier).toConstantValue(value);
    for (const interceptor of await services.getAllAsync<Interceptor>(InterceptorToken))
      container.bind(InterceptorToken).toConstantValue(interceptor);
    return new Workbench(nameOf(job), redrive, fake, logger, options);
  }

  get logs(): readonly LogLine[] {
    return this.logger.lines;
  }

  get dispatched(): readonly DispatchedJob[] {
    return this.fake.dispatched();
  }

  /** True where no number of attempts ends the job. */
  get isUnlimited(): boolean {
    return this.events.at('onJobMarshalled').at(-1)?.job.maxAttempts === 0;
  }

  /** When a job that is dispatched now, with this delay, is ready. */
  readyAt(delay: Duration = 0): number {
    return this.options.clock.now() + durationMs(delay, 'delay');
  }

  /** Runs one attempt, and lets `elapse` pass in it. */
  async work(): Promise<void> {
    const timedOut = new Promise<void>((resolve) => (this.onTimeout = resolve));
    // A job that ignores its signal may go on for ever; what became of its attempt is settled by then.
    await Promise.race([this.redrive.workOnce(), timedOut]);
    await this.elapsing;
    await this.options.clock.advance(0);
  }

  async close(): Promise<void> {
    for (const end of this.ends) end();
    this.events.stop();
    await this.redrive.stop();
  }

  private elapse(): void {
    // The clock lets all that is under way come to rest before it moves: by then the attempt has begun.
    this.elapsing = this.options.clock.advance(`${this.options.elapseMs}ms`);
  }
}

function configOf(job: JobClass, config: RedriveConfig): RedriveConfig {
  return {
    ...config,
    connections: { test: { provider: new AsyncProvider() } },
    workerPools: { test: { connection: 'test', queues: '*' } },
    jobs: [job],
    logFailedJobs: true,
  };
}

/**
 * Where the Redrive that runs the job lives: there `Redrive` is the real one. The job and the interceptors are built by
 * the container of the services, where it is the fake.
 */
function containerOf(
  services: Container,
  config: ResolvedConfig,
  { options, logger }: { options: ResolvedRun; logger: RecordingLogger },
): Container {
  const container = new Container();
  const refs = config.interceptors.filter((ref) => ref.from !== 'instance');
  for (const own of new Set<Newable>([...config.jobs, ...refs.flatMap((ref) => (ref.from === 'class' ? [ref.value] : []))]))
    if (!services.isBound(own)) services.bind(own).toSelf();
  for (const identifier of new Set<ServiceIdentifier>([...config.jobs, ...refs.map((ref) => ref.value)]))
    container.bind(identifier).toDynamicValue(() => services.getAsync(identifier));
  container.bind(ClockToken).toConstantValue(options.clock);
  container.bind(LoggerToken).toConstantValue(logger);
  container.load(moduleOf(config, { access: 'create', standsIn: false }));
  return container;
}
