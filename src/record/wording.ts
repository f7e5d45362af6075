import { types } from 'node:util';
import { classNameOf, read, shortReasonOf } from './guarded-reading.ts';

const longestBigInt = 10n ** 1000n;

/**
 * The text for a value that JSON has no word for: `NaN`, `123n`, `Symbol(x)`, `[Function name]`, `[Buffer: 12 bytes]`, a Date's ISO form.
 * Undefined for what JSON carries as it is, and for an object that is told by its fields or entries. Never throws.
 */
export function wordFor(value: unknown): string | undefined {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? undefined : String(value);
    case 'bigint':
      // Writing out a BigInt of a megabyte takes seconds; comparing it takes none.
      return value < longestBigInt && value > -longestBigInt ? `${value}n` : '[BigInt of more than 1000 digits]';
    case 'undefined':
    case 'symbol':
      return String(value);
    case 'function':
      return `[Function ${nameOf(value)}]`;
    case 'object':
      return value === null ? undefined : wordForObject(value);
    case 'string':
    case 'boolean':
      return undefined;
  }
}

function nameOf(value: object): string {
  const name = read(value, 'name');
  return typeof name === 'string' && name !== '' ? name : '(anonymous)';
}

// The checks of node:util look at what an object is, not at what it claims to be, and touch no trap or getter;
// the prototypes' own methods do what a subclass may have overridden with something that throws.
function wordForObject(value: object): string | undefined {
  if (types.isDate(value)) {
    return Number.isNaN(Date.prototype.getTime.call(value)) ? 'Invalid Date' : Date.prototype.toISOString.call(value);
  }
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
    return `[${classNameOf(value) || 'ArrayBuffer'}: ${String(read(value, 'byteLength'))} bytes]`;
  }
  if (types.isRegExp(value)) return regExpWord(value);
  if (types.isBoxedPrimitive(value)) return boxedWord(value);
  if (types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value)) return `[${classNameOf(value) || 'Object'}]`;
  return undefined;
}

function regExpWord(value: RegExp): string {
  try {
    return RegExp.prototype.toString.call(value);
  } catch (threw) {
    return `[RegExp that threw: ${shortReasonOf(threw)}]`;
  }
}

function boxedWord(value: object): string {
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value);
  if (types.isNumberObject(value)) return String(Number.prototype.valueOf.call(value));
  if (types.isBooleanObject(value)) return String(Boolean.prototype.valueOf.call(value));
  if (types.isSymbolObject(value)) return String(Symbol.prototype.valueOf.call(value));
  return wordFor(BigInt.prototype.valueOf.call(value)) ?? '[Object]';
}
