import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, extname, join, relative, resolve } from 'node:path';
import type { Jiti } from 'jiti';
import { RedriveError } from '../errors.ts';
import { reasonOf } from './describe.ts';

const names = ['redrive.config.ts', 'redrive.config.mts', 'redrive.config.js', 'redrive.config.mjs'] as const;
const extensions: readonly string[] = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

export interface LoadConfigOptions {
  /** The directory that is searched, and that `file` is relative to. */
  readonly cwd: string;
  /** A config file by name, instead of searching. */
  readonly file?: string;
  /**
   * Modules of the running program, by the name under which the config imports them, such as `redrive`. The config then
   * works with these very instances, whatever copy lies beside it. `inversify` and `reflect-metadata` are always shared.
   */
  readonly modules?: Readonly<Record<string, unknown>>;
}

export interface LoadedConfig {
  /** Absolute. */
  readonly path: string;
  /** The default export, or what it returned; not checked yet. */
  readonly config: unknown;
}

/**
 * Finds and loads `redrive.config.{ts,mts,js,mjs}`. TypeScript is taken with decorators, their metadata, and the path
 * aliases of a tsconfig. Throws `CONFIG_NOT_FOUND`, and `CONFIG_INVALID` for a file that throws or exports no default.
 */
export async function loadConfigFile(options: LoadConfigOptions): Promise<LoadedConfig> {
  const path = options.file === undefined ? await search(options.cwd) : await named(options.cwd, options.file);
  const shown = relative(options.cwd, path) || path;
  if (!extensions.includes(extname(path)))
    throw new RedriveError('CONFIG_INVALID', `${shown} is no config file: its name must end in ${extensions.join(', ')}`);
  const exported = await load(path, options.modules ?? {}).catch((error: unknown) => {
    throw new RedriveError('CONFIG_INVALID', `${shown} cannot be loaded: ${firstLine(error)}`, { cause: error });
  });
  if (typeof exported !== 'function') return { path, config: exported };
  try {
    return { path, config: await (exported as () => unknown)() };
  } catch (error) {
    throw new RedriveError('CONFIG_INVALID', `The function that ${shown} exports threw: ${firstLine(error)}`, { cause: error });
  }
}

async function search(cwd: string): Promise<string> {
  for (const name of names) {
    const path = resolve(cwd, name);
    if (await isFile(path)) return path;
  }
  throw new RedriveError(
    'CONFIG_NOT_FOUND',
    `No ${names.join(', ')} in ${cwd}: run \`redrive init\` to write one, name one with --config FILE, or name the database alone with --database FILE`,
  );
}

async function named(cwd: string, file: string): Promise<string> {
  const path = resolve(cwd, file);
  if (await isFile(path)) return path;
  throw new RedriveError(
    'CONFIG_NOT_FOUND',
    `There is no config file ${path}: run \`redrive init\` to write one, or name the database alone with --database FILE`,
  );
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** The default export of a module. */
async function load(path: string, modules: Readonly<Record<string, unknown>>): Promise<unknown> {
  // Imported here, so that a program that never loads a config file does not pay for the compiler.
  const [{ createJiti }, inversify, reflectMetadata] = await Promise.all([import('jiti'), import('inversify'), import('reflect-metadata')]);
  const make = (tsconfigPaths: boolean): Jiti =>
    createJiti(path, {
      // jiti's other place for compiled files is a shared temporary directory, where anybody could plant code.
      fsCache: existsSync(join(dirname(path), 'node_modules')),
      // A second load in the same process sees the files as they are by then.
      moduleCache: false,
      virtualModules: { inversify, 'reflect-metadata': reflectMetadata, ...modules },
      tsconfigPaths,
    });
  const source = await readFile(path, 'utf8');
  // Compiled whatever its kind: a plain .mjs would be imported by Node itself, past the shared modules, and a second time when it throws.
  const exports: unknown = await withPaths(make).evalModule(source, { filename: path, async: true, forceTranspile: true });
  if (typeof exports === 'object' && exports !== null && 'default' in exports) return exports.default;
  throw new Error('it has no default export; write `export default defineConfig({ ... })`');
}

/** With the path aliases of the user's tsconfig.json, or without them where that file cannot be read. */
function withPaths(make: (tsconfigPaths: boolean) => Jiti): Jiti {
  try {
    return make(true);
  } catch {
    return make(false);
  }
}

function firstLine(error: unknown): string {
  const reason = reasonOf(error);
  // The compiler says where on the second line.
  const place = error instanceof Error && reason.startsWith('ParseError') ? error.message.split('\n')[1]?.trim() : undefined;
  return place === undefined ? reason : `${reason} (${place})`;
}
