import { sleep, systemClock } from '../clock.ts';
import { didYouMean } from '../config/nearest.ts';
import type { ResolvedConfig, ResolvedPool } from '../config/resolved.ts';
import { servingPool } from '../config/serving-pool.ts';
import { RedriveError } from '../errors.ts';
import { PullProvider } from '../provider/pull-provider.ts';
import type { QueueProvider, StopWorker } from '../provider/queue-provider.ts';
import { Heart } from './heart.ts';
import { InlineWorker } from './inline-worker.ts';
import { keepAlive } from './keep-alive.ts';
import type { LocalPool } from './local-pool.ts';
import type { WorkerContext } from './worker-context.ts';
import { WorkerPool, type PoolHealth } from './worker-pool.ts';

/** How often an idle wait looks again where nobody tells it that something changed. */
const idlePollMs = 50;

interface Running {
  readonly pool: WorkerPool;
  readonly stop: StopWorker;
}

export interface WorkerPoolsContext extends WorkerContext {
  readonly config: Pick<ResolvedConfig, 'workerPools' | 'workerDefaults'>;
  /** The provider of a connection, open. */
  readonly provider: (connection: string) => Promise<QueueProvider>;
}

/** All worker pools of this process. */
export class WorkerPools {
  private readonly running: Running[] = [];
  /** Those that run jobs for calls that wait for them, by what they serve. */
  private readonly inline = new Map<string, InlineWorker>();
  private letGo: (() => void) | undefined;
  private readonly context: WorkerPoolsContext;

  constructor(context: Omit<WorkerPoolsContext, 'heart'>) {
    const { clock, logger } = context;
    this.context = { ...context, heart: clock === systemClock ? new Heart(clock, logger) : undefined };
  }

  /** Starts the pools named, or all. Throws `OPTIONS_INVALID` for a name there is not. */
  async start(names: readonly string[] | undefined): Promise<void> {
    try {
      for (const config of this.choose(names)) {
        const provider = await this.context.provider(config.connection);
        const pool = new WorkerPool(config, { ...this.context, clock: provider.clock });
        this.running.push({ pool, stop: await provider.startWorker(pool) });
      }
      if (this.running.length > 0) this.letGo ??= keepAlive();
    } catch (error) {
      // All or none: a second call must not start the first pools twice.
      await this.stopPools({ timeoutMs: 0 });
      throw error;
    }
  }

  /** Works at most one job; resolves with whether there was one. */
  async workOnce(names: readonly string[] | undefined): Promise<boolean> {
    const letGo = keepAlive();
    try {
      return await this.workOne(names);
    } finally {
      letGo();
    }
  }

  private async workOne(names: readonly string[] | undefined): Promise<boolean> {
    for (const config of this.choose(names)) {
      const provider = await this.context.provider(config.connection);
      if (!(provider instanceof PullProvider) || !provider.capabilities.background)
        throw new RedriveError('CAPABILITY_MISSING', `Connection "${config.connection}" hands out no single jobs; use start()`);
      if (await new WorkerPool({ ...config, quantity: 1 }, { ...this.context, clock: provider.clock }).workOnce(provider)) return true;
    }
    return false;
  }

  /** Runs jobs of one queue in the caller's own time, as the pool that serves the queue would; resolves with what the failed ones threw. */
  async workHere(
    provider: QueueProvider,
    queue: string,
    by: { readonly connection: string; readonly jobIds: readonly string[] },
  ): Promise<readonly unknown[]> {
    if (!(provider instanceof PullProvider))
      throw new RedriveError('CAPABILITY_MISSING', `Connection "${by.connection}" hands out no jobs: its provider extends no PullProvider`);
    const pool = servingPool(this.context.config, by.connection, queue);
    const key = JSON.stringify([pool.name, pool.connection, pool.queues]);
    const worker = this.inline.get(key) ?? new InlineWorker(pool, provider, this.context);
    this.inline.set(key, worker);
    return worker.run(by.jobIds);
  }

  /** `lingering` resolves when jobs that ignore their signal have ended; undefined where there are none. */
  async stop(options: { timeoutMs?: number }): Promise<{ readonly lingering: Promise<unknown> | undefined }> {
    const inline = [...this.inline.values()];
    const [pools] = await Promise.all([this.stopPools(options), ...inline.map((worker) => worker.stop(options))]);
    const lingering = [...pools, ...inline].filter(({ isQuiet }) => !isQuiet);
    const { heart } = this.context;
    if (lingering.length > 0) return { lingering: Promise.all(lingering.map((pool) => pool.quiet())).then(() => heart?.stop()) };
    await heart?.stop();
    return { lingering: undefined };
  }

  private async stopPools(options: { timeoutMs?: number }): Promise<readonly WorkerPool[]> {
    const stopped = this.running.splice(0);
    const stops = await Promise.allSettled(stopped.map(({ stop }) => stop(options)));
    for (const stop of stops)
      if (stop.status === 'rejected') this.context.logger.error({ err: stop.reason as unknown }, 'A pool did not stop cleanly');
    this.letGo?.();
    this.letGo = undefined;
    return stopped.map(({ pool }) => pool);
  }

  /** Tells the pool that runs a job, if one does, to cancel it. */
  cancel(jobId: string, reason: string): void {
    for (const pool of this.local()) pool.cancel(jobId, reason);
  }

  /** Of the pools that were started. */
  health(): Readonly<Record<string, PoolHealth>> {
    const inline = new Map([...this.inline.values()].map((worker) => [worker.name, worker]));
    return Object.fromEntries(this.running.map(({ pool }) => [pool.name, (inline.get(pool.name) ?? pool).health()]));
  }

  /** True when nothing is ready, running or waiting for a retry on the pools' queues. */
  async isIdle(includeDelayed: boolean): Promise<boolean> {
    const pools = this.local();
    if (pools.some(({ isQuiet }) => !isQuiet)) return false;
    for (const { connection, queues } of pools) {
      const left = await (await this.context.provider(connection)).backlog(queues);
      if (left.ready || left.reserved || left.retrying || (includeDelayed && left.delayed)) return false;
    }
    return pools.every(({ isQuiet }) => isQuiet);
  }

  /** Resolves when a pool may have become quiet, or a while later: another process may have done the work. */
  async somethingChanged(): Promise<void> {
    const changed = new AbortController();
    const ends = this.local().map((pool) => pool.onQuiet(() => changed.abort()));
    await sleep(this.context.clock, idlePollMs, changed.signal);
    for (const end of ends) end();
  }

  private local(): readonly LocalPool[] {
    return [...this.running.map(({ pool }) => pool), ...this.inline.values()];
  }

  private choose(names: readonly string[] | undefined): readonly ResolvedPool[] {
    const { workerPools } = this.context.config;
    if (names === undefined || names.length === 0) return workerPools;
    const known = workerPools.map((pool) => pool.name);
    for (const name of names) {
      if (!known.includes(name))
        throw new RedriveError(
          'OPTIONS_INVALID',
          `There is no worker pool "${name}"${didYouMean(name, known)}; pools: ${known.join(', ')}`,
        );
    }
    return workerPools.filter((pool) => names.includes(pool.name));
  }
}
