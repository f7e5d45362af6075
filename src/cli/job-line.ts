import { didYouMean } from '../config/nearest.ts';
import type { DispatchOptions } from '../dispatch/dispatcher.ts';
import { tryDurationMs } from '../duration.ts';
import { RedriveError } from '../errors.ts';

export interface JobLine {
  readonly name: string;
  readonly properties: object;
  readonly options: DispatchOptions;
}

const lineKeys = ['name', 'properties', 'options'] as const;

/** What a value of each option has to be; a transaction is nothing a line can carry. */
const optionChecks: Readonly<Record<string, readonly [holds: (value: unknown) => boolean, wanted: string]>> = {
  queue: [isName, 'a queue name'],
  connection: [isName, 'a connection name'],
  delay: [isDuration, 'a duration: seconds, or a string such as "30s"'],
  timeout: [isDuration, 'a duration: seconds, or a string such as "30s"'],
  priority: [(value) => Number.isSafeInteger(value), 'a whole number'],
  maxAttempts: [(value) => Number.isSafeInteger(value) && Number(value) >= 0, 'a whole number, 0 for no limit'],
  backoff: [
    (value) => isDuration(value) || isObject(value) || (Array.isArray(value) && value.every(isDuration)),
    'a duration, a list of them, or a policy',
  ],
};

/** Parses a line of `dispatch --file`: `{ "name": ..., "properties": {...}, "options": {...} }`. Throws what is wrong with it. */
export function parseJobLine(text: string, defaults: DispatchOptions): JobLine {
  const line = parseObject(text, 'the line');
  refuseUnknown(line, lineKeys, 'key');
  const { name, properties = {}, options = {} } = line;
  if (!isName(name)) throw new RedriveError('OPTIONS_INVALID', 'the line has no "name" of a job');
  if (!isObject(properties)) throw new RedriveError('PROPERTIES_INVALID', '"properties" is no object');
  if (!isObject(options)) throw new RedriveError('OPTIONS_INVALID', '"options" is no object');
  return { name, properties, options: { ...defaults, ...parseOptions(options) } };
}

/** Parses the JSON of properties. Throws `PROPERTIES_INVALID` for what is no object. */
export function parseProperties(text: string): object {
  return parseObject(text, 'the properties');
}

function parseObject(text: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RedriveError('PROPERTIES_INVALID', `${what}: not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (isObject(value)) return value;
  throw new RedriveError('PROPERTIES_INVALID', `${what}: a JSON object is wanted, such as {"userId":1}`);
}

function parseOptions(options: Record<string, unknown>): DispatchOptions {
  refuseUnknown(options, Object.keys(optionChecks), 'option');
  for (const [key, value] of Object.entries(options)) {
    const [holds, wanted] = optionChecks[key] ?? [() => false, 'left out'];
    if (!holds(value)) throw new RedriveError('OPTIONS_INVALID', `option "${key}" has to be ${wanted}`);
  }
  return options;
}

function refuseUnknown(value: object, known: readonly string[], what: string): void {
  const stray = Object.keys(value).find((key) => !known.includes(key));
  if (stray === undefined) return;
  throw new RedriveError('OPTIONS_INVALID', `unknown ${what} "${stray}"${didYouMean(stray, known)}; known are ${known.join(', ')}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function isDuration(value: unknown): boolean {
  return tryDurationMs(value) !== undefined;
}
