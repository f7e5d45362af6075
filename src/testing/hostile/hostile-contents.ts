import { EventEmitter } from 'node:events';
import { boom, everyTrapThrows } from './hostile-parts.ts';
import type { HostileValue } from './hostile-values.ts';

/** Errors among what a job can throw that trouble by their causes, aggregated errors and fields. */
export const hostileContents: readonly HostileValue[] = [
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
];

class Hydra extends Error {
  override get cause(): unknown {
    return new Hydra('neck');
  }
  get errors(): unknown[] {
    return [new Hydra('left'), new Hydra('right')];
  }
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
