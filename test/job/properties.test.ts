import { isDeepStrictEqual } from 'node:util';
import vm from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RedriveError } from '../../src/errors.ts';
import { encodeProperties } from '../../src/job/properties.ts';

function refusal(value: unknown): string {
  try {
    encodeProperties(value, 'emails.welcome');
  } catch (error) {
    if (error instanceof RedriveError && error.code === 'PROPERTIES_INVALID') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

/** What is expected back: without undefined fields, and with 0 for -0. */
function withoutUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (Object.is(value, -0)) return 0;
  if (typeof value !== 'object' || value === null) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (field !== undefined) Object.defineProperty(kept, key, { value: withoutUndefined(field), enumerable: true });
  }
  return kept;
}

function nested(levels: number): Record<string, unknown> {
  let value: Record<string, unknown> = {};
  for (let level = 1; level < levels; level += 1) value = { next: value };
  return value;
}

class Invoice {
  readonly total = 5;
}

describe('encodeProperties', () => {
  it('F19 accepts whatever JSON can carry', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString')), fc.jsonValue()),
        (value) => {
          expect(isDeepStrictEqual(JSON.parse(encodeProperties(value, 'x')), withoutUndefined(value))).toBe(true);
        },
      ),
    );
  });

  it('F19 what is accepted comes back deep-equal; all else is refused with its path', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
      withBoxedValues: true,
    });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anything), (value) => {
        let text: string;
        try {
          text = encodeProperties(value, 'x');
        } catch (error) {
          expect(error).toMatchObject({ code: 'PROPERTIES_INVALID', message: expect.stringMatching(/^Job "x": properties[.[]/) as string });
          return;
        }
        expect(isDeepStrictEqual(JSON.parse(text), withoutUndefined(value))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('takes no properties for an empty object', () => {
    expect(encodeProperties(undefined, 'x')).toBe('{}');
    expect(encodeProperties({}, 'x')).toBe('{}');
  });

  it('leaves out fields that are undefined', () => {
    expect(encodeProperties({ a: 1, b: undefined, c: { d: undefined } }, 'x')).toBe('{"a":1,"c":{}}');
  });

  it('keeps a field called __proto__', () => {
    const back = JSON.parse(encodeProperties(JSON.parse('{"__proto__":{"admin":true}}'), 'x')) as object;
    expect(Object.entries(back)).toEqual([['__proto__', { admin: true }]]);
  });

  it('keeps lone surrogates', () => {
    expect(JSON.parse(encodeProperties({ text: 'a\ud800b' }, 'x'))).toEqual({ text: 'a\ud800b' });
  });

  it('takes objects without a prototype and objects of another realm', () => {
    expect(encodeProperties(Object.assign(Object.create(null), { a: 1 }), 'x')).toBe('{"a":1}');
    expect(encodeProperties(vm.runInNewContext('({ list: [1, { b: 2 }] })'), 'x')).toBe('{"list":[1,{"b":2}]}');
  });

  it('takes an object that is held twice without holding itself', () => {
    const shared = { a: 1 };
    expect(encodeProperties({ x: shared, y: [shared, shared] }, 'x')).toBe('{"x":{"a":1},"y":[{"a":1},{"a":1}]}');
  });

  it('F19 names the job, the path and what to pass instead', () => {
    expect(refusal({ items: [1, 2, 3, { when: new Date(0) }] })).toBe(
      'Job "emails.welcome": properties.items[3].when is a Date, which JSON cannot carry; pass an ISO string: value.toISOString()',
    );
  });

  it.each([
    ['a Map', new Map(), 'Object.fromEntries(value)'],
    ['a Set', new Set(), '[...value]'],
    ['a BigInt', 10n, 'String(value)'],
    ['a Buffer', Buffer.from('x'), "value.toString('base64')"],
    ['a Uint8Array', new Uint8Array(1), "Buffer.from(value).toString('base64')"],
    ['an ArrayBuffer', new ArrayBuffer(1), "Buffer.from(value).toString('base64')"],
    ['NaN', Number.NaN, 'null'],
    ['-Infinity', Number.NEGATIVE_INFINITY, 'null'],
    ['an Invoice', new Invoice(), '{ ...value }'],
    ['a symbol', Symbol('x'), 'a string'],
    ['the function handler', function handler() {}, 'data'],
    ['the class Invoice', Invoice, 'data'],
    ['a Promise', Promise.resolve(), 'await it'],
    ['a URL', new URL('https://example.com'), 'String(value)'],
    ['a RegExp', /x/, 'String(value)'],
    ['a TypeError', new TypeError('x'), '{ name, message }'],
    ['a Number', Object(5), 'plain object'],
  ])('F19 refuses %s', (what, value, hint) => {
    const message = refusal({ field: value });
    expect(message).toContain(`properties.field is ${what}`);
    expect(message).toContain(hint);
  });

  it('F19 refuses undefined in an array, and a hole', () => {
    expect(refusal({ a: [1, undefined] })).toContain('properties.a[1] is undefined in an array');
    // oxlint-disable-next-line no-sparse-arrays -- the hole is the point
    expect(refusal({ a: [1, , 3] })).toContain('properties.a[1] is undefined in an array');
  });

  it('F19 refuses an object whose toJSON would replace it, and keeps a field of that name', () => {
    expect(refusal({ money: { toJSON: () => '5 EUR' } })).toContain('properties.money has a toJSON method');
    expect(encodeProperties({ toJSON: 'yes' }, 'x')).toBe('{"toJSON":"yes"}');
  });

  it('F19 refuses symbol keys, and array fields that JSON would drop', () => {
    expect(refusal({ a: { [Symbol('secret')]: 1 } })).toContain('properties.a[Symbol(secret)] has a symbol as its key');
    expect(refusal({ match: /a/.exec('cat') })).toContain('properties.match is an array with a field of its own');
    expect(refusal({ list: new (class Stack extends Array<number> {})() })).toContain('properties.list is a');
  });

  it('F19 refuses a cycle at the place where it closes', () => {
    const order: Record<string, unknown> = { lines: [{}] };
    (order['lines'] as Record<string, unknown>[])[0]!['order'] = order;
    expect(refusal({ order })).toContain('properties.order.lines[0].order is one of the objects that hold it');
    const self: Record<string, unknown> = {};
    self['self'] = self;
    expect(refusal(self)).toContain('properties.self is one of the objects that hold it');
  });

  it('refuses a getter that throws, naming it', () => {
    const value = {
      user: {
        get name() {
          throw new Error('gone');
        },
      },
    };
    expect(refusal(value)).toContain('properties.user.name cannot be read: gone');
  });

  it('refuses a Proxy that throws or was revoked', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(refusal({ a: proxy })).toContain('properties.a is a Proxy');
    const hostile = new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error('no');
        },
      },
    );
    expect(refusal({ a: hostile })).toContain('properties.a is a Proxy');
    expect(refusal(proxy)).toContain('properties is a Proxy');
    expect(
      refusal({
        a: new Proxy(
          {},
          {
            ownKeys() {
              throw new Error('no keys');
            },
          },
        ),
      }),
    ).toContain('properties.a cannot be read: no keys');
  });

  it('refuses a value that changes between two reads into what JSON cannot carry', () => {
    let reads = 0;
    const value = {
      get count() {
        return (reads += 1) === 1 ? 1 : 10n;
      },
    };
    expect(refusal(value)).toContain('cannot be written as JSON');
  });

  it('takes 200 levels and refuses more, also very many', () => {
    expect(JSON.parse(encodeProperties(nested(200), 'x'))).toEqual(nested(200));
    expect(refusal(nested(201))).toContain('nested more than 200 levels deep');
    expect(refusal(nested(100_000))).toContain('nested more than 200 levels deep');
  });

  it.each([
    ['null', null],
    ['an array', []],
    ['a string', 'x'],
    ['a number', 1],
    ['a boolean', true],
    ['a symbol', Symbol('x')],
  ])('refuses %s in place of the properties', (what, value) => {
    expect(refusal(value)).toBe(`Job "emails.welcome": properties is ${what}; pass a plain object`);
  });

  it('puts keys that are no plain words in brackets', () => {
    expect(refusal({ 'a b': { '0x': new Date(0) } })).toContain('properties["a b"]["0x"] is a Date');
  });
});
