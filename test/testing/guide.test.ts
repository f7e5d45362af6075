import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import * as redrive from 'redrive';
import * as testing from 'redrive/testing';
import { page } from '../docs/markdown.ts';
import { root, tsc } from '../scaffold/packed-package.ts';
import { size } from '../support/size.ts';

const guide = page('docs/guides/testing.md');
const snippets = [...guide.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
  language,
  text,
  file: /^\/\/ (\S+\.ts)\n/.exec(text)?.[1],
}));
const files = snippets.flatMap(({ file, text }) => (file === undefined ? [] : [{ file, text }]));

// A project of its own, as a reader of the guide has one.
const project = realpathSync(mkdtempSync(join(tmpdir(), 'redrive-guide-')));
for (const { file, text } of files) writeFileSync(join(project, file), text);
symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
const compilerOptions = { rootDir: '/' };
writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] }));

afterAll(() => rm(project, { recursive: true, force: true }));

test('every snippet of the guide is TypeScript that names its file, each another one', () => {
  expect(snippets.filter(({ language, file }) => language !== 'ts' || file === undefined)).toEqual([]);
  expect(new Set(files.map(({ file }) => file)).size).toBe(snippets.length);
});

test('the snippets compile under strict TypeScript', async () => {
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [tsc, '-p', project, '--pretty', 'false'], { cwd: project }, (_error, stdout) => resolve(stdout));
  });
  // What is wrong elsewhere is for the typecheck to say.
  expect(output.split('\n').filter((line) => files.some(({ file }) => line.startsWith(file)))).toEqual([]);
});

test('every name that the guide takes from the package is there', () => {
  const imported = (from: string): readonly string[] =>
    [...guide.matchAll(new RegExp(`import \\{([^}]+)\\} from '${from}'`, 'g'))]
      .flatMap(([, names = '']) => names.split(',').map((name) => name.trim()))
      .filter((name) => !name.startsWith('type '));
  expect(imported('redrive').filter((name) => !(name in redrive))).toEqual([]);
  expect(imported('redrive/testing').filter((name) => !(name in testing))).toEqual([]);
});

// The tests of a snippet become tests of this file.
for (const { file, text } of files.filter(({ file: name }) => name.endsWith('.test.ts'))) {
  if (size === 'small' && text.includes('providerConformance')) {
    test(`the guide's ${file}`, ({ skip }) => skip('the contract on the provider of a guide: npm run test:ci'));
    continue;
  }
  describe(`the guide's ${file}`, async () => {
    await import(/* @vite-ignore */ join(project, file));
  });
}
