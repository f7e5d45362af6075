import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  answeredDelayMs,
  backoffMs,
  constant,
  exponential,
  linear,
  parseBackoff,
  type Backoff,
  type PlainBackoff,
} from '../../src/job/backoff.ts';
import { RedriveError } from '../../src/errors.ts';
import { describeBackoff } from '../../src/job/describe-backoff.ts';

function plain(backoff: Backoff): PlainBackoff {
  const parsed = parseBackoff(backoff);
  if (typeof parsed === 'function') throw new Error('a function has no plain form');
  return parsed;
}

function seconds(backoff: Backoff, attempts: number, random = 0): number[] {
  return Array.from({ length: attempts }, (_, index) => backoffMs(plain(backoff), index + 1, random) / 1_000);
}

const share = fc.double({ min: 0, max: 1, noNaN: true });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const ms = fc.integer({ min: 0, max: 100_000_000 });
const policy = fc.oneof(
  fc
    .record({ base: ms, max: ms, factor: fc.double({ min: 1, max: 50, noNaN: true }), jitter: share })
    .map(({ base, max, factor, jitter }) => exponential({ base: `${base}ms`, max: `${max}ms`, factor, jitter })),
  fc.record({ base: ms, max: ms, jitter: share }).map(({ base, max, jitter }) => linear({ base: `${base}ms`, max: `${max}ms`, jitter })),
  fc.record({ base: ms, jitter: share }).map(({ base, jitter }) => constant(`${base}ms`, { jitter })),
);
const attempt = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1_000_000 }));

describe('backoff', () => {
  it('F3 waits one plain delay before each attempt', () => {
    expect(seconds(60, 3)).toEqual([60, 60, 60]);
    expect(seconds('500ms', 2)).toEqual([0.5, 0.5]);
  });

  it('F4 exponential, base 1 s, factor 2, max 60 s, without jitter is exactly 1, 2, 4, 8, 16, 32, 60, 60', () => {
    const backoff = exponential({ base: '1s', factor: 2, max: '60s', jitter: 0 });
    expect(seconds(backoff, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(seconds(backoff, 8, 0.999_999)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('F4 a jitter of 0 gives the same delay whatever the random number', () => {
    fc.assert(
      fc.property(policy, attempt, random, (drawn, number, chance) => {
        const exact = { ...drawn, jitter: 0 };
        expect(backoffMs(exact, number, chance)).toBe(backoffMs(exact, number, 0));
      }),
    );
  });

  it('F4 jitter j keeps every delay d within [(1-j)d, d], in whole milliseconds', () => {
    fc.assert(
      fc.property(policy, attempt, random, (drawn, number, chance) => {
        const most = backoffMs({ ...drawn, jitter: 0 }, number, 0);
        const delay = backoffMs(drawn, number, chance);
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual((1 - drawn.jitter) * most);
        expect(delay).toBeLessThanOrEqual(most);
        expect(most).toBeLessThanOrEqual(drawn.maxMs);
      }),
      { examples: [[exponential({ base: '3ms', jitter: 0.9 }), 1, 0.99]] },
    );
  });

  it('never shrinks from one attempt to the next without jitter', () => {
    fc.assert(
      fc.property(policy, attempt, (drawn, number) => {
        const exact = { ...drawn, jitter: 0 };
        expect(backoffMs(exact, number + 1, 0)).toBeGreaterThanOrEqual(backoffMs(exact, number, 0));
      }),
    );
  });

  it('F5 a list gives its delays from the first failure on and repeats the last: 10, 30, 60, 60', () => {
    expect(seconds([10, 30, 60], 6)).toEqual([10, 30, 60, 60, 60, 60]);
    expect(seconds(['1s', '10s'], 3)).toEqual([1, 10, 10]);
  });

  it('F5 any list repeats its last delay for ever', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 86_400 }), { minLength: 1 }), attempt, random, (list, number, chance) => {
        expect(backoffMs(plain(list), number, chance)).toBe((list[Math.min(number, list.length) - 1] ?? 0) * 1_000);
      }),
    );
  });

  it('an empty list means no delay', () => {
    expect(seconds([], 2)).toEqual([0, 0]);
  });

  it('linear grows by its base up to its max', () => {
    expect(seconds(linear({ base: '10s', max: '35s' }), 5)).toEqual([10, 20, 30, 35, 35]);
  });

  it('constant stays the same', () => {
    expect(seconds(constant('5s'), 3)).toEqual([5, 5, 5]);
  });

  it('has its documented defaults: base 1 s, factor 2, max 1 h', () => {
    expect(seconds(exponential(), 3)).toEqual([1, 2, 4]);
    expect(backoffMs(exponential(), 100, 0)).toBe(3_600_000);
    expect(seconds(linear(), 3)).toEqual([1, 2, 3]);
  });

  it('stays a number at attempts so high that the power is infinite', () => {
    expect(backoffMs(exponential({ base: 0 }), 5_000, 0.5)).toBe(0);
    expect(backoffMs(exponential({ base: '1s', max: '1m' }), 5_000, 0)).toBe(60_000);
  });

  it('keeps a function as it is', () => {
    const backoff = (): null => null;
    expect(parseBackoff(backoff)).toBe(backoff);
  });

  it.each([[Number.NaN], [-1], ['5 parsecs'], [[1, 'soon']]])('refuses the delay %j', (backoff) => {
    expect(() => parseBackoff(backoff as Backoff)).toThrow(expect.objectContaining({ code: 'DURATION_INVALID' }) as Error);
  });

  it('names the bad delay of a list', () => {
    expect(() => parseBackoff([1, 'soon'])).toThrow(/backoff\[1\]: "soon"/);
  });

  it.each([
    [undefined],
    [null],
    [true],
    [{}],
    [{ policy: 'quadratic', baseMs: 1, maxMs: 2, jitter: 0 }],
    [{ policy: 'linear', baseMs: Number.NaN, maxMs: 2, jitter: 0 }],
    [{ policy: 'exponential', baseMs: 1, maxMs: 2, jitter: 0 }],
  ])('refuses %j, which is no backoff', (backoff) => {
    expect(() => parseBackoff(backoff as Backoff)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }) as Error);
  });

  it.each([[{ factor: 0.5 }], [{ factor: Number.NaN }], [{ jitter: 2 }], [{ jitter: -0.1 }], [{ jitter: '0.5' }]])(
    'exponential refuses %j',
    (options) => {
      expect(() => exponential(options as Parameters<typeof exponential>[0])).toThrow(RedriveError);
    },
  );

  it('exponential refuses a bad base or max, naming it', () => {
    expect(() => exponential({ base: 'soon' })).toThrow(/exponential: base/);
    expect(() => linear({ max: -1 })).toThrow(/linear: max/);
  });

  it('takes an answer of a backoff function for what it is: a delay, no retry, or nonsense', () => {
    expect(answeredDelayMs('2s')).toBe(2_000);
    expect(answeredDelayMs(null)).toBe(null);
    for (const nonsense of [undefined, Number.NaN, -1, '5 parsecs', {}, Promise.resolve(1)])
      expect(answeredDelayMs(nonsense)).toBe(undefined);
  });
});

describe('describeBackoff', () => {
  it.each<[Backoff, string]>([
    [0, 'none'],
    [90, '1m 30s'],
    [['1s', '10s', '1m'], '1s, 10s, then 1m each time'],
    [constant('5s', { jitter: 0.2 }), '5s, less up to 20% at random'],
    [linear({ base: '2s', max: '1m' }), '2s, 2s more each time, up to 1m'],
    [exponential({ base: '1s', max: '10m' }), '1s, doubled each time, up to 10m'],
    [exponential({ base: '250ms', factor: 3, max: '1h' }), '250ms, times 3 each time, up to 1h'],
    [() => 1, 'a function'],
  ])('says %j in words', (backoff, words) => {
    expect(describeBackoff(parseBackoff(backoff))).toBe(words);
  });
});
