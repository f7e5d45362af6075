import type { Readable, Writable } from 'node:stream';

/** Everything a command touches of the outside world, so that a test runs it in-process. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly isTty: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** Width of the terminal; undefined where output goes to a file or a program. */
  readonly columns: number | undefined;
  readonly signals: Signals;
}

export type StopSignal = 'SIGINT' | 'SIGTERM';
export type DetachedFault = 'unhandledRejection' | 'uncaughtException';

/** What reaches a process from outside of its own calls. */
export interface Signals {
  /** Called for each SIGINT and SIGTERM, in place of the default death; returns the end of listening. */
  onStop(listener: (signal: StopSignal) => void): () => void;
  /** Called for errors that no code caught; returns the end of listening. */
  onFault(listener: (kind: DetachedFault, reason: unknown) => void): () => void;
  /** Ends the process without waiting for anything. */
  exitNow(code: number): void;
}
