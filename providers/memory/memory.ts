import { Announcements } from './announcements.ts';
import { Attempts } from './attempts.ts';
import { Jobs } from './jobs.ts';
import { MemoryFailureLog } from './memory-failure-log.ts';
import { Sessions } from './sessions.ts';

/**
 * What one process keeps of its jobs, and of those that failed. Each provider makes its own; given the same one in
 * their `properties`, several connections, or several Redrives of a process, share their jobs.
 *
 * @example
 * const memory = new Memory();
 * const connections = { default: { provider: AsyncProvider, properties: { memory } } };
 */
export class Memory {
  // Everything here is moved by synchronous steps (`steps/`), in which nothing can slip in: that is what a transaction is elsewhere.
  readonly jobs = new Jobs();
  readonly sessions = new Sessions();
  readonly attempts = new Attempts();
  readonly announcements = new Announcements();
  /** The failed-jobs log where it is kept in memory. */
  readonly failureLog = new MemoryFailureLog();
  /** Jobs that were forgotten a moment ago, and when: what has looked at their record before must not make them anew. */
  readonly graves = new Map<string, number>();
  private readonly wakers = new Set<() => void>();

  /** Calls `wake` when jobs may have become ready; returns how to stop it. */
  onWake(wake: () => void): () => void {
    this.wakers.add(wake);
    return () => void this.wakers.delete(wake);
  }

  wake(): void {
    for (const wake of this.wakers) wake();
  }
}
