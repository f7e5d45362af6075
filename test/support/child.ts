import { fork, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

// Run from the sources, so that no test sees an old build: jiti compiles what it loads and keeps it by the hash of its text.
const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url));

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that a test started from a TypeScript file, and that talks to it in messages. Never outlives the test. */
export class Child<Message> {
  readonly messages: Message[] = [];
  readonly ended: Promise<ChildEnd>;
  private readonly process: ChildProcess;
  private readonly watchers = new Set<() => void>();
  private end: ChildEnd | undefined;
  private output = '';

  /** `script` is the path of the file; `given` reaches it as JSON, see `in-child.ts`. */
  constructor(script: URL, given: unknown) {
    this.process = fork(jiti, [fileURLToPath(script), JSON.stringify(given)], { execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.process.on('message', (message) => {
      this.messages.push(message as Message);
      this.wake();
    });
    this.ended = new Promise((resolve) => {
      this.process.on('close', (code, signal) => {
        this.end = { code, signal };
        this.wake();
        resolve(this.end);
      });
    });
    onTestFinished(async () => void (await this.kill()));
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  get isAlive(): boolean {
    return this.end === undefined;
  }

  /** Everything it wrote to stdout and stderr. */
  get printed(): string {
    return this.output;
  }

  /** The first message for which `holds`, once it is there. Rejects when the process ends without it. */
  async says(what: string, holds: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.messages.find(holds);
      if (found !== undefined) return found;
      if (this.end !== undefined)
        throw new Error(`Process ${this.pid} ended (${JSON.stringify(this.end)}) before it said: ${what}\n${this.output}`);
      await this.news();
    }
  }

  /** Resolves at the next message, or when the process ends. */
  news(): Promise<void> {
    return new Promise((resolve) => {
      const watch = (): void => {
        this.watchers.delete(watch);
        resolve();
      };
      this.watchers.add(watch);
    });
  }

  send(message: object): void {
    this.process.send(message);
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Resolves once a SIGSTOP has taken effect (seen in /proc where there is one). */
  async isStopped(): Promise<void> {
    const status = `/proc/${this.pid}/status`;
    while (existsSync(status) && !/^State:\s+T/m.test(readFileSync(status, 'utf8'))) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Ends the process without giving it a chance to do anything. */
  kill(): Promise<ChildEnd> {
    if (this.end === undefined) this.process.kill('SIGKILL');
    return this.ended;
  }

  private wake(): void {
    for (const watch of this.watchers) watch();
  }
}
