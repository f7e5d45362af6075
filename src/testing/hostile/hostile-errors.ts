import { createContext, runInContext } from 'node:vm';
import { boom, cutMark } from './hostile-parts.ts';
import type { HostileValue } from './hostile-values.ts';

const context = createContext({});

/** Errors among what a job can throw that trouble by what they are and say themselves. */
export const hostileErrors: readonly HostileValue[] = [
  { name: 'an Error', make: () => new Error('plain'), expect: { type: 'Error', message: 'plain' }, says: ['hostile-errors'] },
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
    says: [cutMark(9_934_496), 'hostile-errors'],
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
    make: withCauseMethod,
    expect: { type: 'VError', message: 'x' },
  },
];

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

function withoutStack(): Error {
  const error = new Error('x');
  delete error.stack;
  return error;
}

/** Some older libraries give their Errors a method of this name. */
function withCauseMethod(): Error {
  class VError extends Error {}
  Object.defineProperty(VError.prototype, 'cause', { value: () => new Error('why') });
  return new VError('x');
}
