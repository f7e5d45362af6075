import type { ExceptionSnapshot } from '../../record/types.ts';
import { hostileContents } from './hostile-contents.ts';
import { hostileErrors } from './hostile-errors.ts';
import { boom, cutMark, everyTrapThrows } from './hostile-parts.ts';

/** Something that a job could throw, and what its record must say at least. */
export interface HostileValue {
  readonly name: string;
  /** A new one each time; `throw make()` is the job. */
  readonly make: () => unknown;
  /** Parts that the snapshot must have. */
  readonly expect?: Partial<ExceptionSnapshot>;
  /** Texts that must be found somewhere in the snapshot as JSON. */
  readonly says?: readonly string[];
}

const primitives: readonly HostileValue[] = [
  { name: 'undefined', make: () => undefined, expect: { type: 'undefined', message: 'undefined', stack: '' } },
  { name: 'null', make: () => null, expect: { type: 'null', message: 'null', stack: '' } },
  { name: 'a string', make: () => 'out of paper', expect: { type: 'string', message: 'out of paper', stack: '' } },
  { name: 'an empty string', make: () => '', expect: { type: 'string', message: '' } },
  {
    name: 'a string of 10 MB',
    make: () => 'x'.repeat(10_000_000),
    expect: { type: 'string', truncated: true },
    says: [cutMark(9_934_496)],
  },
  { name: 'a number', make: () => 42, expect: { type: 'number', message: '42' } },
  { name: 'NaN', make: () => Number.NaN, expect: { type: 'number', message: 'NaN' } },
  { name: 'minus infinity', make: () => -Infinity, expect: { type: 'number', message: '-Infinity' } },
  { name: 'minus zero', make: () => -0, expect: { type: 'number', message: '-0' } },
  { name: 'a boolean', make: () => false, expect: { type: 'boolean', message: 'false' } },
  { name: 'a BigInt', make: () => 123n, expect: { type: 'bigint', message: '123n' } },
  { name: 'a BigInt of a million bits', make: () => 1n << 1_000_000n, expect: { type: 'bigint' }, says: ['more than 1000 digits'] },
  { name: 'a symbol', make: () => Symbol('stop'), expect: { type: 'symbol', message: 'Symbol(stop)' } },
  { name: 'a symbol without a description', make: () => Symbol(), expect: { type: 'symbol', message: 'Symbol()' } },
];

const objects: readonly HostileValue[] = [
  { name: 'a function', make: () => function explode() {}, expect: { type: 'function', message: '[Function explode]' } },
  { name: 'a class', make: () => class Bomb extends Map {}, expect: { type: 'function', message: '[Function Bomb]' } },
  {
    name: 'a plain object',
    make: () => ({ id: 7, why: 'late' }),
    expect: { type: 'object', message: '{"id":7,"why":"late"}', fields: { id: 7, why: 'late' } },
  },
  {
    name: 'an object with a message and a code',
    make: () => ({ message: 'late', code: 'E_LATE', id: 7 }),
    expect: { type: 'object', message: 'late', code: 'E_LATE', fields: { id: 7 } },
  },
  { name: 'an empty object', make: () => ({}), expect: { type: 'object', message: '{}' } },
  {
    name: 'an object without a prototype',
    make: () => Object.assign(Object.create(null) as object, { id: 7 }),
    expect: { type: 'object', message: '{"id":7}', fields: { id: 7 } },
  },
  { name: 'a frozen object', make: () => Object.freeze({ id: 7 }), expect: { type: 'object', fields: { id: 7 } } },
  {
    name: 'an instance of a class',
    make: () =>
      new (class Order {
        id = 7;
      })(),
    expect: { type: 'object', message: 'Order {"id":7}', fields: { id: 7 } },
  },
  { name: 'an array', make: () => [1, 'two', null], expect: { type: 'object', message: '[1,"two",null]' } },
  {
    name: 'a sparse array of the greatest length',
    make: () => Object.assign([], { length: 4_294_967_295 }),
    expect: { type: 'object', truncated: true },
    says: ['more]'],
  },
  {
    name: 'an array of a million',
    make: () => Array.from({ length: 1_000_000 }, (_, index) => index),
    expect: { type: 'object', truncated: true },
    says: ['[999000 more]'],
  },
  {
    name: 'an object of 100,000 keys',
    make: () => Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`key${index}`, index])),
    expect: { type: 'object', truncated: true },
    says: ['"key0":0', '[99000 more]'],
  },
  { name: 'a circular object', make: circularObject, expect: { type: 'object' }, says: ['[Circular]'] },
  { name: 'a Date', make: () => new Date(0), expect: { type: 'object', message: '1970-01-01T00:00:00.000Z' } },
  { name: 'an invalid Date', make: () => new Date(Number.NaN), expect: { type: 'object', message: 'Invalid Date' } },
  { name: 'a Map', make: () => new Map([['a', 1n]]), expect: { type: 'object', message: 'Map {"a":"1n"}' } },
  {
    name: 'a Map with objects for keys',
    make: () => new Map([[{ id: 7 }, 'x']]),
    expect: { type: 'object', message: 'Map [[{"id":7},"x"]]' },
  },
  { name: 'a Set', make: () => new Set(['a', 'b']), expect: { type: 'object', message: 'Set ["a","b"]' } },
  { name: 'a typed array', make: () => new Float64Array(3), expect: { type: 'object', message: '[Float64Array: 24 bytes]' } },
  { name: 'a Buffer of 10 MB', make: () => Buffer.alloc(10_000_000), expect: { type: 'object', message: '[Buffer: 10000000 bytes]' } },
  { name: 'an ArrayBuffer', make: () => new ArrayBuffer(8), expect: { type: 'object', message: '[ArrayBuffer: 8 bytes]' } },
  { name: 'a rejected Promise', make: rejectedPromise, expect: { type: 'object', message: '[Promise]' } },
  { name: 'a RegExp', make: () => /a+/g, expect: { type: 'object', message: '/a+/g' } },
  { name: 'a URL', make: () => new URL('https://example.com/a?b=c'), expect: { type: 'object', message: 'https://example.com/a?b=c' } },
  { name: 'a WeakMap', make: () => new WeakMap(), expect: { type: 'object', message: '[WeakMap]' } },
  { name: 'a boxed string', make: () => Object('boxed') as unknown, expect: { type: 'object', message: 'boxed' } },
  { name: 'a generator', make: () => (function* steps() {})(), expect: { type: 'object' } },
  { name: 'an object with a toJSON that throws', make: () => ({ id: 7, toJSON: boom }), expect: { type: 'object' }, says: ['"id":7'] },
  {
    name: 'an object with a toJSON that gives itself',
    make: () => ({
      id: 7,
      toJSON() {
        return this;
      },
    }),
    expect: { type: 'object' },
    says: ['"id":7'],
  },
  {
    name: 'an object whose toString and Symbol.toPrimitive throw',
    make: () => ({ toString: boom, [Symbol.toPrimitive]: boom, id: 7 }),
    expect: { type: 'object' },
    says: ['"id":7'],
  },
  {
    name: 'an object of which every getter throws',
    make: () => thrower({ id: true, message: true, stack: true, cause: true, errors: true, code: true }),
    expect: { type: 'object', stack: '' },
    says: ['[Threw: boom]'],
  },
  {
    name: 'a Proxy of which every trap throws',
    make: () => new Proxy({}, everyTrapThrows()),
    expect: { type: 'object', stack: '' },
    says: ['boom'],
  },
  {
    name: 'a Proxy of a function of which every trap throws',
    make: () => new Proxy(() => {}, everyTrapThrows()),
    expect: { type: 'function', stack: '' },
  },
  { name: 'a revoked Proxy', make: () => revoked({}), expect: { type: 'object', stack: '' }, says: ['revoked'] },
  { name: 'a Proxy of an array, revoked', make: () => revoked([]), expect: { type: 'object', stack: '' } },
  { name: 'getters that give new objects for ever', make: endless, expect: { type: 'object', truncated: true } },
  {
    name: 'an object with the key __proto__',
    make: () => JSON.parse('{"__proto__":{"polluted":true}}') as unknown,
    expect: { type: 'object' },
    says: ['"__proto__":{"polluted":true}'],
  },
];

/** Everything that a job can throw to trouble those who write it down. */
export const hostileValues: readonly HostileValue[] = [...primitives, ...objects, ...hostileErrors, ...hostileContents];

function circularObject(): object {
  const object: Record<string, unknown> = { id: 7 };
  object['self'] = object;
  return object;
}

function rejectedPromise(): Promise<never> {
  const promise = Promise.reject(new Error('inside'));
  promise.catch(() => {});
  return promise;
}

function thrower(keys: object): object {
  return Object.defineProperties({}, Object.fromEntries(Object.keys(keys).map((key) => [key, { get: boom, enumerable: true }])));
}

function revoked(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function endless(): object {
  const next = (): object => endless();
  return Object.defineProperties({}, Object.fromEntries(['a', 'b', 'c'].map((key) => [key, { get: next, enumerable: true }])));
}
