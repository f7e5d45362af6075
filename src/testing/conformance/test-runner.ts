import { RedriveError } from '../../errors.ts';

/** What the suite needs of a test runner: vitest's, node:test's and their kin have it. */
export interface TestRunner {
  readonly describe: (name: string, options: { readonly timeout: number }, body: () => void) => unknown;
  readonly it: ((name: string, test: () => Promise<void>) => unknown) & {
    readonly skip: (name: string, test: () => Promise<void>) => unknown;
  };
}

/**
 * The runner whose tests are being collected: vitest's, else one that has made itself global. Vitest is not imported, or nothing else of
 * this entry point could be used without it, and it cannot be waited for: tests are declared at once. It leaves what `import.meta.vitest`
 * gives in the global object of its workers. Throws `OPTIONS_INVALID` where there is none.
 */
export function presentRunner(globals: Readonly<Record<string, unknown>> = globalThis): TestRunner {
  const found = [globals['__vitest_index__'], globals].find(isRunner);
  if (found !== undefined) return { describe: found.describe, it: found.it };
  throw new RedriveError(
    'OPTIONS_INVALID',
    'providerConformance declares tests, and no test runner is here: call it in a file that vitest runs, or give it one: runner: { describe, it }',
  );
}

function isRunner(value: unknown): value is TestRunner {
  if (typeof value !== 'object' || value === null) return false;
  const { describe, it } = value as Partial<Record<keyof TestRunner, unknown>>;
  return typeof describe === 'function' && typeof it === 'function';
}
