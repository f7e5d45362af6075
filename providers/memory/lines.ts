import type { QueueStats } from '../../src/provider/queue-provider.ts';
import { Heap } from './heap.ts';
import type { MemoryJob } from './jobs.ts';

/** One queue: its ready jobs in the order they are handed out, and how many are elsewhere. */
export interface Line {
  readonly queue: string;
  readonly ready: Heap<MemoryJob>;
  reserved: number;
  /** Waiting for another attempt. */
  retrying: number;
  /** Waiting for the delay they were stored with. */
  delayed: number;
  failed: number;
  /** Since the memory was made. */
  completed: number;
}

/** The lines of all queues that hold or held jobs. */
export class Lines {
  private readonly byQueue = new Map<string, Line>();
  /** By name, which is their order where a pool serves every queue. */
  private sorted: readonly Line[] = [];
  private readonly paused = new Set<string>();

  of(queue: string): Line {
    const known = this.byQueue.get(queue);
    if (known !== undefined) return known;
    const ready = new Heap<MemoryJob>(comesBefore);
    const line: Line = { queue, ready, reserved: 0, retrying: 0, delayed: 0, failed: 0, completed: 0 };
    this.byQueue.set(queue, line);
    this.sorted = [...this.sorted, line].toSorted((a, b) => (a.queue < b.queue ? -1 : 1));
    return line;
  }

  /** The lines a pool is served from, in its order of precedence, without the paused ones. */
  served(queues: readonly string[]): readonly Line[] {
    const lines = queues.includes('*') ? this.sorted : queues.flatMap((queue) => this.byQueue.get(queue) ?? []);
    return this.paused.size === 0 ? lines : lines.filter(({ queue }) => !this.paused.has(queue));
  }

  /** False where it was paused already. */
  pause(queue: string): boolean {
    const isNews = !this.paused.has(queue);
    // Also one that never held a job is then in the statistics.
    this.of(queue);
    this.paused.add(queue);
    return isNews;
  }

  /** False where it was not paused. */
  resume(queue: string): boolean {
    return this.paused.delete(queue);
  }

  stats(queue: string | undefined, now: number): readonly QueueStats[] {
    const lines = queue === undefined ? this.sorted : this.sorted.filter((line) => line.queue === queue);
    return lines.map((line) => ({ ...statsOf(line, now), ...(this.paused.has(line.queue) ? { paused: true as const } : {}) }));
  }
}

/** The order in which ready jobs are handed out. */
export function comesBefore(a: MemoryJob, b: MemoryJob): boolean {
  return a.priority > b.priority || (a.priority === b.priority && a.readySeq < b.readySeq);
}

function statsOf({ queue, ready, reserved, retrying, delayed, failed, completed }: Line, now: number): QueueStats {
  let oldest = Number.POSITIVE_INFINITY;
  for (const { availableAt } of ready) oldest = Math.min(oldest, availableAt);
  const oldestReadyAge = ready.size === 0 ? null : Math.max(now - oldest, 0) / 1_000;
  return { queue, ready: ready.size, delayed: retrying + delayed, reserved, failed, completed, oldestReadyAge };
}
