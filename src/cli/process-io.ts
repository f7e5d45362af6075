import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import type { DetachedFault, Io, Signals, StopSignal } from './io.ts';

const stopSignals: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];
const detachedFaults: readonly DetachedFault[] = ['unhandledRejection', 'uncaughtException'];

/** The real process as an {@link Io}. `ownStdout`: nothing but the command's output gets to stdout. */
export function processIo(options: { readonly ownStdout: boolean }): Io {
  const isTty = { stdin: isatty(0), stdout: isatty(1), stderr: isatty(2) };
  return {
    stdin: process.stdin,
    stdout: options.ownStdout ? takeStdout() : process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    isTty,
    columns: isTty.stdout ? process.stdout.columns : columnsOf(process.env['COLUMNS']),
    signals: processSignals,
  };
}

/** Leaves stdout to the returned stream. What a config file or a job prints there goes to stderr, or it would end up amid a JSON document. */
function takeStdout(): Writable {
  const write = process.stdout.write.bind(process.stdout);
  // What becomes of a write is told to the stream that made it.
  process.stdout.on('error', () => undefined);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return new Writable({ write: (chunk: Buffer, _encoding, done) => void write(chunk, done) });
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
