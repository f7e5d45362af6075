import type { Memory } from '../memory.ts';

/** Ended jobs removed by one step: brief enough not to hold up the process, and more than one step adds. */
const removedAtOnce = 1_000;

/** Removes completed and cancelled jobs whose time is over, some at a time. */
export function forgetEnded(
  { jobs, attempts }: Memory,
  { now, keepCompletedMs }: { readonly now: number; readonly keepCompletedMs: number },
): void {
  for (const { id, run } of jobs.removeEnded(now - keepCompletedMs, removedAtOnce)) {
    // Of a job that was never in a failed-jobs log nobody can ask for the attempts any more.
    if (run === 1) attempts.forget(id);
  }
}
