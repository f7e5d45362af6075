import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { topApplicationFrame } from '../../src/record/top-application-frame.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

function setup(...frames: readonly string[]): string | null {
  return topApplicationFrame(['Error: x', ...frames.map((frame) => `    at ${frame}`)].join('\n'));
}

describe('topApplicationFrame', () => {
  it.each([
    ['charge (/srv/app/charge.ts:12:5)', 'charge (/srv/app/charge.ts)'],
    ['async Charge.handle (file:///srv/app/charge.ts:12:5)', 'Charge.handle (/srv/app/charge.ts)'],
    ['new Charge (/srv/app/charge.ts:12:5)', 'new Charge (/srv/app/charge.ts)'],
    ['Object.b [as c] (/srv/app/charge.ts:12:5)', 'Object.b (/srv/app/charge.ts)'],
    ['/srv/app/charge.ts:12:5', '/srv/app/charge.ts'],
    ['async file:///srv/app/charge.ts:12:5', '/srv/app/charge.ts'],
    ['f (file:///srv/a%20(b)/charge.ts?t=17:12:5)', 'f (/srv/a (b)/charge.ts)'],
    ['f (C:\\Program Files (x86)\\app\\charge.js:12:5)', 'f (C:/Program Files (x86)/app/charge.js)'],
    ['f (file:///srv/bad%ZZ.ts:12:5)', 'f (file:///srv/bad%ZZ.ts)'],
    ['f (webpack://app/./src/charge.ts:12:5)', 'f (webpack://app/./src/charge.ts)'],
  ])('reads %s', (frame, read) => {
    expect(setup(frame)).toBe(read);
  });

  it("passes over Node's frames, dependencies, and what has no place in a file", () => {
    const passedOver = [
      'Socket.onClose (node:net:1:2)',
      'query (/srv/app/node_modules/pg/lib/client.js:12:5)',
      'query (C:\\app\\node_modules\\pg\\lib\\client.js:12:5)',
      'async Promise.all (index 0)',
      'Array.map (<anonymous>)',
      'eval (eval at <anonymous> (/srv/app/x.ts:1:2), <anonymous>:1:1)',
      'native',
      '',
    ];
    expect(setup(...passedOver, 'mine (/srv/app/mine.ts:1:1)')).toBe('mine (/srv/app/mine.ts)');
    expect(setup(...passedOver)).toBeNull();
    expect(topApplicationFrame('')).toBeNull();
  });

  it("passes over Redrive's own frames, but not its examples and tests", () => {
    for (const folder of ['src', 'providers', 'interceptors']) {
      expect(setup(`run (${join(root, folder, 'worker', 'run.ts')}:1:1)`)).toBeNull();
      expect(setup(`run (${pathToFileURL(join(root, folder, 'run.ts')).href}:1:1)`)).toBeNull();
    }
    for (const folder of ['examples', 'test', 'bench']) {
      expect(setup(`run (${join(root, folder, 'src', 'run.ts')}:1:1)`)).toBe(`run (${folder}/src/run.ts)`);
    }
  });

  it('gives files below the working directory relative to it', () => {
    expect(setup(`f (${join(process.cwd(), 'jobs/charge.ts')}:1:1)`)).toBe('f (jobs/charge.ts)');
    expect(setup(`f (${process.cwd()}-two/charge.ts:1:1)`)).toBe(`f (${process.cwd()}-two/charge.ts)`);
  });

  it('finds where an error was thrown', () => {
    const throwHere = (): Error => new Error('x');
    expect(topApplicationFrame(throwHere().stack ?? '')).toBe('throwHere (test/record/top-application-frame.test.ts)');
  });
});
