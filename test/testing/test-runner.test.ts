import { describe, expect, it, vi } from 'vitest';
import { presentRunner } from '../../src/testing/conformance/test-runner.ts';
import { providerConformance } from '../../src/testing/index.ts';

/** Declares nothing, and notes what it was told to. */
function noting(): { declared: string[]; runner: Parameters<typeof providerConformance>[0]['runner'] & object } {
  const declared: string[] = [];
  const describeAll = vi.fn((name: string, { timeout }: { timeout: number }, body: () => void) => {
    declared.push(`${name} (${timeout} ms)`);
    body();
  });
  const test = Object.assign((name: string) => void declared.push(name), {
    skip: (name: string) => void declared.push(`skipped: ${name}`),
  });
  return { declared, runner: { describe: describeAll, it: test } };
}

const nobody = (): never => {
  throw new Error('no test of this is run');
};

describe('providerConformance without vitest', () => {
  it('declares its tests with the runner that it is given', () => {
    const { declared, runner } = noting();
    providerConformance({ name: 'mine', create: nobody, runner });
    expect(declared[0]).toBe('the failure contract on mine (60000 ms)');
    expect(declared.filter((name) => /^F\d+: /.test(name)).length).toBeGreaterThan(80);
  });

  it('takes a runner that is global, and says what to give it where there is none', () => {
    const { runner } = noting();
    expect(presentRunner({ ...runner })).toEqual(runner);
    expect(presentRunner({ __vitest_index__: runner })).toEqual(runner);
    expect(() => presentRunner({})).toThrow(/give it one: runner: \{ describe, it \}/);
  });
});
