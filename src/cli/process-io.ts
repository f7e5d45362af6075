import type { DetachedFault, Io, Signals, StopSignal } from './io.ts';

const stopSignals: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];
const detachedFaults: readonly DetachedFault[] = ['unhandledRejection', 'uncaughtException'];

/** The real process as an {@link Io}. */
export function processIo(): Io {
  const isTty = { stdout: process.stdout.isTTY === true, stderr: process.stderr.isTTY === true };
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    isTty,
    columns: isTty.stdout ? process.stdout.columns : columnsOf(process.env['COLUMNS']),
    signals: processSignals,
  };
}

// Shells set COLUMNS for themselves and export it only on request: whoever does that wants this width in a pipe, too.
function columnsOf(text: string | undefined): number | undefined {
  const columns = Number(text);
  return Number.isInteger(columns) && columns > 0 ? columns : undefined;
}

const processSignals: Signals = {
  onStop(listener) {
    for (const signal of stopSignals) process.on(signal, listener);
    return () => {
      for (const signal of stopSignals) process.off(signal, listener);
    };
  },
  onFault(listener) {
    const bound = detachedFaults.map((kind) => ({ kind, run: (reason: unknown) => listener(kind, reason) }));
    for (const { kind, run } of bound) process.on(kind, run);
    return () => {
      for (const { kind, run } of bound) process.off(kind, run);
    };
  },
  exitNow: (code) => process.exit(code),
};
