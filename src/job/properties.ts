import { types } from 'node:util';
import { describe, isPlainObject, reasonOf } from '../config/describe.ts';
import { below, here, pathText, type Finding } from '../config/finding.ts';
import { RedriveError } from '../errors.ts';

// Deeper than any payload, and shallow enough for every JSON parser and for the call stack.
const maxDepth = 200;

/**
 * The JSON text of a job's properties. Plain JSON only: what JSON would drop or change without a word is refused, but for
 * fields that are `undefined`, which are left out, and -0, which becomes 0. No properties at all are `{}`.
 * Throws `PROPERTIES_INVALID`, naming the job, the path and what to pass instead.
 */
export function encodeProperties(value: unknown, jobName: string): string {
  if (value === undefined) return '{}';
  const finding = isObject(value) && !isArray(value) ? faultIn(value, []) : here(`${are(value)}; pass a plain object`);
  if (finding !== undefined) throw refused(jobName, `${pathText(finding.path, 'properties')} ${finding.text}`);
  try {
    return JSON.stringify(value);
  } catch (error) {
    // A getter that answered the check and not this, or a text longer than a string can be.
    throw refused(jobName, `properties cannot be written as JSON: ${reasonOf(error)}`);
  }
}

function refused(jobName: string, text: string): RedriveError {
  return new RedriveError('PROPERTIES_INVALID', `Job ${JSON.stringify(jobName)}: ${text}`);
}

/** The first thing in a value that JSON cannot carry. Paths are made on the way back, so that what is fine costs none. */
function faultIn(value: unknown, ancestors: object[]): Finding | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return undefined;
  if (typeof value === 'object') return faultInObject(value, ancestors);
  if (typeof value !== 'number') return here(unfit(value));
  return Number.isFinite(value) ? undefined : here(`is ${value}, which JSON cannot carry; pass null, or leave it out`);
}

function faultInObject(value: object, ancestors: object[]): Finding | undefined {
  if (ancestors.includes(value)) return here('is one of the objects that hold it: a cycle, which JSON cannot carry; pass an id instead');
  if (ancestors.length >= maxDepth)
    return here(`is nested more than ${maxDepth} levels deep; pass flatter data, or store it elsewhere and pass its id`);
  const array = isArray(value);
  if (array ? !isPlainArray(value) : !isPlainObject(value)) return here(unfit(value));
  ancestors.push(value);
  const finding = array ? faultInArray(value as readonly unknown[], ancestors) : faultInFields(value as Record<string, unknown>, ancestors);
  ancestors.pop();
  return finding;
}

function faultInFields(object: Record<string, unknown>, ancestors: object[]): Finding | undefined {
  let key: string | undefined;
  try {
    if (typeof object['toJSON'] === 'function') return here('has a toJSON method, which would replace it; pass what that method returns');
    for (key of Object.keys(object)) {
      const field = object[key];
      const finding = field === undefined ? undefined : faultIn(field, ancestors);
      if (finding !== undefined) return under(key, finding);
    }
    return faultInSymbols(object);
  } catch (error) {
    return unreadable(key, error);
  }
}

function faultInArray(array: readonly unknown[], ancestors: object[]): Finding | undefined {
  let index = 0;
  try {
    for (; index < array.length; index += 1) {
      const element = array[index];
      const finding =
        element === undefined
          ? here('is undefined in an array, which JSON would turn into null; pass null, or leave it out')
          : faultIn(element, ancestors);
      if (finding !== undefined) return under(index, finding);
    }
    // What a RegExp match carries, say: JSON drops all but the elements.
    const names = Object.keys(array);
    if (names.length > array.length)
      return here(
        `is an array with a field of its own, ${JSON.stringify(names.at(-1))}, which JSON would drop; pass a plain object or a plain array`,
      );
    return faultInSymbols(array);
  } catch (error) {
    return unreadable(index, error);
  }
}

function faultInSymbols(object: object): Finding | undefined {
  for (const symbol of Object.getOwnPropertySymbols(object)) {
    if (Object.prototype.propertyIsEnumerable.call(object, symbol))
      return under(symbol, here('has a symbol as its key, which JSON would drop; use a string'));
  }
  return undefined;
}

function under(key: PropertyKey, finding: Finding): Finding | undefined {
  return below(key, [finding])[0];
}

function unreadable(key: PropertyKey | undefined, error: unknown): Finding | undefined {
  const finding = here(`cannot be read: ${reasonOf(error)}; pass plain data`);
  return key === undefined ? finding : under(key, finding);
}

function unfit(value: unknown): string {
  return `${are(value)}, which JSON cannot carry; ${hint(value)}`;
}

function are(value: unknown): string {
  return `is ${describe(value)}`;
}

/** What to pass instead. */
function hint(value: unknown): string {
  if (typeof value === 'bigint') return 'pass String(value)';
  if (typeof value === 'symbol') return 'pass its description as a string';
  if (typeof value === 'function') return 'pass data, and let the job do the work';
  if (types.isDate(value)) return 'pass an ISO string: value.toISOString()';
  if (types.isMap(value)) return 'pass Object.fromEntries(value)';
  if (types.isSet(value)) return 'pass an array: [...value]';
  if (types.isUint8Array(value) && Buffer.isBuffer(value)) return "pass a base64 string: value.toString('base64')";
  if (types.isArrayBufferView(value) || types.isAnyArrayBuffer(value)) return "pass a base64 string: Buffer.from(value).toString('base64')";
  if (types.isPromise(value)) return 'await it';
  // Only now: what follows asks for the prototype, which a Proxy may refuse to tell.
  if (types.isProxy(value)) return 'pass a plain object';
  if (types.isRegExp(value) || value instanceof URL) return 'pass String(value)';
  if (types.isNativeError(value)) return 'pass { name, message } of it';
  return 'pass a plain object with its data, such as { ...value }';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** `Array.isArray` throws for a revoked Proxy. */
function isArray(value: object): boolean {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** False for an instance of a class that extends Array; true for an array of another realm. */
function isPlainArray(value: object): boolean {
  try {
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === Array.prototype || Array.isArray(prototype);
  } catch {
    return false;
  }
}
