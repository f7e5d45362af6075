import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterKeys, filterStatuses } from '../../src/failure/filter-keys.ts';
import { checkFilter, filterTextSchema, readFilter, writeFilter } from '../../src/failure/filter.ts';
import { failureKinds } from '../../src/record/types.ts';

const now = Date.parse('2026-11-22T12:30:00Z');

/** The faults that a call told, or what it returned where it told none. */
function faultsOf(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    const { code, faults, message } = error as { code: string; faults: readonly string[]; message: string };
    for (const fault of faults) expect(message).toContain(fault);
    return { code, faults };
  }
}

const invalid = (...faults: readonly string[]) => ({
  code: 'FILTER_INVALID',
  faults: faults.map((fault) => expect.stringContaining(fault)),
});

describe('readFilter', () => {
  it('reads every key from text', () => {
    const texts = {
      ids: '12, 0190d1a4-7a51-7bd2-8f3a-0d6a43f0e3c1',
      connection: 'default',
      queue: 'mail',
      job: 'emails.welcome',
      type: 'TypeError',
      kind: 'timeout',
      fingerprint: '0123456789abcdef',
      text: ' 100% of ',
      since: '24h',
      until: '2026-11-22',
      status: 'any',
      release: 'v1.2',
    };
    expect(Object.keys(texts)).toEqual(filterKeys.map(({ key }) => key));
    expect(readFilter(texts, now)).toEqual({
      ...texts,
      ids: [12, '0190d1a4-7a51-7bd2-8f3a-0d6a43f0e3c1'],
      since: new Date('2026-11-21T12:30:00Z'),
      until: new Date('2026-11-22T00:00:00Z'),
    });
  });

  it.each([
    ['2026-11-22T12:30:00Z', '2026-11-22T12:30:00.000Z'],
    ['2026-11-22T12:30:00.123456Z', '2026-11-22T12:30:00.123Z'],
    ['2026-11-22 14:30+02:00', '2026-11-22T12:30:00.000Z'],
    ['2026-11-22T12:30', '2026-11-22T12:30:00.000Z'],
    ['90m', '2026-11-22T11:00:00.000Z'],
    ['7d', '2026-11-15T12:30:00.000Z'],
  ])('reads the time %s', (since, iso) => {
    expect(readFilter({ since }, now).since?.toISOString()).toBe(iso);
  });

  it.each(['yesterday', '2026-02-30', '2026-13-01', '2026-11-22T25:00Z', '24', '-1h', '5 parsecs', '2026-11-22T12:30:00Z; drop'])(
    'refuses %j as a time',
    (since) => {
      expect(faultsOf(() => readFilter({ since }, now))).toEqual(invalid('since: must be how long ago (24h, 7d) or a date'));
    },
  );

  it('takes the ids of a JSON body as a list', () => {
    expect(readFilter({ ids: [12, '13', 'a'] }, now)).toEqual({ ids: [12, 13, 'a'] });
    expect(faultsOf(() => readFilter({ ids: [1.5] }, now))).toEqual(invalid('ids: must be a job id or the number'));
    expect(faultsOf(() => readFilter({ ids: '1,,2' }, now))).toEqual(invalid('ids: must be a job id or the number'));
  });

  it.each(filterKeys.map(({ key }) => [key]))('refuses an empty, a blank and a much too long %s, and one that is no text', (key) => {
    expect(faultsOf(() => readFilter({ [key]: '' }, now))).toEqual(invalid(`${key}: is empty`));
    expect(faultsOf(() => readFilter({ [key]: ' \t' }, now))).toEqual(invalid(`${key}: is empty`));
    expect(faultsOf(() => readFilter({ [key]: 'x'.repeat(1_001) }, now))).toEqual(invalid(`${key}: `));
    expect(faultsOf(() => readFilter({ [key]: 'a\0b' }, now))).toEqual(invalid(`${key}: `));
    expect(faultsOf(() => readFilter({ [key]: { toString: 'x' } }, now))).toEqual(invalid(`${key}: must be text`));
  });

  it('refuses what is given twice', () => {
    expect(faultsOf(() => readFilter({ queue: ['a', 'b'] }, now))).toEqual(invalid('queue: must be given once'));
  });

  it('tells every fault at once, and the nearest known key of an unknown one', () => {
    expect(faultsOf(() => readFilter({ queu: 'a', since: 'x', group: 'y', kind: 'timeuot', zzz: '1' }, now))).toEqual(
      invalid(
        'queu: no such filter (did you mean "queue"?)',
        'group: no such filter (did you mean "fingerprint"?)',
        'zzz: no such filter; known are ids, connection',
        'kind: must be one of exception, timeout, cancelled, lost, unprocessable, released, manual (did you mean "timeout"?)',
        'since: must be',
      ),
    );
  });

  it.each([null, undefined, 'queue=mail', 7, [], new Date()])('refuses %j', (texts) => {
    expect(faultsOf(() => readFilter(texts, now))).toEqual(invalid('a filter is an object'));
  });

  it('reads again what writeFilter wrote', () => {
    const text = fc.string({ minLength: 1, maxLength: 50 }).filter((value) => value.trim() !== '' && !value.includes('\0'));
    const time = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') });
    const ids = fc.array(fc.oneof(fc.uuid(), fc.integer({ min: 1 })), { minLength: 1, maxLength: 9 });
    const filters = fc.record(
      {
        ids,
        connection: text,
        queue: text,
        job: text,
        type: text,
        kind: fc.constantFrom(...failureKinds),
        fingerprint: text,
        text,
        since: time,
        until: time,
        status: fc.constantFrom(...filterStatuses),
        release: text,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(filters, (filter) => {
        const texts = writeFilter(filter);
        expect(readFilter(texts, now)).toEqual(filter);
        expect(readFilter(JSON.parse(JSON.stringify(texts)), 0)).toEqual(checkFilter(filter));
      }),
    );
  });

  it('is described by a schema whose keys are the same', () => {
    expect(Object.keys(filterTextSchema.shape)).toEqual(filterKeys.map(({ key }) => key));
    for (const schema of Object.values(filterTextSchema.shape)) expect(schema.unwrap().description).toMatch(/^only /);
  });
});

describe('checkFilter', () => {
  it('takes digits for the number of a failed job', () => {
    expect(checkFilter({ ids: ['12', 13, 'a', '9'.repeat(16)] })).toEqual({ ids: [12, 13, 'a', '9'.repeat(16)] });
  });

  it('leaves out what is undefined', () => {
    expect(Object.keys(checkFilter({ queue: undefined, job: 'a' }))).toEqual(['job']);
  });

  it('tells every fault at once', () => {
    const filter = { ids: [0, -1, Number.NaN, ''], queue: '', since: 'yesterday', until: new Date(Number.NaN), kind: 'crash', nope: 1 };
    expect(faultsOf(() => checkFilter(filter))).toEqual(
      invalid(
        'nope: no such filter',
        'ids.0: must be a job id or the number of a failed job',
        'ids.1: ',
        'ids.2: ',
        'ids.3: ',
        'queue: is empty',
        'kind: must be one of',
        'since: must be a valid Date',
        'until: must be a valid Date',
      ),
    );
  });

  it('bounds the number of ids', () => {
    expect(faultsOf(() => checkFilter({ ids: Array.from({ length: 1_001 }, (_, index) => index + 1) }))).toEqual(
      invalid('ids: must not be more than 1000'),
    );
    expect(checkFilter({ ids: [] })).toEqual({ ids: [] });
  });
});
