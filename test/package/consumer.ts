import { execFile, type ExecFileException } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../scaffold/packed-package.ts';

const execute = promisify(execFile);

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A project of somebody's who uses the package. */
export interface Consumer {
  readonly folder: string;
  /** Runs a program in the project, `node` and the like; never rejects. */
  run(command: string, ...args: readonly string[]): Promise<Ran>;
}

/**
 * A project with the tarball unpacked, and beside it what its users get with it: dependencies and peers, and nothing that only
 * its developers have. They are linked from this repository, so it takes no network. `without` leaves some out.
 */
export async function linkedConsumer(tarball: string, without: readonly string[] = []): Promise<Consumer> {
  const folder = await mkdtemp(join(tmpdir(), 'redrive-consumer-'));
  const installed = join(folder, 'node_modules/redrive');
  await mkdir(installed, { recursive: true });
  await execute('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  for (const name of (await shippedPackages()).filter((one) => !without.includes(one))) {
    await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true });
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
  await mkdir(join(folder, 'node_modules/.bin'));
  await symlink('../redrive/dist/bin/redrive.js', join(folder, 'node_modules/.bin/redrive'));
  await writeFile(join(folder, 'package.json'), '{ "name": "consumer", "private": true }\n');
  return consumer(folder, process.env);
}

/** A project that has installed the tarball with npm, under the Node.js whose home is given, or this one. */
export async function installedConsumer(tarball: string, node?: string): Promise<Consumer> {
  const folder = await mkdtemp(join(tmpdir(), 'redrive-installed-'));
  await writeFile(join(folder, 'package.json'), '{ "name": "consumer", "private": true, "allowScripts": { "better-sqlite3": true } }\n');
  const ownHeaders = node === undefined ? {} : { PATH: `${join(node, 'bin')}${delimiter}${process.env['PATH']}`, npm_config_nodedir: node };
  const project = consumer(folder, { ...process.env, ...ownHeaders });
  // The copy's name says its version, so that npm's cache cannot take one for another.
  await cp(tarball, join(folder, 'redrive.tgz'));
  const { code, stderr } = await project.run('npm', 'install', '--no-audit', '--no-fund', './redrive.tgz');
  if (code !== 0) throw new Error(`npm install failed:\n${stderr}`);
  return project;
}

/** A Node.js of another version, fetched as the npm package that carries it: where it is (`bin`, headers), and what to remove in the end. */
export async function otherNode(version: string): Promise<{ readonly home: string; readonly root: string }> {
  const folder = await mkdtemp(join(tmpdir(), `redrive-node-${version}-`));
  await writeFile(join(folder, 'package.json'), '{ "private": true, "allowScripts": { "node": true } }\n');
  await execute('npm', ['install', '--no-audit', '--no-fund', `node@${version}`], { cwd: folder });
  // Its install script fetches the package of this platform, and puts it below itself or beside itself.
  for (const parent of [join(folder, 'node_modules/node/node_modules'), join(folder, 'node_modules')]) {
    const found = (await readdir(parent).catch(() => [])).find((name) => /^node-(?:linux|darwin|win)/.test(name));
    if (found !== undefined) return { home: join(parent, found), root: folder };
  }
  throw new Error(`node@${version} brought no binary for this platform`);
}

function consumer(folder: string, env: NodeJS.ProcessEnv): Consumer {
  return {
    folder,
    run: (command, ...args) =>
      execute(command, args, { cwd: folder, env, maxBuffer: 64 << 20 }).then(
        ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
        (error: ExecFileException & { stdout: string; stderr: string }) => ({
          code: Number(error.code),
          stdout: error.stdout,
          stderr: error.stderr,
        }),
      ),
  };
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Names of what npm installs beside the package: its dependencies, and its required peers with theirs. */
async function shippedPackages(): Promise<readonly string[]> {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Readonly<Record<string, LockedPackage>>;
  };
  const names = new Set<string>();
  for (const [path, { dev }] of Object.entries(packages)) {
    const name = path.replace(/^node_modules\//, '');
    if (path !== '' && dev !== true && !name.includes('node_modules/')) names.add(name);
  }
  const peers = ['inversify', 'reflect-metadata'];
  for (let name = peers.pop(); name !== undefined; name = peers.pop()) {
    names.add(name);
    peers.push(...Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {}));
  }
  return [...names];
}
