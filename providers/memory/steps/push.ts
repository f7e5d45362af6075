import { RedriveError } from '../../../src/errors.ts';
import type { JobEnvelope } from '../../../src/provider/queue-provider.ts';
import type { Memory } from '../memory.ts';

/** Stores jobs in the order of the list: ready at once, or waiting for their delay. All or none. */
export function push({ jobs }: Memory, queue: string, envelopes: readonly JobEnvelope[], now: number): void {
  const ids = new Set<string>();
  for (const { id } of envelopes) {
    if (ids.has(id) || jobs.find(id) !== undefined) throw new RedriveError('OPTIONS_INVALID', `There is a job of id ${id} already; each has an id of its own`);
    ids.add(id);
  }
  for (const { id, name, memento, priority, delayMs } of envelopes) {
    const job = jobs.add({ id, name, memento, priority, queue, createdAt: now, run: 1 });
    if (delayMs === 0) jobs.makeReady(job);
    else jobs.wait(job, now + delayMs);
  }
}
