import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { lockedByAnother } from '../support/locked.ts';
import { sqliteRedrive } from '../support/sqlite-redrive.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url));
const program = fileURLToPath(new URL('process-life-program.ts', import.meta.url));

/** Runs a program until its process ends by itself. */
function end(does: string, options: { file?: string; onPrint?: (text: string) => void } = {}): Promise<End> {
  return new Promise((resolve) => {
    const given = options.file === undefined ? [] : [options.file];
    const child = execFile(process.execPath, [jiti, program, does, ...given], { timeout: 50_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? '?'), printed: `${stdout}${stderr}`.trim().split('\n') }),
    );
    child.stdout?.on('data', (chunk: string) => options.onPrint?.(chunk));
  });
}

interface End {
  readonly code: number | string;
  readonly printed: readonly string[];
}

describe('the process of a program', () => {
  it.each([
    ['works a delayed job in memory, then stops', ['ran', 'stopped']],
    ['works a delayed job of a database, then stops', ['ran', 'stopped']],
    ['runs a delayed job where it dispatches it', ['ran', 'dispatched']],
  ])('that %s lives until then, and ends', async (does, printed) => {
    expect(await end(does)).toEqual({ code: 0, printed });
  });

  it.each([
    ['dispatches without a start', ['dispatched']],
    ['dispatches to a database without a start', ['dispatched']],
    ['starts, but registers no workers', ['dispatched']],
    ['starts without any pool', ['started']],
    ['fails to start', ['There is no worker pool "nobody"; pools: pool']],
  ])('that %s ends at once', async (does, printed) => {
    expect(await end(does)).toEqual({ code: 0, printed });
  });

  it('that waits for a locked database lives until it has dispatched', async () => {
    const file = join(temporaryFolder(), 'jobs.db');
    await (await sqliteRedrive(file)).migrate();
    const lock = await lockedByAnother(file);
    const onPrint = (text: string): void => void (text.includes('waiting') && lock.release());
    expect(await end('dispatches to a locked database', { file, onPrint })).toEqual({ code: 0, printed: ['waiting', 'dispatched'] });
  });
});
