import { Cron } from 'croner';

/** The times of a cron expression, in UTC: the processes of a fleet must agree on them, wherever they are. */
export interface Schedule {
  /** The latest time up to and including this one; epoch ms. */
  latest(at: number): number | undefined;
  /** The first time after this one. */
  next(after: number): number | undefined;
}

/** Throws what is wrong with the expression. Five parts, minutes first, or a nickname such as `@daily`. */
export function parseCron(expression: string): Schedule {
  // Without a function it never starts a timer.
  const cron = new Cron(expression, { mode: '5-part', timezone: 'UTC', paused: true });
  const schedule: Schedule = {
    // It looks before the time given, and in whole seconds.
    latest: (at) => cron.previousRuns(1, new Date(Math.floor(at / 1_000) * 1_000 + 1_000))[0]?.getTime(),
    next: (after) => cron.nextRun(new Date(after))?.getTime(),
  };
  if (schedule.next(Date.UTC(2024, 0, 1)) === undefined) throw new Error('it names no time that ever comes');
  return schedule;
}
