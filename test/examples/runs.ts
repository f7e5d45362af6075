import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { root } from '../scaffold/packed-package.ts';

const jiti = join(root, 'node_modules/jiti/lib/jiti-cli.mjs');

/**
 * Runs an example as a reader would, but on the sources, so that no old build is tested. Returns the lines it printed.
 * Fails where it does not end by itself with success, writes to stderr, or is wider than a terminal of 80 columns.
 */
export async function linesOf(example: string): Promise<readonly string[]> {
  const { stdout, stderr, code } = await runExample(`examples/${example}/main.ts`);
  expect(stderr).toBe('');
  expect(code, stdout).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  // oxlint-disable-next-line no-control-regex -- escape sequences are what must not be there
  expect(stdout).not.toMatch(/[\r\u001b]/);
  return lines;
}

interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

function runExample(file: string): Promise<Ran> {
  const child = spawn(process.execPath, [jiti, file], { cwd: root, env: { ...process.env, JITI_TSCONFIG_PATHS: 'true' }, timeout: 25_000 });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ stdout, stderr, code }));
  });
}
