import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCbqFacts, readException, readExtendedInfo, readFailedDate } from '../../interceptors/log-failed-jobs/cbq-row.ts';

describe('a failedDate', () => {
  const at = Date.UTC(2024, 4, 23, 16, 58, 7);
  it.each([
    ['unix seconds', at / 1_000, at],
    ['unix seconds as text', String(at / 1_000), at],
    ['milliseconds, as some drivers write a timestamp into SQLite', at, at],
    ['0', 0, 0],
    ["a timestamp as SQLite's clock writes it", '2024-05-23 16:58:07', at],
    ['a timestamp with parts of a second', '2024-05-23 16:58:07.250', at + 250],
    ['a timestamp with microseconds', '2024-05-23 16:58:07.250999', at + 250],
    ['ISO', '2024-05-23T16:58:07Z', at],
    ['a timestamp with a zone', '2024-05-23 18:58:07+02:00', at],
    ['a timestamp with a zone behind a space', '2024-05-23 18:58:07 +0200', at],
    ['a timestamp with hours of a zone', '2024-05-23 18:58:07+02', at],
    ['a CFML literal', "{ts '2024-05-23 16:58:07'}", at],
    ['a Date, as other drivers read it', new Date(at), at],
    ['no date', 'yesterday', 0],
    ['an impossible date', '2024-13-45 99:99:99', 0],
    ['empty text', '', 0],
    ['null', null, 0],
    ['no number', Number.NaN, 0],
    ['an invalid Date', new Date(Number.NaN), 0],
  ])('that is %s', (_, value, expected) => {
    expect(readFailedDate(value)).toBe(expected);
  });

  it('is a number, whatever it is', () => {
    fc.assert(fc.property(fc.anything(), (value) => Number.isFinite(readFailedDate(value))));
  });
});

describe('an exception as cbq stored it', () => {
  const row = { exception: '', exceptionType: 'Custom', exceptionMessage: 'short', exceptionStackTrace: 'at a.cfc:1' };

  it.each([
    ['Lucee', { type: 'Custom', message: 'the whole message', detail: 'more', stackTrace: 'at a.cfc:1', errorCode: '0' }],
    ['Adobe ColdFusion', { Type: 'Custom', Message: 'the whole message', Detail: 'more', StackTrace: 'at a.cfc:1', ErrorCode: '0' }],
  ])('on %s has its place in ours, the rest as fields', (_, struct) => {
    const read = readException({ ...row, exception: JSON.stringify(struct) });
    expect(read).toMatchObject({ type: 'Custom', message: 'the whole message', stack: 'at a.cfc:1' });
    expect(Object.values(read.fields ?? {})).toEqual(['more', '0']);
  });

  it.each([[''], ['no JSON'], ['null'], ['7'], ['[{}]'], ['"text"']])('is what the columns say where it is %j', (exception) => {
    expect(readException({ ...row, exception })).toEqual({ type: 'Custom', message: 'short', stack: 'at a.cfc:1' });
  });

  it('is empty where they say nothing', () => {
    expect(readException({ exception: '', exceptionType: null, exceptionMessage: null, exceptionStackTrace: null })).toEqual({
      type: '',
      message: '',
      stack: '',
    });
  });

  it('is bounded however deep and long', () => {
    const deep = `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`;
    const read = readException({ ...row, exception: `{"Message":"m","tagContext":${deep},"more":"${'x'.repeat(3_000_000)}"}` });
    expect(JSON.stringify(read).length).toBeLessThan(2_000_000);
  });
});

describe('what else cbq says', () => {
  it('is a JSON object or text as extended info', () => {
    expect(readExtendedInfo('{"queue":["a"]}')).toEqual({ queue: ['a'] });
    expect(readExtendedInfo('see the log')).toEqual({ text: 'see the log' });
    expect(readExtendedInfo('[1]')).toEqual({ text: '[1]' });
    expect(readExtendedInfo('')).toBeNull();
    expect(readExtendedInfo(null)).toBeNull();
  });

  it('is attempts and their limit, or 1 where nothing can be read', () => {
    expect(readCbqFacts({ memento: '{"currentAttempt":"3","maxAttempts":5}', failedDate: 7 })).toEqual({
      failedAt: 7_000,
      attempts: 3,
      maxAttempts: 5,
    });
    expect(readCbqFacts({ memento: '{', failedDate: 7 })).toEqual({ failedAt: 7_000, attempts: 1, maxAttempts: 1 });
    expect(readCbqFacts({ memento: '{"maxAttempts":0}', failedDate: 7 })).toEqual({ failedAt: 7_000, attempts: 1, maxAttempts: 0 });
  });
});
