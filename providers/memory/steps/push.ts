import { RedriveError } from '../../../src/errors.ts';
import type { JobEnvelope } from '../../../src/provider/queue-provider.ts';
import type { Memory } from '../memory.ts';

/**
 * Stores jobs in the order of the list, all or none: ready at once, or waiting for their delay. Returns their ids; for
 * one whose unique key is held, nothing is stored and the id is the holder's.
 */
export function push({ jobs }: Memory, queue: string, envelopes: readonly JobEnvelope[], now: number): readonly string[] {
  const ids = new Set<string>();
  for (const { id } of envelopes) {
    if (ids.has(id) || jobs.find(id) !== undefined)
      throw new RedriveError('OPTIONS_INVALID', `There is a job of id ${id} already; each has an id of its own`);
    ids.add(id);
  }
  return envelopes.map(({ id, name, memento, priority, delayMs, unique }) => {
    const holder = unique === undefined ? undefined : jobs.holderOf(unique.key);
    if (holder !== undefined) return holder.id;
    const job = jobs.add({ id, name, memento, priority, queue, createdAt: now, run: 1 });
    jobs.hold(job, unique);
    if (delayMs === 0) jobs.makeReady(job, now);
    else jobs.wait(job, now + delayMs);
    return id;
  });
}
