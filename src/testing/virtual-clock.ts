import { performance } from 'node:perf_hooks';
import { setImmediate, setTimeout } from 'node:timers';
import { durationMs, type Duration } from '../duration.ts';
import type { Clock, Timer } from '../clock.ts';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Turns of the event loop after each timer: enough for what a timer sets going to come to rest on an in-process store. */
const turnsToSettle = 12;

/** How long, in real time, the clock waits for something outside of the process. */
const patienceMs = 2_000;

export interface VirtualClockOptions {
  /**
   * Whether something outside of the process, such as a database server, is at work for what the clock has set going: it waits for that
   * before it moves on. Default: nothing is.
   */
  readonly isBusy?: () => boolean;
}

/** A clock that stands still until a test moves it. Timers run in order, each at its own time. */
export class VirtualClock implements Clock {
  private time: number;
  private readonly isBusy: () => boolean;
  private order = 0;
  private readonly pending = new Set<Pending>();

  constructor(startAt: Date = new Date('2026-01-01T00:00:00Z'), options: VirtualClockOptions = {}) {
    this.time = startAt.getTime();
    this.isBusy = options.isBusy ?? (() => false);
  }

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): Timer {
    // Whole milliseconds, as any clock's: databases keep times as integers.
    const timer: Pending = { at: this.time + Math.ceil(Math.max(ms, 0)), order: this.order++, run };
    this.pending.add(timer);
    return { cancel: () => void this.pending.delete(timer) };
  }

  /** Moves time on, running every timer on the way, and lets what they set going come to rest. */
  async advance(duration: Duration): Promise<void> {
    const target = this.time + durationMs(duration);
    // Nothing has to be waited for where time does not move on.
    const settle = target === this.time ? turns : (): Promise<void> => this.rest();
    await settle();
    for (let next = this.nextUntil(target); next !== undefined; next = this.nextUntil(target)) {
      this.pending.delete(next);
      this.time = Math.max(this.time, next.at);
      next.run();
      await settle();
    }
    // Two that move it at a time never move it back.
    this.time = Math.max(this.time, target);
    await settle();
  }

  /** Resolves when nothing has been at work for some turns of the event loop; time stands still. */
  async rest(): Promise<void> {
    const started = performance.now();
    await turns();
    while (this.isBusy() && performance.now() - started < patienceMs) {
      await new Promise<void>((resolve) => void setTimeout(resolve, 1));
      if (!this.isBusy()) await turns();
    }
  }

  private nextUntil(target: number): Pending | undefined {
    let found: Pending | undefined;
    for (const timer of this.pending) {
      if (timer.at > target) continue;
      if (found === undefined || timer.at < found.at || (timer.at === found.at && timer.order < found.order)) found = timer;
    }
    return found;
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < turnsToSettle; turn++) await new Promise<void>((resolve) => void setImmediate(resolve));
}
