import { inspect } from 'node:util';
import { isPlainObject } from '../config/describe.ts';

/** An `expect.any(Number)` and the like, of vitest, jest and their kin. */
interface Matcher {
  asymmetricMatch(value: unknown): boolean;
  toAsymmetricMatcher?(): string;
  toString(): string;
  /** What it was made of. */
  readonly sample?: unknown;
}

/**
 * What keeps a value from being the expected one, a line for each place; empty where they are equal. A field that is
 * undefined counts as missing, since a stored job has no such fields. Matchers such as `expect.any(Number)` are asked.
 */
export function differences(expected: unknown, actual: unknown, path = 'properties'): readonly string[] {
  if (isMatcher(expected)) return expected.asymmetricMatch(actual) ? [] : [differs(path, expected, actual)];
  if (Array.isArray(expected) && Array.isArray(actual)) return arrayDifferences(expected, actual, path);
  if (isPlainObject(expected) && isPlainObject(actual)) return objectDifferences(expected, actual, path);
  return Object.is(expected, actual) ? [] : [differs(path, expected, actual)];
}

/** A value on one line, short enough for a message. */
export function show(value: unknown): string {
  return inspect(presentable(value), { depth: 6, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 20, maxStringLength: 200 });
}

function arrayDifferences(expected: readonly unknown[], actual: readonly unknown[], path: string): readonly string[] {
  const length = Math.max(expected.length, actual.length);
  return Array.from({ length }, (_, index) => differences(expected[index], actual[index], `${path}[${index}]`)).flat();
}

function objectDifferences(expected: Record<string, unknown>, actual: Record<string, unknown>, path: string): readonly string[] {
  const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  return [...keys].flatMap((key) => differences(expected[key], actual[key], `${path}.${key}`));
}

function differs(path: string, expected: unknown, actual: unknown): string {
  if (actual === undefined) return `${path} is missing; expected ${show(expected)}`;
  if (expected === undefined) return `${path} is ${show(actual)}; not expected`;
  return `${path} is ${show(actual)}; expected ${show(expected)}`;
}

/** A copy in which matchers show what they ask for, not what they are made of. */
function presentable(value: unknown): unknown {
  if (isMatcher(value)) return { [inspect.custom]: () => matcherText(value) };
  if (Array.isArray(value)) return value.map(presentable);
  if (isPlainObject(value)) return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, presentable(field)]));
  return value;
}

function matcherText(matcher: Matcher): string {
  return (
    matcher.toAsymmetricMatcher?.() ?? (matcher.sample === undefined ? String(matcher) : `${String(matcher)}<${show(matcher.sample)}>`)
  );
}

function isMatcher(value: unknown): value is Matcher {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Matcher>).asymmetricMatch === 'function';
}
