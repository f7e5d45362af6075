import type { ResolvedConfig, ResolvedPool } from './resolved.ts';

/** The pool of the config that works a queue; where there is none, one of the config's defaults that bears the connection's name. */
export function servingPool(
  { workerPools, workerDefaults }: Pick<ResolvedConfig, 'workerPools' | 'workerDefaults'>,
  connection: string,
  queue: string,
): ResolvedPool {
  const pools = workerPools.filter((pool) => pool.connection === connection);
  const serving = pools.find(({ queues }) => queues.includes(queue)) ?? pools.find(({ queues }) => queues.includes('*'));
  return serving ?? { ...workerDefaults, name: connection, connection, queues: [queue], quantity: 1 };
}
