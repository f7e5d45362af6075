import { AsyncProvider } from '../../providers/async/index.ts';
import { decodeMemento } from '../job/memento.ts';
import { noCapabilities, type Capabilities } from '../provider/capabilities.ts';
import type { Reservation } from '../provider/pull-provider.ts';
import type { Backlog, JobEnvelope, StopWorker } from '../provider/queue-provider.ts';
import { unsaid, type DispatchedJobs } from './dispatched-jobs.ts';

// A provider that cannot do something refuses it, and what a fake stands for may well be able to.
const able = Object.fromEntries(Object.keys(noCapabilities).map((name) => [name, true])) as unknown as Capabilities;
const everything: Capabilities = Object.freeze({ ...able, durable: false });

/** Takes jobs and never hands one out: they can be looked up, cancelled and counted, and stay where they are. */
export class FakeProvider extends AsyncProvider {
  override readonly capabilities: Capabilities = everything;

  constructor(private readonly dispatched: DispatchedJobs) {
    super();
  }

  override async push(queue: string, jobs: readonly JobEnvelope[]): Promise<readonly string[]> {
    // Without the transaction: whether it is committed is not the fake's to know.
    const ids = await super.push(queue, jobs, {});
    for (const [position, { id, name, memento }] of jobs.entries()) {
      const isHeld = ids[position] !== id;
      if (!isHeld)
        this.dispatched.add({
          id,
          name,
          properties: decodeMemento(memento).properties,
          options: unsaid,
          connection: this.context.name,
          queue,
        });
    }
    return ids;
  }

  override async reserve(): Promise<Reservation> {
    return { jobs: [] };
  }

  override async startWorker(): Promise<StopWorker> {
    return async () => {};
  }

  /** Nothing that anybody would have to wait for. */
  override async backlog(): Promise<Backlog> {
    return { ready: false, reserved: false, retrying: false, delayed: false };
  }
}
