import { noCapabilities, type Capabilities } from '../../src/provider/capabilities.ts';
import type { ProviderContext, QueueStats, StopWorker, StoredJob } from '../../src/provider/queue-provider.ts';
import { MemoryProvider } from '../memory/memory-provider.ts';
import type { MemoryProperties } from '../memory/properties.ts';
import { readProperties } from './properties.ts';

/**
 * Runs each job where it is dispatched: its delay, its attempts and their backoff pass before `dispatch` returns, which
 * rejects with what the last attempt threw once the failure is on record. For development, scripts and tests. What is
 * known of the jobs is in this process's memory.
 */
export class SyncProvider extends MemoryProvider {
  override readonly capabilities: Capabilities = Object.freeze({
    ...noCapabilities,
    multipleQueues: true,
    delay: true,
    priority: true,
    cancel: true,
    status: true,
    unique: true,
    durableStart: true,
  });

  /** The jobs run one at a time in the order of their queue, each to its end. */
  override async afterPush(jobIds: readonly string[]): Promise<readonly unknown[]> {
    const byQueue = new Map<string, string[]>();
    for (const id of jobIds) {
      const queue = this.memory.jobs.find(id)?.line.queue;
      if (queue !== undefined) byQueue.set(queue, [...(byQueue.get(queue) ?? []), id]);
    }
    const thrown: unknown[] = [];
    for (const [queue, ids] of byQueue) thrown.push(...(await this.context.workHere(queue, ids)));
    return thrown;
  }

  /** A pool says how jobs are worked, and has no jobs to fetch. */
  override async startWorker(): Promise<StopWorker> {
    return async () => {};
  }

  // No pool comes by to clean up: that is done when somebody looks.

  override async find(jobId: string): Promise<StoredJob | undefined> {
    await this.maintain();
    return super.find(jobId);
  }

  override async stats(queue?: string): Promise<readonly QueueStats[]> {
    await this.maintain();
    return super.stats(queue);
  }

  protected override readProperties({ name, properties }: ProviderContext): MemoryProperties {
    return readProperties(name, properties);
  }
}
