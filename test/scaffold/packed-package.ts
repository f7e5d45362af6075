import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { madeOnce } from './made-once.ts';

const run = promisify(execFile);

/** The root of the repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url));
export const tsc = join(root, 'node_modules/typescript/bin/tsc');

// What git would hand out, as far as the package is made of it.
const sources = [
  'src',
  'providers',
  'interceptors',
  'migrations',
  'bin',
  'scripts',
  'examples',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
];

/**
 * A clone of the repository as it is now, after `npm ci`. `dist` in the repository itself is neither read nor
 * written, so no test sees an old build, or disturbs a program that uses it.
 */
export async function builtClone(): Promise<string> {
  const clone = await mkdtemp(join(tmpdir(), 'redrive-clone-'));
  await cp(await sharedClone(), clone, { recursive: true, verbatimSymlinks: true });
  return clone;
}

/** The tarball that npm would publish. */
export async function packedTarball(): Promise<string> {
  const folder = await madeOnce('tarball', async (place) => {
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', place], { cwd: await sharedClone() });
  });
  const [filename = ''] = await readdir(folder);
  return join(folder, filename);
}

/** An empty project that has installed the package as npm would publish it. */
export async function projectWithPackage(): Promise<string> {
  const tarball = await packedTarball();
  const project = await mkdtemp(join(tmpdir(), 'redrive-project-'));
  const installed = join(project, 'node_modules/redrive');
  await mkdir(installed, { recursive: true });
  for (const name of await readdir(join(root, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'redrive') await symlink(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  return project;
}

function sharedClone(): Promise<string> {
  return madeOnce('clone', async (clone) => {
    for (const name of sources) await cp(join(root, name), join(clone, name), { recursive: true });
    await symlink(join(root, 'node_modules'), join(clone, 'node_modules'));
    await run('npm', ['run', '--silent', 'build'], { cwd: clone }).catch((error: { stdout: string }) => {
      throw new Error(`the sources do not compile:\n${error.stdout}`);
    });
  });
}
