import { EventEmitter } from 'node:events';
import { createContext, runInContext } from 'node:vm';
import type { ExceptionSnapshot } from '../../src/record/types.ts';

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

const boom = (): never => {
  throw new Error('boom');
};
const context = createContext({});
const cut = (bytes: number): string => `…[${bytes} bytes cut]…`;

const primitives: readonly HostileValue[] = [
  { name: 'undefined', make: () => undefined, expect: { type: 'undefined', message: 'undefined', stack: '' } },
  { name: 'null', make: () => null, expect: { type: 'null', message: 'null', stack: '' } },
  { name: 'a string', make: () => 'out of paper', expect: { type: 'string', message: 'out of paper', stack: '' } },
  { name: 'an empty string', make: () => '', expect: { type: 'string', message: '' } },
  { name: 'a string of 10 MB', make: () => 'x'.repeat(10_000_000), expect: { type: 'string', truncated: true }, says: [cut(9_934_496)] },
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
  { name: 'a class', make: () => class Bomb {}, expect: { type: 'function', message: '[Function Bomb]' } },
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

const errors: readonly HostileValue[] = [
  { name: 'an Error', make: () => new Error('plain'), expect: { type: 'Error', message: 'plain' }, says: ['hostile-values'] },
  {
    name: 'a subclass that sets no name',
    make: () => new (class PaymentError extends Error {})('declined'),
    expect: { type: 'PaymentError', message: 'declined' },
  },
  {
    name: 'an Error with another name',
    make: () => Object.assign(new Error('x'), { name: 'Renamed' }),
    expect: { type: 'Renamed', message: 'x' },
  },
  {
    name: 'an Error whose name is a number',
    make: () => Object.assign(new TypeError('x'), { name: 7 }),
    expect: { type: 'TypeError', fields: { name: 7 } },
  },
  { name: 'an Error whose name is empty', make: () => Object.assign(new RangeError('x'), { name: '' }), expect: { type: 'RangeError' } },
  { name: 'an Error of an anonymous class', make: () => new (class extends Error {})('x'), expect: { type: 'Error', message: 'x' } },
  {
    name: 'a name of 1 MB',
    make: () => Object.assign(new Error('x'), { name: 'N'.repeat(1_000_000) }),
    expect: { message: 'x', truncated: true },
    says: [' bytes cut]…'],
  },
  {
    name: 'an Error without a stack',
    make: () => Object.assign(new Error('x'), { stack: undefined }),
    expect: { type: 'Error', message: 'x', stack: '' },
  },
  { name: 'an Error whose stack was deleted', make: withoutStack, expect: { type: 'Error', message: 'x', stack: '' } },
  {
    name: 'an Error whose stack is an array',
    make: () => Object.assign(new Error('x'), { stack: ['a'] }),
    expect: { message: 'x', stack: '' },
  },
  {
    name: 'an Error whose stack can only be got',
    make: () => Object.defineProperty(new Error('x'), 'stack', { get: () => 'Error: x\n    at somewhere' }),
    expect: { message: 'x', stack: 'Error: x\n    at somewhere' },
  },
  {
    name: 'an Error whose stack was never formatted and cannot be any more',
    make: unformatted,
    expect: { type: 'Error', message: '[Threw: boom]' },
  },
  {
    name: 'an Error with a throwing getter',
    make: () => withGetters(['field']),
    expect: { type: 'Error', message: 'kept', fields: { field: '[Threw: boom]', ok: 1 } },
  },
  { name: 'an Error whose getter throws itself', make: throwingItself, says: ['[Threw: self]'] },
  {
    name: 'an Error of which message, stack, name, code, cause and constructor throw',
    make: () => withGetters(['stack', 'message', 'name', 'code', 'cause', 'constructor', 'errors']),
    expect: { type: 'Error', message: '[Threw: boom]', stack: '' },
    says: ['"ok":1'],
  },
  {
    name: 'an Error whose Symbol.toStringTag throws',
    make: () => Object.defineProperty(new Error('kept'), Symbol.toStringTag, { get: boom }),
    expect: { type: 'Error', message: 'kept' },
  },
  {
    name: 'an Error whose message is an object',
    make: () => Object.assign(new Error('x'), { message: { reason: 'odd' } }),
    expect: { type: 'Error', message: '{"reason":"odd"}' },
  },
  {
    name: 'an Error whose message is undefined',
    make: () => Object.assign(new Error('x'), { message: undefined }),
    expect: { type: 'Error', message: '' },
  },
  {
    name: 'an Error whose message is a symbol',
    make: () => Object.assign(new Error('x'), { message: Symbol('odd') }),
    expect: { message: 'Symbol(odd)' },
  },
  {
    name: 'a message of 10 MB',
    make: () => new Error('x'.repeat(10_000_000)),
    expect: { type: 'Error', truncated: true },
    says: [cut(9_934_496), 'hostile-values'],
  },
  { name: 'a message of 10 MB of quotes, which JSON escapes', make: () => new Error('"'.repeat(10_000_000)), expect: { truncated: true } },
  {
    name: 'a message of 10 MB of control characters, six bytes each in JSON',
    make: () => new Error('\u0001'.repeat(10_000_000)),
    expect: { truncated: true },
  },
  { name: 'a message of emoji that is too long', make: () => new Error('😀'.repeat(50_000)), expect: { truncated: true }, says: ['😀…['] },
  {
    name: 'NUL characters',
    make: () => Object.assign(new Error('a\0b'), { 'k\0': 'v\0' }),
    expect: { message: 'a\uFFFDb', fields: { 'k\uFFFD': 'v\uFFFD' } },
  },
  {
    name: 'lone surrogates',
    make: () => Object.assign(new Error('a\uD800b\uDC00'), { code: '\uDFFF', field: '\uD83D' }),
    expect: { message: 'a\uFFFDb\uFFFD', code: '\uFFFD', fields: { field: '\uFFFD' } },
  },
  {
    name: 'a circular cause',
    make: circularCause,
    expect: {
      message: 'one',
      cause: { type: 'Error', message: 'two', stack: '', cause: { type: 'Error', message: '[Circular]', stack: '' } },
    },
  },
  {
    name: 'an Error that is its own cause',
    make: ownCause,
    expect: { message: 'x', cause: { type: 'Error', message: '[Circular]', stack: '' } },
  },
  { name: 'a cause chain of 1,000', make: chainOfCauses, expect: { message: 'cause 1000', truncated: true }, says: ['cause 950'] },
  {
    name: 'a cause that is no Error',
    make: () => new Error('x', { cause: 'the paper' }),
    expect: { cause: { type: 'string', message: 'the paper', stack: '' } },
  },
  {
    name: 'a cause that is null',
    make: () => new Error('x', { cause: null }),
    expect: { cause: { type: 'null', message: 'null', stack: '' } },
  },
  {
    name: 'an AggregateError',
    make: () => new AggregateError([new TypeError('first'), 'second'], 'both'),
    expect: { type: 'AggregateError', message: 'both' },
    says: ['"message":"first"', '"message":"second"'],
  },
  {
    name: 'an AggregateError of AggregateErrors',
    make: () => new AggregateError([new AggregateError([new Error('inner')], 'middle')], 'outer'),
    expect: { message: 'outer' },
    says: ['middle', 'inner'],
  },
  {
    name: 'an AggregateError of 10,000',
    make: () =>
      new AggregateError(
        Array.from({ length: 10_000 }, (_, index) => new Error(`no. ${index};`)),
        'many',
      ),
    expect: { message: 'many', truncated: true },
    says: ['no. 99;'],
  },
  {
    name: 'an Error that contains itself in errors',
    make: insideItself,
    expect: { message: 'x', errors: [{ type: 'Error', message: '[Circular]', stack: '' }] },
  },
  {
    name: 'causes and errors that multiply for ever',
    make: () => new Hydra('head'),
    expect: { type: 'Hydra', message: 'head', truncated: true },
  },
  {
    name: 'cyclic fields',
    make: cyclicFields,
    expect: { fields: { self: { name: 'Error', message: 'x', stack: '', self: '[Circular]' } } },
  },
  {
    name: 'a BigInt, a Map, a Set and a Date in fields',
    make: () => Object.assign(new Error('x'), { big: 9n, map: new Map([['a', 1]]), set: new Set([2]), at: new Date(0) }),
    expect: { fields: { big: '9n', map: { a: 1 }, set: [2], at: '1970-01-01T00:00:00.000Z' } },
  },
  {
    name: 'functions, symbols, undefined, NaN and -0 in fields',
    make: () => Object.assign(new Error('x'), { run: function run() {}, sign: Symbol('s'), none: undefined, nan: Number.NaN, zero: -0 }),
    expect: { fields: { run: '[Function run]', sign: 'Symbol(s)', none: 'undefined', nan: 'NaN', zero: 0 } },
  },
  {
    name: 'a toJSON that throws in a field',
    make: () => Object.assign(new Error('x'), { field: { id: 7, toJSON: boom } }),
    expect: { message: 'x' },
    says: ['"id":7'],
  },
  {
    name: 'a Proxy that throws in a field',
    make: () => Object.assign(new Error('x'), { field: new Proxy({}, everyTrapThrows()), ok: 1 }),
    expect: { fields: { field: '[Unreadable: boom]', ok: 1 } },
  },
  {
    name: 'a field of 10 MB',
    make: () => Object.assign(new Error('x'), { body: 'b'.repeat(10_000_000), ok: 1 }),
    expect: { truncated: true },
    says: [' bytes cut]…', '"ok":1'],
  },
  {
    name: '300 fields of 64 KiB',
    make: () =>
      Object.assign(new Error('x'), Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, 'v'.repeat(65_000)]))),
    expect: { message: 'x', truncated: true },
    says: ['more]'],
  },
  {
    name: 'a field 10,000 levels deep',
    make: () => Object.assign(new Error('x'), { deep: nested(10_000) }),
    expect: { message: 'x', truncated: true },
  },
  {
    name: 'sockets and streams in a field',
    make: () => Object.assign(new Error('x'), { request: Object.assign(new EventEmitter(), { path: '/pay', socket: new EventEmitter() }) }),
    says: ['"path":"/pay"'],
  },
  { name: 'a DOMException', make: () => new DOMException('gone', 'AbortError'), expect: { type: 'AbortError', message: 'gone', code: 20 } },
  {
    name: "an aborted signal's reason",
    make: () => AbortSignal.abort().reason as unknown,
    expect: { type: 'AbortError', message: 'This operation was aborted' },
  },
  {
    name: 'an Error of another realm',
    make: () => runInContext('new TypeError("from afar")', context) as unknown,
    expect: { type: 'TypeError', message: 'from afar' },
  },
  {
    name: 'a subclass of another realm',
    make: () => runInContext('new (class FarError extends Error {})("from afar")', context) as unknown,
    expect: { type: 'FarError', message: 'from afar' },
  },
  {
    name: 'an object that only inherits from Error',
    make: () => Object.create(Error.prototype) as unknown,
    expect: { type: 'Error', message: '', stack: '' },
  },
  {
    name: 'an Error without a prototype',
    make: () => Object.setPrototypeOf(new Error('x'), null) as unknown,
    expect: { type: 'Error', message: 'x' },
  },
  {
    name: 'a frozen Error',
    make: () => Object.freeze(Object.assign(new Error('x'), { id: 7 })),
    expect: { message: 'x', fields: { id: 7 } },
  },
  { name: 'a Proxy of an Error', make: () => new Proxy(new RangeError('x'), {}), expect: { type: 'RangeError', message: 'x' } },
  {
    name: "an error of Node's system calls",
    make: () =>
      Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:80'), { errno: -111, code: 'ECONNREFUSED', syscall: 'connect', port: 80 }),
    expect: { code: 'ECONNREFUSED', fields: { errno: -111, syscall: 'connect', port: 80 } },
  },
  { name: 'a code that is NaN', make: () => Object.assign(new Error('x'), { code: Number.NaN }), expect: { fields: { code: 'NaN' } } },
  {
    name: 'a code that is an object',
    make: () => Object.assign(new Error('x'), { code: { n: 1 } }),
    expect: { fields: { code: { n: 1 } } },
  },
  {
    name: 'errors that are no array',
    make: () => Object.assign(new Error('x'), { errors: { email: 'missing' } }),
    expect: { fields: { errors: { email: 'missing' } } },
  },
  {
    name: 'a method named cause',
    make: () =>
      new (class VError extends Error {
        cause() {}
      })('x'),
    expect: { type: 'VError', message: 'x' },
  },
];

/** Everything that a job can throw to trouble those who write it down. */
export const hostileValues: readonly HostileValue[] = [...primitives, ...objects, ...errors];

class Hydra extends Error {
  override get cause(): unknown {
    return new Hydra('neck');
  }
  get errors(): unknown[] {
    return [new Hydra('left'), new Hydra('right')];
  }
}

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

function withGetters(keys: readonly string[]): Error {
  const error = Object.assign(new Error('kept'), { ok: 1 });
  for (const key of keys) Object.defineProperty(error, key, { get: boom, enumerable: true });
  return error;
}

/** V8 puts name and message into the stack when it is first read. */
function unformatted(): Error {
  return Object.defineProperties(new Error('x'), { name: { get: boom }, message: { get: boom }, toString: { get: boom } });
}

function throwingItself(): Error {
  const error = new Error('self');
  return Object.defineProperty(error, 'field', {
    enumerable: true,
    get: () => {
      throw error;
    },
  });
}

function everyTrapThrows(): ProxyHandler<object> {
  return new Proxy({}, { get: () => boom });
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

function withoutStack(): Error {
  const error = new Error('x');
  delete error.stack;
  return error;
}

function circularCause(): Error {
  const one = new Error('one');
  const two = Object.assign(new Error('two', { cause: one }), { stack: '' });
  one.cause = two;
  return one;
}

function ownCause(): Error {
  const error = new Error('x');
  error.cause = error;
  return error;
}

function chainOfCauses(): Error {
  let error = new Error('cause 0');
  for (let index = 1; index <= 1_000; index += 1) error = new Error(`cause ${index}`, { cause: error });
  return error;
}

function insideItself(): Error {
  const error: Error & { errors?: unknown[] } = new Error('x');
  error.errors = [error];
  return error;
}

function cyclicFields(): Error {
  const error: Error & { self?: unknown } = Object.assign(new Error('x'), { stack: '' });
  error.self = error;
  return error;
}

function nested(levels: number): object {
  let object: object = {};
  for (let index = 0; index < levels; index += 1) object = { inner: object };
  return object;
}
