import type { PoolHealth } from './worker-pool.ts';

/** Whatever runs jobs in this process: a pool that fetches them, or a call that waits for its own. */
export interface LocalPool {
  readonly name: string;
  readonly connection: string;
  readonly queues: readonly string[];
  /** True when no job runs here and none is about to. */
  readonly isQuiet: boolean;
  /** Resolves when the code of every job that runs here has ended, whatever that takes. */
  quiet(): Promise<void>;
  /** Calls back whenever it may have become quiet; returns how to stop that. */
  onQuiet(listener: () => void): () => void;
  /** Cancels a job that runs here; the store was told already. */
  cancel(jobId: string, reason: string): void;
  health(): PoolHealth;
}
