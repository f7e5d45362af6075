import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs, formatDuration, tryDurationMs } from '../../src/duration.ts';

describe('durations', () => {
  it.each([
    [0, 0],
    [1.5, 1_500],
    [60, 60_000],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1.5h', 5_400_000],
    [' 30 s ', 30_000],
  ])('%j is %d ms', (duration, ms) => {
    expect(durationMs(duration)).toBe(ms);
  });

  it.each([
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [-1],
    [1e306],
    [''],
    ['30'],
    ['-5s'],
    ['5 parsecs'],
    ['s'],
    ['1e3s'],
    ['30s 5m'],
    [`${'9'.repeat(400)}d`],
    [null],
    [undefined],
    [true],
    [10n],
    [new Date(0)],
    [['5s']],
  ])('refuses %s', (value) => {
    expect(tryDurationMs(value)).toBe(undefined);
    expect(() => durationMs(value, 'timeout')).toThrow(expect.objectContaining({ code: 'DURATION_INVALID' }) as Error);
  });

  it('names what it is for, and what would do', () => {
    expect(() => durationMs('5 parsecs', 'timeout')).toThrow(
      'timeout: "5 parsecs" is no duration; give seconds as a number, or a string such as "250ms", "30s", "5m", "2h" or "7d"',
    );
  });

  it('gives whole milliseconds, which added to the present are still a date', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double(),
          fc.tuple(fc.nat(), fc.constantFrom('ms', 's', 'm', 'h', 'd')).map(([n, unit]) => `${n}${unit}`),
        ),
        (value) => {
          const ms = tryDurationMs(value);
          if (ms === undefined) return;
          expect(Number.isSafeInteger(ms)).toBe(true);
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(new Date(Date.UTC(2100, 0) + ms).getTime()).not.toBeNaN();
        },
      ),
    );
  });

  it('is written for people with its two largest units', () => {
    expect([0, 250, 1_000, 90_000, 3_600_000, 90_061_000].map(formatDuration)).toEqual(['0ms', '250ms', '1s', '1m 30s', '1h', '1d 1h']);
  });
});
