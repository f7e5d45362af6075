import { types } from 'node:util';

/** What a value is, for a message: `a Date`, `the class Mailer`, `undefined`. Not what is in it, which may be secret or large. Never throws. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return describeFunction(value);
  if (typeof value === 'object') return describeObject(value);
  return typeof value === 'bigint' ? 'a BigInt' : `a ${typeof value}`;
}

/** A small value as its writer wrote it, `"5 parsecs"`; anything else as {@link describe} has it. A URL is not shown: it may carry a password. */
export function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value !== 'string') return describe(value);
  if (value.includes('://')) return 'a URL';
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}

/** True for `{}`, `Object.create(null)`, a module namespace, and their like from another realm; false for arrays and class instances. Never throws. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    if (Array.isArray(value)) return false;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === null || prototype === Object.prototype) return true;
    // Another realm's Object.prototype: the only object that has this method of its own and no prototype.
    return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
  } catch {
    return false;
  }
}

/** The text of whatever was thrown, on one line. Never throws. */
export function reasonOf(thrown: unknown): string {
  try {
    const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
    return text.trim().split('\n', 1)[0]?.trim() ?? '';
  } catch {
    return 'something that cannot be inspected was thrown';
  }
}

function describeFunction(value: unknown): string {
  try {
    const { name } = value as { name?: unknown };
    const isClass = /^class\b/.test(Function.prototype.toString.call(value));
    if (typeof name !== 'string' || name === '') return isClass ? 'a class' : 'a function';
    return isClass ? `the class ${name}` : `the function ${name}`;
  } catch {
    return 'a function';
  }
}

function describeObject(value: object): string {
  try {
    if (types.isProxy(value)) return 'a Proxy';
    if (Array.isArray(value)) return 'an array';
    if (isPlainObject(value)) return 'an object';
    const { constructor } = value as { constructor?: unknown };
    const name = typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'class instance';
    return `${/^[AEIO]/i.test(name) ? 'an' : 'a'} ${name}`;
  } catch {
    return 'an object that cannot be inspected';
  }
}
