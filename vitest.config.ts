import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import ClosingLines from './test/scaffold/closing-lines.ts';

interface PackageJson {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

const { name, exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as PackageJson;

// The package's own names lead to its sources, so that no test can pass or fail on an old build.
const alias = Object.entries(exports).flatMap(([subpath, target]) => {
  if (typeof target === 'string') return [];
  const source = target.default.replace('./dist/', './').replace(/\.js$/, '.ts');
  return [{ find: new RegExp(`^${name}${subpath.slice(1)}$`), replacement: fileURLToPath(new URL(source, import.meta.url)) }];
});

const include = ['test/**/*.test.ts'];
/** Tests in which many processes work for minutes where a run is of the full size. */
const crowded = ['test/chaos/**/*.test.ts', 'test/crash/**/*.test.ts', 'test/races/**/*.test.ts'];
// Two of those at a time would wait for each other until somebody's patience ends: in the full size one follows the other, after the rest.
const groups = [
  { extends: true as const, test: { name: 'most', include, exclude: crowded, sequence: { groupOrder: 0 } } },
  { extends: true as const, test: { name: 'crowded', include: crowded, maxWorkers: 1, sequence: { groupOrder: 1 } } },
];

export default defineConfig({
  resolve: { alias },
  test: {
    ...(process.env['REDRIVE_TEST_SIZE'] === 'full' ? { projects: groups } : { include }),
    globalSetup: ['test/scaffold/shared-folder.ts'],
    // better-sqlite3 is a native module. What is killed, blocked or starved in a test is a process that the test started.
    pool: 'forks',
    // Starting a process and loading the sources takes longer than most files take to test: they follow each other in a few processes.
    isolate: false,
    // Most of them wait for something most of the time; vitest would leave a core unused.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 30_000,
    // Building and packing the package, which everybody who asks waits for, takes a minute on a busy machine.
    hookTimeout: 180_000,
    teardownTimeout: 10_000,
    reporters: ['default', new ClosingLines()],
  },
});
