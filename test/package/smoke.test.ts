import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { packedTarball, root } from '../scaffold/packed-package.ts';
import { size, skipIfSmall } from '../support/size.ts';
import { installedConsumer, linkedConsumer, otherNode, type Consumer } from './consumer.ts';
import {
  expectCommandWorks,
  expectConfigFileWorks,
  expectEsmWorks,
  expectRequireWorks,
  expectTypesHold,
  giveOwnInversify,
  twoCopies,
  write,
} from './programs.ts';

const execute = promisify(execFile);
const why = 'an installation from the registry, which takes minutes: npm run test:nightly';

let tarball: string;
const folders: string[] = [];

beforeAll(async () => {
  tarball = await packedTarball();
}, 120_000);

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function kept(making: Promise<Consumer>): Promise<Consumer> {
  const project = await making;
  folders.push(project.folder);
  return project;
}

describe('the package as it would be published', () => {
  let project: Consumer;

  beforeAll(async () => {
    project = await kept(linkedConsumer(tarball));
  });

  it('works as an ES module: dispatch, fail, retry, resolve', () => expectEsmWorks(project));
  it('has a command that works on what a program left behind', () => expectCommandWorks(project));
  it('works with require', ({ skip }) => {
    skipIfSmall(skip);
    return expectRequireWorks(project);
  });
  it('has a command that runs a config of decorated TypeScript', ({ skip }) => {
    skipIfSmall(skip);
    return expectConfigFileWorks(project);
  });
  it('has types that hold in a strict project', async ({ skip }) => {
    skipIfSmall(skip);
    const typed = await kept(linkedConsumer(tarball));
    await linkTypes(typed);
    await expectTypesHold(typed);
  });

  it('can be imported from every entry point, with what users install: no test runner, not even for redrive/testing', async () => {
    const { exports } = JSON.parse((await project.run('cat', 'node_modules/redrive/package.json')).stdout) as { exports: object };
    for (const entry of Object.keys(exports).filter((name) => name !== './package.json')) {
      const found = await project.run(
        'node',
        '--input-type=module',
        '-e',
        `console.log(Object.keys(await import('redrive${entry.slice(1)}')).length)`,
      );
      expect(Number(found.stdout), found.stderr).toBeGreaterThan(0);
    }
    expect((await project.run('ls', 'node_modules')).stdout).not.toContain('vitest');
    const test = `import { defineJob } from 'redrive';
import { runJob } from 'redrive/testing';
const run = await runJob(defineJob({ name: 'add', handle: ({ properties: { a, b } }) => a + b }), { a: 1, b: 2 });
console.log(run.result);\n`;
    await write(project, 'add.test.mjs', test);
    expect(await project.run('node', 'add.test.mjs')).toMatchObject({ code: 0, stdout: '3\n' });
  });

  it('says what to install where the driver is missing', async ({ skip }) => {
    skipIfSmall(skip);
    const bare = await kept(linkedConsumer(tarball, ['better-sqlite3']));
    const { stderr, code } = await bare.run('node', 'node_modules/.bin/redrive', 'migrate', '--database', 'app.db');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^redrive: SQLite needs the package better-sqlite3; run "npm install better-sqlite3@\d+" \(DRIVER_MISSING\)\n$/);
  });

  it('works with a service that was decorated before anything imported redrive or reflect-metadata', async ({ skip }) => {
    skipIfSmall(skip);
    await write(
      project,
      'late/program.mjs',
      `import { injectable } from 'inversify';
class Mailer {}
injectable()(Mailer);
const { createRedrive } = await import('redrive');
console.log(typeof (await createRedrive({})).dispatch);\n`,
    );
    expect(await project.run('node', 'late/program.mjs')).toMatchObject({ code: 0, stdout: 'function\n' });
  });

  it('works in a container of another copy of inversify', async ({ skip }) => {
    skipIfSmall(skip);
    const apart = await kept(linkedConsumer(tarball));
    await giveOwnInversify(apart);
    await write(apart, 'two-copies.mjs', twoCopies);
    expect(await apart.run('node', 'two-copies.mjs')).toMatchObject({ code: 0, stdout: 'two copies: sent by the mailer\n' });
  });

  it('satisfies publint', async () => {
    const pkgDir = join(project.folder, 'node_modules/redrive');
    const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg as Record<string, unknown>))).toEqual([]);
  });

  it('has types that every way of importing an ES module resolves', async ({ skip }) => {
    skipIfSmall(skip);
    const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    await execute(process.execPath, [attw, tarball, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji']).catch(
      (error: { stdout: string }) => expect.fail(error.stdout),
    );
  });
});

describe.each([
  ['the Node.js of this run', undefined],
  ['Node.js 24', '24'],
])('installed with npm, under %s', (_name, version) => {
  it('works from installation to command', { timeout: 900_000 }, async (context) => {
    context.skip(size !== 'full', why);
    const node = version === undefined ? undefined : await otherNode(version);
    if (node !== undefined) folders.push(node.root);
    const project = await kept(installedConsumer(tarball, node?.home));
    if (version !== undefined) expect((await project.run('node', '--version')).stdout).toMatch(new RegExp(`^v${version}\\.`));
    await expectEsmWorks(project);
    await expectCommandWorks(project);
    await expectRequireWorks(project);
    await expectConfigFileWorks(project);
  });
});

/** What a TypeScript project has besides. */
async function linkTypes(project: Consumer): Promise<void> {
  for (const name of ['@types', 'undici-types'])
    await project.run('ln', '-s', join(root, 'node_modules', name), join(project.folder, 'node_modules', name));
}
