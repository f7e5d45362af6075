import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { ChildEnd } from './child.ts';

const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url));
const bin = fileURLToPath(new URL('../../bin/redrive.ts', import.meta.url));

/** The `redrive` command as a process of its own, run from the sources. Never outlives the test. */
export class Command {
  stdout = '';
  stderr = '';
  readonly ended: Promise<ChildEnd>;
  private readonly process: ChildProcess;
  private readonly watchers = new Set<() => void>();
  private hasEnded = false;

  constructor(...argv: readonly string[]) {
    const child = spawn(process.execPath, [jiti, bin, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    child.stdout.on('data', (chunk: Buffer) => this.heard(() => (this.stdout += chunk.toString())));
    child.stderr.on('data', (chunk: Buffer) => this.heard(() => (this.stderr += chunk.toString())));
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.heard(() => (this.hasEnded = true));
        resolve({ code, signal });
      });
    });
    onTestFinished(async () => {
      this.signal('SIGKILL');
      await this.ended;
    });
  }

  /** What it wrote to stderr but for how far it is, which it tells now and then. */
  get faults(): string {
    return this.stderr.replace(/^Bulk retry \d+: .*\n/gm, '');
  }

  /** Resolves once what it wrote to stdout holds this text. */
  async shows(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.hasEnded) throw new Error(`It ended before it showed "${text}":\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((resolve) => this.watchers.add(resolve));
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.hasEnded) this.process.kill(signal);
  }

  private heard(note: () => unknown): void {
    note();
    for (const watch of this.watchers) watch();
    this.watchers.clear();
  }
}

/** What `--database` takes to lead to a database, by the properties of a connection. */
export function databaseFlag({ client, connection }: Readonly<Record<string, unknown>>): string {
  const { filename, host, port, user, database } = connection as Readonly<Record<string, string>>;
  return client === 'better-sqlite3' ? filename! : `${client === 'pg' ? 'postgres' : 'mysql'}://${user}@${host}:${port}/${database}`;
}
