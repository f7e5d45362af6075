import { types } from 'node:util';
import { cutMiddle } from './text.ts';

const shortBytes = 200;

/** A field as read, or what its getter threw. */
export type FieldReading = { readonly value: unknown } | { readonly threw: unknown };

/** Reads a field of a foreign value, on which any access may throw. */
export function readField(target: object, key: PropertyKey): FieldReading {
  try {
    return { value: (target as Record<PropertyKey, unknown>)[key] };
  } catch (threw) {
    return { threw };
  }
}

/** The field's value; undefined where there is none or its getter throws. */
export function read(target: object, key: PropertyKey): unknown {
  try {
    return (target as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** True for an Error, also one of another realm, whose prototype is not ours; false where asking throws. */
export function isError(value: unknown): value is object {
  if (!isObject(value)) return false;
  try {
    return types.isNativeError(value) || value instanceof Error;
  } catch {
    return false;
  }
}

/** The name of the constructor; empty where there is none or asking throws. */
export function classNameOf(value: object): string {
  const constructor = read(value, 'constructor');
  const name = isObject(constructor) ? read(constructor, 'name') : undefined;
  return typeof name === 'string' ? name : '';
}

/** `error.name`, or the class's name where the class never set one; for what is no Error its `typeof`, `null` for null. */
export function typeNameOf(thrown: unknown): string {
  if (!isError(thrown)) return thrown === null ? 'null' : typeof thrown;
  const name = read(thrown, 'name');
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name;
  return classNameOf(thrown) || 'Error';
}

/** What a getter or method threw, in a few words. */
export function shortReasonOf(threw: unknown): string {
  const message = isObject(threw) ? read(threw, 'message') : threw;
  const reason = typeof message === 'string' ? message : typeNameOf(threw);
  return cutMiddle(reason, shortBytes).text;
}
