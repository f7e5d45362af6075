import type { Memory } from '../memory.ts';

/** Ended jobs removed by one step: brief enough not to hold up the process, and more than one step adds. */
const removedAtOnce = 1_000;

/** How long a retry may take from its look at the record of a failed job to its move. */
const graveMs = 60_000;

/** Removes completed and cancelled jobs whose time is over, some at a time. */
export function forgetEnded(
  { jobs, attempts, graves }: Memory,
  { now, keepCompletedMs }: { readonly now: number; readonly keepCompletedMs: number },
): void {
  for (const { id, run } of jobs.removeEnded(now - keepCompletedMs, removedAtOnce)) {
    // Of a job that was never in a failed-jobs log nobody can ask for the attempts any more.
    if (run === 1) attempts.forget(id);
  }
  for (const [id, at] of graves) {
    // In the order of their making.
    if (now - at < graveMs) break;
    graves.delete(id);
  }
}
