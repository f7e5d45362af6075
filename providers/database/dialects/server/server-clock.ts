import { performance } from 'node:perf_hooks';

/**
 * The database's clock, told from this process's monotonic clock and the difference between the two. So it is right
 * however wrong the host's wall clock is, and costs no round trip.
 */
export class ServerClock {
  private offsetMs: number | undefined;
  /** How far off the offset may be. */
  private errorMs = 0;

  /** `elapsed`: ms since some instant, by a clock that nobody sets. */
  constructor(private readonly elapsed: () => number = () => performance.now()) {}

  /** Epoch ms. */
  now(): number {
    if (this.offsetMs === undefined) throw new TypeError('ServerClock: measure() comes first');
    return Math.round(this.elapsed() + this.offsetMs);
  }

  /** Asks the server for its time. It was read somewhere between question and answer, so the middle is off by half of that at most. */
  async measure(ask: () => Promise<number>): Promise<void> {
    const asked = this.elapsed();
    const answer = await ask();
    const errorMs = (this.elapsed() - asked) / 2;
    const offsetMs = answer - (asked + errorMs);
    // One that agrees with the last one and is no better says nothing new: taking it would only make the clock tremble.
    const agrees = this.offsetMs !== undefined && Math.abs(offsetMs - this.offsetMs) <= this.errorMs + errorMs;
    if (agrees && errorMs >= this.errorMs) return;
    this.offsetMs = offsetMs;
    this.errorMs = errorMs;
  }
}
