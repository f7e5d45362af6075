import { systemClock, type Clock, type Timer } from '../../src/clock.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';

/**
 * The clock by which jobs of one database are timed: the database's own, so that workers on hosts whose clocks differ agree on when a
 * lease ends. A clock that is not the system's is a test's, and is used as it is.
 */
export class StoreClock implements Clock {
  /** Set once the store is open. */
  store: SqlStore | undefined;

  constructor(private readonly given: Clock) {}

  now(): number {
    return this.isReal && this.store !== undefined ? this.store.now() : this.given.now();
  }

  after(ms: number, run: () => void): Timer {
    return this.given.after(ms, run);
  }

  /** Compares with the database again, where that is the clock. */
  async adjust(): Promise<void> {
    if (this.isReal) await this.store?.keepTime();
  }

  private get isReal(): boolean {
    return this.given === systemClock;
  }
}
