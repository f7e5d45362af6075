import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caps } from '../../src/record/caps.ts';
import { detailOf, extendedInfoOf } from '../../src/record/exception-summary.ts';
import { snapshotException } from '../../src/record/exception-snapshot.ts';
import { hostileValues } from '../../src/testing/hostile/hostile-values.ts';

function setup(thrown: unknown) {
  const snapshot = snapshotException(thrown);
  return { detail: detailOf(thrown, snapshot), info: extendedInfoOf(thrown, snapshot) };
}

const withFields = (fields: object, cause?: unknown): Error => Object.assign(new Error('x', cause === undefined ? {} : { cause }), fields);

describe('detailOf', () => {
  it('F13 is the detail of the error', () => {
    expect(setup(withFields({ detail: 'Key (email)=(a@b.c) already exists.', code: '23505' })).detail).toBe(
      'Key (email)=(a@b.c) already exists.',
    );
  });

  it('F13 reads a detail that the class provides', () => {
    class Detailed extends Error {
      get detail(): string {
        return 'from the class';
      }
    }
    expect(setup(new Detailed('x')).detail).toBe('from the class');
  });

  it('F13 is else the code and the first cause on one line', () => {
    const cause = new Error('connect ECONNREFUSED\n  127.0.0.1:80');
    expect(setup(withFields({ code: 'ECONNREFUSED' }, cause)).detail).toBe(
      'ECONNREFUSED; caused by Error: connect ECONNREFUSED 127.0.0.1:80',
    );
    expect(setup(withFields({ code: 7 })).detail).toBe('7');
    expect(setup(withFields({}, 'the paper')).detail).toBe('caused by string: the paper');
    expect(setup(withFields({ detail: { not: 'a text' }, code: 'E' })).detail).toBe('E');
  });

  it('F13 is of the first error where an AggregateError says nothing itself', () => {
    const refused = Object.assign(
      new AggregateError([new Error('connect ECONNREFUSED ::1:80'), new Error('connect ECONNREFUSED 127.0.0.1:80')]),
      {
        code: 'ECONNREFUSED',
      },
    );
    expect(setup(refused).detail).toBe('ECONNREFUSED; first of 2 errors: Error: connect ECONNREFUSED ::1:80');
    expect(setup(new TypeError('fetch failed', { cause: refused })).detail).toBe('caused by AggregateError: ECONNREFUSED');
  });

  it('F13 is null where there is neither', () => {
    expect(setup(new Error('x')).detail).toBeNull();
    expect(setup('thrown').detail).toBeNull();
  });

  it('F18 takes a redacted detail from the snapshot', () => {
    const thrown = withFields({ detail: 'secret' });
    expect(detailOf(thrown, { ...snapshotException(thrown), fields: { detail: '[redacted]' } })).toBe('[redacted]');
  });
});

describe('extendedInfoOf', () => {
  it('F13 is the extended info and all other own enumerable fields', () => {
    expect(setup(withFields({ extendedInfo: { order: 7 }, status: 500, detail: 'told', code: 'told' })).info).toStrictEqual({
      status: 500,
      order: 7,
    });
  });

  it('F13 keeps an extended info that is no object under its name', () => {
    expect(setup(withFields({ extendedInfo: 'see log' })).info).toStrictEqual({ extendedInfo: 'see log' });
    expect(setup(withFields({ extendedInfo: [1n] })).info).toStrictEqual({ extendedInfo: ['1n'] });
  });

  it('F13 reads an extended info that the class provides', () => {
    class Informed extends Error {
      get extendedInfo(): object {
        return { order: 7 };
      }
    }
    expect(setup(new Informed('x')).info).toStrictEqual({ order: 7 });
  });

  it('F13 keeps a detail that is no text', () => {
    expect(setup(withFields({ detail: { a: 1 } })).info).toStrictEqual({ detail: { a: 1 } });
  });

  it('F13 is null where there is nothing to tell', () => {
    expect(setup(new Error('x', { cause: 'y' })).info).toBeNull();
    expect(setup(undefined).info).toBeNull();
  });
});

describe('both', () => {
  it.each(hostileValues.map((value) => [value.name, value] as const))('F15 say what they can of %s', (_, { make }) => {
    const { detail, info } = setup(make());
    expect(Buffer.byteLength(detail ?? '')).toBeLessThanOrEqual(caps.messageBytes);
    expect(JSON.parse(JSON.stringify(info))).toStrictEqual(info);
  });

  it('F15 hold for any detail and extended info', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true }), fc.anything(), (detail, extendedInfo) => {
        const { detail: text, info } = setup(withFields({ detail, extendedInfo }));
        expect(text === null || typeof text === 'string').toBe(true);
        expect(JSON.parse(JSON.stringify(info))).toStrictEqual(info);
      }),
    );
  });
});
