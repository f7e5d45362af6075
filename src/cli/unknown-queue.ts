import { didYouMean } from '../config/nearest.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { Output } from './output.ts';

/**
 * Says on stderr that no pool of the config serves a queue: it is more likely misspelt than meant. Nothing is said where
 * a pool serves every queue, or where the config has no pools to compare with.
 */
export function warnOfUnknownQueue(queue: string, config: ResolvedConfig, out: Output): void {
  const served = new Set(config.workerPools.flatMap((pool) => pool.queues));
  if (served.size === 0 || served.has('*') || served.has(queue)) return;
  out.fault(
    `redrive: warning: no worker pool of this config serves queue ${queue}${didYouMean(queue, served)}; they serve ${[...served].join(', ')}`,
  );
}
