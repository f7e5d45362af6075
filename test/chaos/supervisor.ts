import { onTestFinished } from 'vitest';
import { stopped, type Worker } from '../crash/scene.ts';

/** Keeps a number of workers alive: whoever dies is replaced. */
export class Supervisor {
  readonly all: Worker[] = [];
  private done = false;

  constructor(
    private readonly count: number,
    private readonly hire: () => Worker,
  ) {
    for (let n = 0; n < count; n += 1) this.take();
  }

  get alive(): readonly Worker[] {
    return this.all.filter((worker) => worker.isAlive);
  }

  /** How many have died so far. */
  get dead(): number {
    return this.all.length - this.count;
  }

  /** Attempts begun so far, by what the workers said. */
  get started(): number {
    return this.all.reduce((sum, { messages }) => sum + messages.filter(({ said }) => said === 'started').length, 0);
  }

  /** Waits until something holds; looks whenever a worker says something or dies. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await Promise.race(this.alive.map((worker) => worker.news()));
  }

  async stop(): Promise<void> {
    this.done = true;
    for (const worker of this.alive) {
      await worker.says('it is ready', ({ said }) => said === 'ready');
      await stopped(worker);
    }
  }

  private take(): void {
    const worker = this.hire();
    this.all.push(worker);
    // A test that failed does not come to its `stop`: nobody replaces those who end with it. What was asked for last is done first.
    onTestFinished(() => void (this.done = true));
    void worker.ended.then(() => this.done || this.take());
  }
}
