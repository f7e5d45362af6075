import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { snapshotException } from '../../src/record/exception-snapshot.ts';
import { joinStacks, splitStacks, stacksHash } from '../../src/record/stacks.ts';
import type { ExceptionSnapshot } from '../../src/record/types.ts';
import { hostileValues } from '../../src/testing/hostile/hostile-values.ts';

function setup(snapshot: ExceptionSnapshot): { readonly bare: ExceptionSnapshot; readonly stacks: string } {
  const split = splitStacks(snapshot);
  expect(joinStacks(split.bare, split.stacks)).toStrictEqual(snapshot);
  return split;
}

const failAt = (message: string): ExceptionSnapshot =>
  snapshotException(new TypeError(message, { cause: Object.assign(new Error(`${message}!`), { code: 7 }) }));

describe('splitStacks', () => {
  it('takes out every stack', () => {
    const { bare } = setup(snapshotException(new AggregateError([new Error('a')], 'b', { cause: new Error('c') })));
    expect([bare.stack, bare.cause?.stack, bare.errors?.[0]?.stack]).toStrictEqual(['', '', '']);
  });

  it('gives failures of one place the same stacks, whatever their messages', () => {
    const [one, two] = ['order 1 is late', 'in Error: r\nof two lines'].map((message) => setup(failAt(message)));
    expect(one?.stacks).toBe(two?.stacks);
    expect(one?.bare).not.toStrictEqual(two?.bare);
  });

  it('gives failures of two places different stacks', () => {
    expect(setup(snapshotException(new Error('same'))).stacks).not.toBe(setup(snapshotException(new Error('same'))).stacks);
  });

  it("shares the stacks of Node's errors, whose header has the code", () => {
    const stacks = (path: string): string => {
      const error = Object.assign(new Error(`no ${path}`), {
        code: 'ERR_X',
        stack: `Error [ERR_X]: no ${path}\n    at open (file:///app/a.ts:1:2)`,
      });
      return setup(snapshotException(error)).stacks;
    };
    expect(stacks('/a')).toBe(stacks('/b'));
  });

  it('is empty where there is no stack', () => {
    expect(setup(snapshotException('thrown')).stacks).toBe('');
  });

  it('F15 loses nothing of any hostile value', () => {
    for (const { make } of hostileValues) setup(snapshotException(make()));
  });

  it('is undone exactly by joinStacks', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('Error: a', 'Error: a\n  at b', 'a', ': a', 'Error: ', 'x: a\nb'));
    const { snapshot } = fc.letrec<{ snapshot: ExceptionSnapshot; child: ExceptionSnapshot }>((tie) => ({
      child: tie('snapshot'),
      snapshot: fc.record(
        {
          type: text,
          message: text,
          stack: text,
          code: fc.oneof(text, fc.integer()),
          fields: fc.dictionary(text, text, { noNullPrototype: true }),
          cause: fc.option(tie('child'), { maxDepth: 3, nil: undefined }),
          errors: fc.option(fc.array(tie('child'), { maxLength: 3 }), { maxDepth: 3, nil: undefined }),
        },
        { requiredKeys: ['type', 'message', 'stack'], noNullPrototype: true },
      ) as fc.Arbitrary<ExceptionSnapshot>,
    }));
    fc.assert(fc.property(snapshot, (exception) => void setup(exception)));
  });
});

describe('joinStacks', () => {
  it('leaves an exception bare whose stacks are missing or damaged', () => {
    const { bare } = setup(failAt('x'));
    for (const stacks of ['', '{', '{}', '7', '[7]', '[["a"]]']) expect(joinStacks(bare, stacks)).toStrictEqual(bare);
  });
});

describe('stacksHash', () => {
  it('is 32 hex digits, the same for the same stacks', () => {
    expect(stacksHash('a')).toMatch(/^[0-9a-f]{32}$/);
    expect(stacksHash('a')).toBe(stacksHash('a'));
    expect(stacksHash('a')).not.toBe(stacksHash('b'));
  });
});
