import { describe, expect, it } from 'vitest';
import { duration, failedJobId, failedJobIds, oneOf, pointInTime, wholeNumber } from '../../src/cli/arguments.ts';
import type { Clock } from '../../src/clock.ts';

const clock: Clock = { now: () => Date.parse('2026-11-22T12:00:00Z'), after: () => ({ cancel: () => undefined }) };
const time = (text: string): string => pointInTime(clock)(text).toISOString();

describe('arguments', () => {
  it('takes a time as how long ago, or as a date that is UTC where it names no zone', () => {
    expect(time('24h')).toBe('2026-11-21T12:00:00.000Z');
    expect(time('2026-11-20')).toBe('2026-11-20T00:00:00.000Z');
    expect(time('2026-11-20 08:30')).toBe('2026-11-20T08:30:00.000Z');
    expect(time('2026-11-20T08:30:15.5+02:00')).toBe('2026-11-20T06:30:15.500Z');
    expect(time('2026-11-20t08:30:15z')).toBe('2026-11-20T08:30:15.000Z');
  });

  it.each(['2026-02-30', '2026-13-01', '2026-11-20T25:00', 'yesterday', '2026', '', '24 hours'])('refuses %j as a time', (text) => {
    expect(() => time(text)).toThrow('24h, 7d');
  });

  it('takes digits of a duration as seconds', () => {
    expect([duration('30'), duration('1.5'), duration('250ms'), duration('5m')]).toEqual([30, 1.5, '250ms', '5m']);
    expect(() => duration('5 parsecs')).toThrow('Give seconds');
    expect(() => duration('-5')).toThrow('Give seconds');
  });

  it('takes whole numbers within bounds only', () => {
    expect(wholeNumber(1, 200)('200')).toBe(200);
    for (const text of ['0', '201', '1.5', '1e2', 'x', '', '0x10']) expect(() => wholeNumber(1, 200)(text)).toThrow('from 1 to 200');
    expect(wholeNumber(-10)('-3')).toBe(-3);
  });

  it('names the word that was meant', () => {
    expect(() => oneOf(['failed', 'any'])('faled')).toThrow('(did you mean "failed"?)');
  });

  it('takes digits as the number of a failed job and anything else as a job id', () => {
    expect([failedJobId('12'), failedJobId('0190b5a2-0000-7000-8000-000000000001')]).toEqual([12, '0190b5a2-0000-7000-8000-000000000001']);
  });

  it('takes ids as arguments and as a list with commas, each once', () => {
    expect(failedJobIds(['3', '1'], undefined)).toEqual([3, 1]);
    expect(failedJobIds([], '1, 2,2,03')).toEqual([1, 2, 3]);
  });

  it.each(['', ' ', ',', '1,,2', '1;2', '1 2', '-5', '99999999999999999999'])('refuses %j as a list of ids', (list) => {
    expect(() => failedJobIds([], list)).toThrow();
  });
});
