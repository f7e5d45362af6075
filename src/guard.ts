import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

/** Settles like `run`, or rejects after `ms`; what `run` does later is nobody's business. 0: no limit. */
export function within<T>(clock: Clock, ms: number, run: () => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = ms > 0 ? clock.after(ms, () => reject(new Error(`It did not end within ${ms} ms and was left behind`))) : undefined;
    void run()
      .then(resolve, reject)
      .finally(() => timer?.cancel());
  });
}

export interface GuardOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0: no limit. */
  readonly patienceMs: number;
}

/** Runs code of a user's so that nothing it throws, and no time it takes, reaches the caller: both are logged. */
export async function guarded(what: string, options: GuardOptions, run: () => unknown): Promise<void> {
  try {
    const pending = run();
    // The ordinary hook is synchronous or absent: no timer is worth its while.
    if (isThenable(pending)) await within(options.clock, options.patienceMs, async () => pending);
  } catch (error) {
    options.logger.error({ err: error, hook: what }, `${what} failed; the job is not affected`);
  }
}

function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
