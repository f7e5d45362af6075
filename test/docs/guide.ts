import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { tsc } from '../scaffold/packed-package.ts';
import { page } from './markdown.ts';

const run = promisify(execFile);

/** A fenced block of a page. After its language stands the file it belongs to, if any: ```` ```ts jobs/ping.ts ````. */
interface Block {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}

export function blocks(text: string): readonly Block[] {
  return [...text.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(([, language = '', file, body = '']) => ({
    language,
    file,
    text: body,
  }));
}

/** The tsconfig.json that readers are told to write. */
function tsconfig(): string {
  const found = blocks(page('docs/guides/getting-started.md')).find(({ file }) => file === 'tsconfig.json');
  if (found === undefined) throw new Error('the guide shows no tsconfig.json');
  return found.text;
}

/**
 * Does the first half of what a page says, in a folder of a project that has installed the package: writes its files (blocks of one
 * name are one file; TypeScript without a name is a file of its own) and compiles them.
 */
export async function compile(path: string, project: string): Promise<void> {
  const folder = folderOf(path, project);
  const all = blocks(page(path));
  await mkdir(folder, { recursive: true });
  await symlink(join(project, 'node_modules'), join(folder, 'node_modules'));
  for (const [file, text] of filesOf(all)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  await run(process.execPath, [tsc, '-p', folder]).catch((error: { stdout: string }) =>
    expect.fail(`${path} does not compile:\n${error.stdout}`),
  );
}

/** Types the console sessions of a page that was compiled, and compares what is printed. */
export async function typeSessions(path: string, project: string): Promise<void> {
  for (const { language, text } of blocks(page(path))) if (language === 'console') await session(text, folderOf(path, project));
}

const folderOf = (path: string, project: string): string => join(project, path.replace(/\W+/g, '-'));

function filesOf(all: readonly Block[]): ReadonlyMap<string, string> {
  const files = new Map([
    ['tsconfig.json', tsconfig()],
    ['package.json', '{ "type": "module" }\n'],
  ]);
  for (const [index, { language, file, text }] of all.entries()) {
    const name = file ?? (language === 'ts' ? `snippet-${index}.ts` : undefined);
    if (name === undefined) continue;
    // A block that imports nothing would be a script, and share its names with all others.
    const own = file === undefined && !/^(?:import|export) /m.test(text) ? `${text}\nexport {};\n` : text;
    files.set(name, name.endsWith('.json') ? own : (files.get(name) ?? '') + own);
  }
  return files;
}

/** Types the lines that begin with `$ ` and compares what each prints on stdout with the lines below it, in which `…` is any text. */
async function session(text: string, folder: string): Promise<void> {
  for (const [, command = '', expected = ''] of text.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)) {
    // `npx` takes a second to find what lies beside it.
    const line = command
      .replace('npx redrive', 'node node_modules/redrive/dist/bin/redrive.js')
      .replace('npx tsc', 'true')
      .replace('npx vitest', 'node node_modules/vitest/vitest.mjs');
    const { stdout } = await run('bash', ['-c', line], { cwd: folder, env: { ...process.env, NO_COLOR: '1', COLUMNS: '100' } }).catch(
      (error: { stdout: string; stderr: string }) => expect.fail(`$ ${command}\n${error.stdout}${error.stderr}`),
    );
    expect(stdout.trimEnd(), `$ ${command}`).toMatch(patternOf(expected));
  }
}

function patternOf(expected: string): RegExp {
  const escaped = expected.trimEnd().replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll(/^…$/gm, '[\\s\\S]*').replaceAll('…', '.*').replaceAll(/ {2,}/g, ' +')}$`);
}
