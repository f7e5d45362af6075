import { sleep } from '../clock.ts';
import { didYouMean } from '../config/nearest.ts';
import type { ResolvedPool } from '../config/resolved.ts';
import { RedriveError } from '../errors.ts';
import { PullProvider } from '../provider/pull-provider.ts';
import type { QueueProvider, StopWorker } from '../provider/queue-provider.ts';
import type { WorkerContext } from './worker-context.ts';
import { WorkerPool, type PoolHealth } from './worker-pool.ts';

/** How often an idle wait looks again where nobody tells it that something changed. */
const idlePollMs = 50;

interface Running {
  readonly pool: WorkerPool;
  readonly stop: StopWorker;
}

/** All worker pools of this process. */
export class WorkerPools {
  private readonly running: Running[] = [];

  constructor(
    private readonly configs: readonly ResolvedPool[],
    private readonly context: WorkerContext,
    /** The provider of a connection, open. */
    private readonly open: (connection: string) => Promise<QueueProvider>,
  ) {}

  /** Starts the pools named, or all. Throws `OPTIONS_INVALID` for a name there is not. */
  async start(names: readonly string[] | undefined): Promise<void> {
    try {
      for (const config of this.choose(names)) {
        const provider = await this.open(config.connection);
        const pool = new WorkerPool(config, this.context);
        this.running.push({ pool, stop: await provider.startWorker(pool) });
      }
    } catch (error) {
      // All or none: a second call must not start the first pools twice.
      await this.stop({ timeoutMs: 0 });
      throw error;
    }
  }

  /** Works at most one job; resolves with whether there was one. */
  async workOnce(names: readonly string[] | undefined): Promise<boolean> {
    for (const config of this.choose(names)) {
      const provider = await this.open(config.connection);
      if (!(provider instanceof PullProvider))
        throw new RedriveError('CAPABILITY_MISSING', `Connection "${config.connection}" hands out no single jobs; use start()`);
      if (await new WorkerPool({ ...config, quantity: 1 }, this.context).workOnce(provider)) return true;
    }
    return false;
  }

  /** `lingering` resolves when jobs that ignore their signal have ended; undefined where there are none. */
  async stop(options: { timeoutMs?: number }): Promise<{ readonly lingering: Promise<unknown> | undefined }> {
    const stopped = this.running.splice(0);
    const stops = await Promise.allSettled(stopped.map(({ stop }) => stop(options)));
    for (const stop of stops)
      if (stop.status === 'rejected') this.context.logger.error({ err: stop.reason as unknown }, 'A pool did not stop cleanly');
    const lingering = stopped.filter(({ pool }) => !pool.isQuiet);
    return { lingering: lingering.length === 0 ? undefined : Promise.all(lingering.map(({ pool }) => pool.quiet())) };
  }

  /** Tells the pool that runs a job, if one does, to cancel it. */
  cancel(jobId: string, reason: string): void {
    for (const { pool } of this.running) pool.cancel(jobId, reason);
  }

  health(): Readonly<Record<string, PoolHealth>> {
    return Object.fromEntries(this.running.map(({ pool }) => [pool.name, pool.health()]));
  }

  /** True when nothing is ready, running or waiting for a retry on the pools' queues. */
  async isIdle(includeDelayed: boolean): Promise<boolean> {
    if (this.running.some(({ pool }) => !pool.isQuiet)) return false;
    for (const { pool } of this.running) {
      const left = await (await this.open(pool.connection)).backlog(pool.queues);
      if (left.ready || left.reserved || left.retrying || (includeDelayed && left.delayed)) return false;
    }
    return this.running.every(({ pool }) => pool.isQuiet);
  }

  /** Resolves when a pool may have become quiet, or a while later: another process may have done the work. */
  async somethingChanged(): Promise<void> {
    const changed = new AbortController();
    const ends = this.running.map(({ pool }) => pool.onQuiet(() => changed.abort()));
    await sleep(this.context.clock, idlePollMs, changed.signal);
    for (const end of ends) end();
  }

  private choose(names: readonly string[] | undefined): readonly ResolvedPool[] {
    if (names === undefined || names.length === 0) return this.configs;
    const known = this.configs.map((pool) => pool.name);
    for (const name of names) {
      if (!known.includes(name))
        throw new RedriveError(
          'OPTIONS_INVALID',
          `There is no worker pool "${name}"${didYouMean(name, known)}; pools: ${known.join(', ')}`,
        );
    }
    return this.configs.filter((pool) => names.includes(pool.name));
  }
}
