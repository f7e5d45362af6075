import { Readable, Writable } from 'node:stream';
import type { Services } from '../../src/cli/cli.ts';
import type { DetachedFault, Io, StopSignal } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/main.ts';

export interface TerminalOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Buffer | Readable;
  /** Width; also makes stdin, stdout and stderr terminals. */
  readonly columns?: number;
  readonly services?: Services;
  readonly stdout?: Writable;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A stand-in for the process around a command: its streams, its terminal, and the signals sent to it. */
export class Terminal {
  readonly exits: number[] = [];
  private readonly stopListeners = new Set<(signal: StopSignal) => void>();
  private readonly faultListeners = new Set<(kind: DetachedFault, reason: unknown) => void>();
  private readonly written = { stdout: '', stderr: '' };
  private readonly watchers = new Set<() => void>();
  private readonly options: TerminalOptions;

  constructor(options: TerminalOptions = {}) {
    this.options = options;
  }

  get stdout(): string {
    return this.written.stdout;
  }

  get stderr(): string {
    return this.written.stderr;
  }

  /** How many listeners a command has left behind. */
  get listeners(): number {
    return this.stopListeners.size + this.faultListeners.size;
  }

  send(signal: StopSignal): void {
    for (const listener of this.stopListeners) listener(signal);
  }

  fault(kind: DetachedFault, reason: unknown): void {
    for (const listener of this.faultListeners) listener(kind, reason);
  }

  /** Resolves once what was written holds the text. */
  async shows(text: string): Promise<void> {
    while (!this.stdout.includes(text) && !this.stderr.includes(text)) {
      await new Promise<void>((resolve) => {
        const watch = (): void => {
          this.watchers.delete(watch);
          resolve();
        };
        this.watchers.add(watch);
      });
    }
  }

  async run(...argv: string[]): Promise<Ran> {
    const code = await runCli(argv, this.io(), ...(this.options.services === undefined ? [] : [this.options.services]));
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  io(): Io {
    const { columns, stdin = '' } = this.options;
    const isTty = columns !== undefined;
    return {
      stdin: stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)]),
      stdout: this.options.stdout ?? this.stream('stdout'),
      stderr: this.stream('stderr'),
      env: this.options.env ?? { USER: 'tester' },
      cwd: this.options.cwd ?? process.cwd(),
      isTty: { stdin: isTty, stdout: isTty, stderr: isTty },
      columns,
      signals: {
        onStop: (listener) => listen(this.stopListeners, listener),
        onFault: (listener) => listen(this.faultListeners, listener),
        exitNow: (code) => void this.exits.push(code),
      },
    };
  }

  private stream(name: 'stdout' | 'stderr'): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.written[name] += chunk.toString();
        for (const watch of this.watchers) watch();
        done();
      },
    });
  }
}

function listen<Listener>(listeners: Set<Listener>, listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** One command line, run in-process. */
export function redrive(argv: readonly string[], options: TerminalOptions = {}): Promise<Ran> {
  return new Terminal(options).run(...argv);
}
