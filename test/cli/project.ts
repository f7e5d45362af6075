import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Terminal, type Ran, type TerminalOptions } from './terminal.ts';

/** The config of a project: `jobs` fail and succeed in the ways that commands have to tell of. */
const config = `
import { defineConfig, defineJob, Unrecoverable } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';

class MailboxFull extends Error {
  name = 'MailboxFull';
  detail = 'quota 0';
  extendedInfo = { mailbox: 'a@example.com' };
}

const welcome = defineJob({
  name: 'emails.welcome',
  maxAttempts: 3,
  handle: () => { throw new MailboxFull('The mailbox is full', { cause: new TypeError('deeper \\u001b[31mred') }); },
});
const report = defineJob({ name: 'reports.nightly', handle: () => { throw new Unrecoverable('First \\u001b]0;title\\u0007line\\nsecond line'); } });
const ping = defineJob({ name: 'ping', handle: async () => 'pong' });

export default defineConfig({
  connections: { main: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: new URL('app.db', import.meta.url).pathname } } } },
  workerPools: {
    mail: { connection: 'main', queues: ['high', 'default'], quantity: 2 },
    slow: { connection: 'main', queues: ['slow'] },
  },
  jobs: [welcome, report, ping],
  logFailedJobs: true,
  release: 'v7',
});
`;

export interface Project {
  readonly cwd: string;
  redrive(...argv: string[]): Promise<Ran>;
  redriveWith(options: TerminalOptions, ...argv: string[]): Promise<Ran>;
  terminal(options?: TerminalOptions): Terminal;
  write(name: string, text: string | Buffer): string;
  remove(): void;
}

export interface ProjectOptions {
  /** With a SQLite file and its tables; default true. */
  readonly migrated?: boolean;
  /** The text of the config file. */
  readonly config?: string;
  /** Outlives the test that made it; default false. */
  readonly shared?: boolean;
}

/** A folder with a config, gone after the test. */
export async function makeProject(options: ProjectOptions = {}): Promise<Project> {
  const cwd = mkdtempSync(join(tmpdir(), 'redrive-cli-'));
  const remove = (): void => rmSync(cwd, { recursive: true, force: true });
  if (options.shared !== true) onTestFinished(remove);
  const terminal = (given: TerminalOptions = {}): Terminal => new Terminal({ cwd, ...given });
  const project: Project = {
    cwd,
    terminal,
    remove,
    redrive: (...argv) => terminal().run(...argv),
    redriveWith: (given, ...argv) => terminal(given).run(...argv),
    write(name, text) {
      writeFileSync(join(cwd, name), text);
      return join(cwd, name);
    },
  };
  project.write('redrive.config.ts', options.config ?? config);
  if (options.migrated !== false) await project.redrive('migrate');
  return project;
}

/** The JSON document a command printed. */
export function documentOf(ran: Ran): unknown {
  return JSON.parse(ran.stdout);
}

/** Dispatches a job and returns its id. */
export async function dispatched(project: Project, ...argv: string[]): Promise<string> {
  const { ids } = documentOf(await project.redrive('dispatch', ...argv, '--json')) as { ids: string[] };
  return ids[0]!;
}
