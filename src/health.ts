import type { Connections } from './connections.ts';
import type { PoolHealth } from './worker/worker-pool.ts';
import type { WorkerPools } from './worker/worker-pools.ts';

export interface ConnectionHealth {
  readonly ok: boolean;
  /** Failures recorded, but not yet told to everybody. */
  readonly untold: number;
  /** Queues of which nothing is handed out; left out where there are none. */
  readonly paused?: readonly string[];
  readonly error?: string;
}

export interface Health {
  readonly ok: boolean;
  readonly connections: Readonly<Record<string, ConnectionHealth>>;
  readonly pools: Readonly<Record<string, PoolHealth>>;
}

/** Asks every connection and every started pool. Never throws: what is wrong stands in the answer. */
export async function healthOf(names: Iterable<string>, connections: Connections, pools: WorkerPools): Promise<Health> {
  const byName: Record<string, ConnectionHealth> = {};
  for (const name of names) {
    byName[name] = await connections
      .open(name)
      .then(async (provider) => {
        const paused = await provider.pausedQueues();
        return { ok: true, untold: await provider.untold(), ...(paused.length === 0 ? {} : { paused }) };
      })
      .catch((error: unknown) => ({ ok: false, untold: 0, error: error instanceof Error ? error.message : String(error) }));
  }
  const byPool = pools.health();
  const ok = Object.values(byName).every((one) => one.ok) && Object.values(byPool).every((one) => one.ok);
  return { ok, connections: byName, pools: byPool };
}
