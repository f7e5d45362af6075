import { sleep, systemClock } from '../../../../src/clock.ts';
import type { ServerEngine, Trouble } from './engine.ts';

/** How long a script is run again while others are in its way. Others write for milliseconds; this is for one that hangs. */
const contentionPatienceMs = 10_000;
/** How often a script meets a key that was taken between its look and its write, before that is no coincidence any more. */
const mostTaken = 8;
/** How often a script gets another connection: the pool may hold several that died together. */
const mostDisconnected = 4;
const firstPauseMs = 2;
const longestPauseMs = 100;

/** Runs `attempt` again while what it throws may pass by itself. Jitter keeps two that met from meeting again. Throws coded errors. */
export async function patiently<T>(
  engine: Pick<ServerEngine, 'troubleOf' | 'explain'>,
  location: string,
  attempt: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const met: Record<Trouble, number> = { contention: 0, taken: 0, disconnected: 0 };
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await attempt();
    } catch (error) {
      const trouble = engine.troubleOf(error);
      if (trouble === undefined) throw engine.explain(error, location);
      met[trouble] += 1;
      const isOver = performance.now() - started > contentionPatienceMs || met.taken >= mostTaken || met.disconnected >= mostDisconnected;
      if (isOver) throw engine.explain(error, location);
    }
    await sleep(systemClock, pauseMs * (0.5 + Math.random() / 2));
  }
}
