import { RedriveError } from '../errors.ts';
import type { PlainBackoff } from './backoff.ts';
import type { JsonObject } from './json.ts';
import { encodeMemento, type StoredOptions } from './memento.ts';

/** What cbq's memento of a job says, as far as it means something here. */
export interface CbqMemento {
  readonly properties: JsonObject;
  /** What the dispatch or the job said about how to run it; not what the pool did. */
  readonly options: StoredOptions;
  /** Attempts made; undefined where it does not say. */
  readonly attempts: number | undefined;
  /** Jobs that were to follow this one. */
  readonly chained: number;
  readonly isOfBatch: boolean;
}

/** Reads a job as cbq serialised it. Throws `PAYLOAD_UNREADABLE` with the reason for what is none. */
export function readCbqMemento(text: string): CbqMemento {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable((error as Error).message, error);
  }
  if (!isObject(value)) throw unreadable('it is no JSON object');
  const { properties, currentAttempt, chained, batchId } = value;
  // cbq takes a memento without properties for one of a job that has none.
  if (properties !== undefined && properties !== null && !isObject(properties)) throw unreadable('its properties are no JSON object');
  return {
    properties: (properties ?? {}) as JsonObject,
    options: readOptions(value),
    attempts: wholeNumber(currentAttempt),
    chained: Array.isArray(chained) ? chained.length : 0,
    isOfBatch: typeof batchId === 'string' && batchId !== '',
  };
}

/** The same job as text in our form. */
export function recodeCbqMemento(
  { properties, options }: CbqMemento,
  head: { readonly id: string; readonly name: string; readonly createdAt: number },
): string {
  return encodeMemento({ ...head, options }, JSON.stringify(properties));
}

/** cbq counts in seconds. A timeout of 0 would have ended each attempt at once, while here it means none: it is left out. */
function readOptions({ maxAttempts, timeout, backoff }: Record<string, unknown>): StoredOptions {
  const attempts = wholeNumber(maxAttempts);
  const timeoutMs = milliseconds(timeout);
  const delays = readBackoff(backoff);
  return {
    ...(attempts === undefined ? {} : { maxAttempts: attempts }),
    ...(timeoutMs === undefined || timeoutMs === 0 ? {} : { timeoutMs }),
    ...(delays === undefined ? {} : { backoff: delays }),
  };
}

function readBackoff(value: unknown): PlainBackoff | undefined {
  const delays = (Array.isArray(value) ? (value as unknown[]) : [value]).map(milliseconds);
  const known = delays.filter((delay) => delay !== undefined);
  return known.length > 0 && known.length === delays.length ? known : undefined;
}

// CFML writes a number as 3, 3.0 or "3", as it sees fit.
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,10}(\.\d{1,10})?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && number >= 0 && number < 1e10 ? number : undefined;
}

function wholeNumber(value: unknown): number | undefined {
  const number = numberOf(value);
  return Number.isInteger(number) ? number : undefined;
}

function milliseconds(seconds: unknown): number | undefined {
  const number = numberOf(seconds);
  return number === undefined ? undefined : Math.round(number * 1_000);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(why: string, cause?: unknown): RedriveError {
  return new RedriveError('PAYLOAD_UNREADABLE', `The job as cbq stored it cannot be read: ${why}`, { cause });
}
