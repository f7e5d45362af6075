import { basename, dirname, join, relative, sep } from 'node:path';
import { examplePath } from './example-job.ts';

/** What `redrive` finds by itself, in the order in which it looks. */
export const configNames = ['redrive.config.ts', 'redrive.config.mts', 'redrive.config.js', 'redrive.config.mjs'] as const;

/** The SQLite file of a new project. */
export const databaseName = 'redrive.db';

/** What the project's own tools make of a config; `redrive` itself loads any. */
export type ProjectKind =
  | 'javascript'
  /** The compiler finds `.ts` files under the name of what they become. */
  | 'typescript'
  /** Compiled to CommonJS, where there is no `import.meta`. */
  | 'typescript-commonjs';

export interface ConfigFileOptions {
  /** Absolute, both. */
  readonly project: string;
  readonly file: string;
  /** With the example job; false where that file holds something else. */
  readonly withExample: boolean;
  readonly kind: ProjectKind;
}

/** A config that works as it is: one SQLite file, one pool, the failed-jobs log on. */
export function configText(options: ConfigFileOptions): string {
  const { withExample, kind } = options;
  const folder = kind === 'typescript-commonjs' ? '__dirname' : 'import.meta.dirname';
  return `import { defineConfig } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';
${withExample ? `import { example } from '${examplePathFrom(options)}';\n` : ''}
export default defineConfig({
  connections: {
    default: {
      provider: DatabaseProvider,
      // Made by \`redrive migrate\`. It holds your jobs: keep ${databaseName}* out of git.
      properties: { client: 'better-sqlite3', connection: { filename: \`\${${folder}}/${databaseName}\` } },
    },
  },
  workerPools: {
    // Up to five jobs at a time, of every queue.
    main: { connection: 'default', queues: '*', quantity: 5 },
  },
  jobs: [${withExample ? 'example' : ''}],
  // Keeps every failed job, with its exception and all attempts, until it is retried, resolved or forgotten.
  logFailedJobs: true,
});
`;
}

function examplePathFrom({ project, file, kind }: ConfigFileOptions): string {
  const path = relative(dirname(file), join(project, examplePath)).split(sep).join('/');
  const extension = kind === 'javascript' ? '.ts' : '.js';
  const folder = path.slice(0, -basename(path).length);
  return `${folder.startsWith('.') ? '' : './'}${folder}${basename(path, '.ts')}${extension}`;
}
