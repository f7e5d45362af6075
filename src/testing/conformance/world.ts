import { setImmediate, setTimeout } from 'node:timers';
import type { ConnectionConfig, LogFailedJobsProperties, RedriveConfig, WorkerPoolConfig } from '../../config/redrive-config.ts';
import { createRedrive } from '../../create-redrive.ts';
import type { JobSpec } from '../../dispatch/dispatcher.ts';
import type { FailedJob } from '../../failure/failed-job.ts';
import { interceptionPoints, type InterceptionPoint, type InterceptorEvents } from '../../interceptor/points.ts';
import type { JobClass } from '../../job/define.ts';
import type { Connections } from '../../connections.ts';
import type { QueueProvider } from '../../provider/queue-provider.ts';
import type { FailureLog } from '../../record/failure-log.ts';
import type { Redrive } from '../../redrive.ts';
import { RecordingLogger } from '../recording-logger.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** One backend to be shown to keep the contract, made anew for each test. */
export interface Subject {
  readonly connection: ConnectionConfig;
  readonly logFailedJobsProperties?: LogFailedJobsProperties;
  /** Whether the backend is at work for the test: the clock waits for it. Left out: it answers within the turn of the event loop. */
  readonly isBusy?: () => boolean;
  /** Removes everything the test left behind. */
  dispose(): Promise<void>;
}

export interface WorldOptions {
  readonly jobs: readonly JobClass[];
  readonly pool?: Partial<Omit<WorkerPoolConfig, 'connection'>>;
  readonly config?: Partial<RedriveConfig>;
  /** A clock of its own. One that stands still while the others move is a process that was stopped. */
  readonly clock?: VirtualClock;
}

export interface Told<P extends InterceptionPoint = InterceptionPoint> {
  readonly point: P;
  readonly event: InterceptorEvents[P];
}

/** How long a test waits, in real time, for something that is on its way. */
const patienceMs = 20_000;

/** A Redrive on the backend under test, with a clock of the test's own, and everything it said and told. */
export class World {
  readonly logger = new RecordingLogger();
  readonly told: Told[] = [];
  redrive!: Redrive;
  private readonly all: Redrive[] = [];
  private readonly clocks = new Set<VirtualClock>();

  private constructor(
    private readonly subject: Subject,
    private readonly options: WorldOptions,
    readonly clock: VirtualClock,
  ) {}

  static async make(create: () => Promise<Subject>, options: WorldOptions): Promise<World> {
    const subject = await create();
    const world = new World(subject, options, new VirtualClock(undefined, subject));
    world.redrive = await world.another();
    return world;
  }

  /** One more Redrive on the same backend, as another process would be. */
  async another(options: Partial<WorldOptions> = {}): Promise<Redrive> {
    const { jobs, pool, config, clock } = { ...this.options, ...options };
    const { connection, logFailedJobsProperties } = this.subject;
    const redrive = await createRedrive(
      {
        connections: { main: connection },
        workerPools: { pool: { connection: 'main', ...pool } },
        jobs,
        logFailedJobs: true,
        logAttempts: false,
        ...(logFailedJobsProperties === undefined ? {} : { logFailedJobsProperties }),
        ...config,
      },
      { clock: clock ?? this.clock, logger: this.logger },
    );
    for (const point of interceptionPoints) redrive.on(point, (event) => void this.told.push({ point, event }));
    this.all.push(redrive);
    this.clocks.add(clock ?? this.clock);
    return redrive;
  }

  /**
   * Dispatches, and resolves with the id once the job was added: where `dispatch` runs the job before it returns, that goes
   * on meanwhile, and what the job throws is not this call's to throw.
   */
  readonly dispatch: Redrive['dispatch'] = async (...given: Parameters<Redrive['dispatch']>) => {
    const [id = ''] = await this.added(1, async () => [await this.redrive.dispatch(...given)]);
    return id;
  };

  /** The same for many, all to one queue. */
  dispatchMany(specs: readonly JobSpec[]): Promise<readonly string[]> {
    return this.added(specs.length, () => this.redrive.dispatchMany(specs));
  }

  /** The ids of as many jobs as `dispatch` is to add, once they were added, or what it says itself where that comes first. */
  async added(count: number, dispatch: () => Promise<readonly string[]>): Promise<readonly string[]> {
    const ids: string[] = [];
    let end = (): void => undefined;
    const all = new Promise<readonly string[]>((resolve) => {
      end = this.redrive.on('onJobAdded', ({ job }) => void (ids.push(job.id) === count && resolve(ids)));
    });
    const dispatched = dispatch();
    // Once the jobs are there, what becomes of them is for the test to ask.
    dispatched.catch(() => undefined);
    return Promise.race([all, dispatched]).finally(() => end());
  }

  /** What was told at one point, oldest first. */
  at<P extends InterceptionPoint>(point: P): readonly InterceptorEvents[P][] {
    return this.told.filter((one): one is Told<P> => one.point === point).map((one) => one.event);
  }

  /** Waits, in real time and without moving the clock, until something holds. */
  async until(what: string, holds: () => boolean | Promise<boolean>, forMs = patienceMs): Promise<void> {
    const started = Date.now();
    while (!(await holds())) {
      if (Date.now() - started > forMs) throw new Error(`In vain waited for: ${what}`);
      await this.pass();
    }
  }

  /** Lets everything that is under way come to rest, without moving the clock. */
  async rest(): Promise<void> {
    await this.pass();
    await this.clock.rest();
    await this.pass();
  }

  /** Lets what is under way go on for a moment, without moving the clock. */
  private async pass(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) {
      await this.clock.advance(0);
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    await new Promise<void>((resolve) => void setTimeout(resolve, 1));
  }

  /** The only failed job, with its history, once it is there. */
  async failedJob(status: 'failed' | 'retrying' | 'resolved' = 'failed'): Promise<FailedJob> {
    let found: FailedJob | undefined;
    await this.until(`one failed job of status ${status}`, async () => {
      const { items } = await this.redrive.failedJobs.list({ status });
      if (items.length > 1) throw new Error(`${items.length} failed jobs instead of one`);
      found = items[0] === undefined ? undefined : await this.redrive.failedJobs.find(items[0].id);
      return found !== undefined;
    });
    return found as FailedJob;
  }

  /** A process that can be stopped: it goes on only when its own clock is moved. */
  async stoppable(options: Partial<WorldOptions> = {}): Promise<{ redrive: Redrive; clock: VirtualClock }> {
    const clock = new VirtualClock(new Date(this.clock.now()), this.subject);
    return { redrive: await this.another({ ...options, clock }), clock };
  }

  /** The provider under test, open. */
  provider(): Promise<QueueProvider> {
    return partsOf(this.redrive).connections.open('main');
  }

  async failureLog(): Promise<FailureLog> {
    const log = await partsOf(this.redrive).connections.failureLog();
    if (log === undefined) throw new Error('The failed-jobs log is off');
    return log;
  }

  async end(): Promise<void> {
    const stops = Promise.all(this.all.map((redrive) => redrive.stop({ timeout: 0 })));
    const stopped = new AbortController();
    void stops.then(() => stopped.abort());
    // A stop waits for handlers that ignore their signal, by the clock.
    while (!stopped.signal.aborted) {
      for (const clock of this.clocks) await clock.advance('1s');
      await this.pass();
    }
    await this.subject.dispose();
  }
}

/** Ends the world whatever happens in it. */
export async function using(world: World, test: (world: World) => Promise<void>): Promise<void> {
  try {
    await test(world);
  } finally {
    await world.end();
  }
}

/** The suite looks where no user should: at the provider itself. */
function partsOf(redrive: Redrive): { connections: Connections } {
  return (redrive as unknown as { works: { connections: Connections } }).works;
}
