import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';

/**
 * What takes long to make and is the same for every file that asks: whoever asks first makes it, the others wait for it. It is not
 * to be changed by anybody. Where making it failed, everybody gets that failure.
 */
export async function madeOnce(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(inject('sharedFolder'), name);
  const failure = `${folder}.failure`;
  if (await isFirst(`${folder}.claim`)) {
    const unfinished = `${folder}.unfinished`;
    await mkdir(unfinished);
    await make(unfinished).catch((error: Error) => writeFile(failure, error.message));
    if (!existsSync(failure)) await rename(unfinished, folder);
  }
  while (!existsSync(folder) && !existsSync(failure)) await new Promise((resolve) => setTimeout(resolve, 50));
  if (existsSync(failure)) throw new Error(await readFile(failure, 'utf8'));
  return folder;
}

/** Whether nobody has asked before. */
async function isFirst(claim: string): Promise<boolean> {
  try {
    await mkdir(claim);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
