import type { Logger } from '../logger.ts';
import { signalExitCode, type ExitCode } from './faults.ts';
import type { Signals } from './io.ts';

/** Whether a running command was told to stop, and how it is to exit. */
export interface StopRequest {
  readonly exitCode: ExitCode;
  /** Waits for the work (undefined: for ever), but no longer than until the stop; undefined is then the answer. */
  unless<T>(work: Promise<T> | undefined): Promise<T | undefined>;
  close(): void;
}

/**
 * Listens for what ends a long-running command: a first signal asks for a graceful stop, a second ends the process.
 * A rejection that no code awaited is some job's stray promise: the log says so and work goes on. After an exception
 * that no code caught nothing is certain any more: a graceful stop, exit 1.
 */
export function listenForStop(signals: Signals, log: Logger, waitsUntil = 'the running jobs have ended'): StopRequest {
  let stop = (): void => undefined;
  const stopped = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  let asked = false;
  let exitCode: ExitCode = 0;
  // Redrive's own timers never keep a process alive; until the stop, this one does.
  const alive = setInterval(() => undefined, 2 ** 30);

  const offStop = signals.onStop((signal) => {
    if (asked) return signals.exitNow(signalExitCode[signal]);
    asked = true;
    log.info({ signal }, `${signal}: stopping once ${waitsUntil}; a second signal stops at once`);
    stop();
  });
  const offFault = signals.onFault((kind, reason) => {
    if (kind === 'unhandledRejection') return log.error({ err: reason }, 'A promise was rejected and nobody awaited it; work goes on');
    exitCode = 1;
    log.fatal({ err: reason }, 'An exception was thrown outside of any job; stopping');
    stop();
  });

  return {
    get exitCode() {
      return exitCode;
    },
    async unless(work) {
      // Once the stop has won, the work's own end is of no interest any more.
      work?.catch(() => undefined);
      return Promise.race([stopped, ...(work === undefined ? [] : [work])]);
    },
    close() {
      clearInterval(alive);
      offStop();
      offFault();
    },
  };
}
