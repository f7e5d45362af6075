import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { skipIfSmall } from '../support/size.ts';
import { projectWithPackage, root, tsc } from './packed-package.ts';

const run = promisify(execFile);

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';

test('has at most 200 lines', () => {
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(200);
});

test('links to what exists', () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, target]) => target!);
  expect(links.filter((link) => !existsSync(join(root, link)))).toEqual([]);
});

test('has a program of about fifteen lines', () => {
  expect(program.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(18);
});

describe('has a program', () => {
  let project: string | undefined;

  beforeAll(async () => {
    project = await projectWithPackage();
  });

  afterAll(() => project && rm(project, { recursive: true, force: true }));

  test('that works in an empty project, as plain JavaScript', async ({ skip }) => {
    skipIfSmall(skip);
    const folder = await inFolder(project!, 'javascript', { 'program.mjs': program });
    await expectFailedJob(project!, folder, 'program.mjs');
  });

  test('that compiles under strict TypeScript and works', async () => {
    const tsconfig = {
      compilerOptions: {
        strict: true,
        module: 'nodenext',
        target: 'es2022',
        types: ['node'],
        skipLibCheck: false,
        outDir: 'out',
        rootDir: '.',
      },
      include: ['*.mts'],
    };
    const folder = await inFolder(project!, 'typescript', { 'program.mts': program, 'tsconfig.json': JSON.stringify(tsconfig) });
    await run(process.execPath, [tsc, '-p', folder]).catch((error: { stdout: string }) => expect.fail(error.stdout));
    await expectFailedJob(project!, folder, 'out/program.mjs');
  });
});

async function inFolder(project: string, name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(project, name);
  await mkdir(folder);
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  return folder;
}

async function expectFailedJob(project: string, folder: string, file: string): Promise<void> {
  const { stdout } = await run(process.execPath, [file], { cwd: folder });
  expect(stdout).toContain('cards.charge');
  expect(stdout).toContain('attempts: 3');
  const listed = await run(
    process.execPath,
    [join(project, 'node_modules/redrive/dist/bin/redrive.js'), 'failed', '--database', 'app.db', '--json'],
    { cwd: folder },
  );
  const { items } = JSON.parse(listed.stdout) as { items: { job: string; attempts: number; type: string }[] };
  expect(items).toMatchObject([{ job: 'cards.charge', attempts: 3, type: 'Error' }]);
}
