import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './packed-package.ts';

interface Entry {
  readonly types: string;
  readonly default: string;
}
interface LockedPackage {
  readonly resolved?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const json = <T>(file: string): T => JSON.parse(readFileSync(join(root, file), 'utf8')) as T;
const { name, exports } = json<{ name: string; exports: Readonly<Record<string, Entry | string>> }>('package.json');
const entries = Object.entries(exports).filter((pair): pair is [string, Entry] => typeof pair[1] !== 'string');

test('every entry point is built from a source that exists', () => {
  for (const [subpath, entry] of entries) {
    expect(entry.types, subpath).toBe(entry.default.replace(/\.js$/, '.d.ts'));
    expect(existsSync(join(root, sourceOf(entry))), sourceOf(entry)).toBe(true);
  }
});

test('TypeScript resolves the entry points to their sources, as the tests do', () => {
  const { compilerOptions } = json<{ compilerOptions: { paths: Readonly<Record<string, readonly string[]>> } }>('tsconfig.json');
  expect(compilerOptions.paths).toEqual(
    Object.fromEntries(entries.map(([subpath, entry]) => [`${name}${subpath.slice(1)}`, [sourceOf(entry)]])),
  );
});

test('the lock file names no download address, and lacks no platform', () => {
  const { packages } = json<{ packages: Readonly<Record<string, LockedPackage>> }>('package-lock.json');
  expect(Object.keys(packages).filter((path) => packages[path]?.resolved !== undefined)).toEqual([]);
  // `npm ci` refuses a lock file without them; `npm run lock` adds them.
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (other) => !(`${path}/node_modules/${other}` in packages) && !(`node_modules/${other}` in packages),
    ),
  );
  expect(missing).toEqual([]);
});

function sourceOf(entry: Entry): string {
  return entry.default.replace('./dist/', './').replace(/\.js$/, '.ts');
}
