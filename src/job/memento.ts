import { RedriveError } from '../errors.ts';
import type { BackoffPolicy, PlainBackoff } from './backoff.ts';
import type { UniqueScope } from './define.ts';
import type { JsonObject } from './json.ts';

/** What a dispatch said about how to run the job; milliseconds. */
export interface StoredOptions {
  readonly maxAttempts?: number;
  readonly backoff?: PlainBackoff;
  readonly timeoutMs?: number;
  readonly priority?: number;
  /** The key the job holds, should it have to be taken again by a retry. */
  readonly unique?: { readonly key: string; readonly scope: UniqueScope };
}

/** A job as it is serialised for storage. */
export interface Memento {
  readonly id: string;
  readonly name: string;
  readonly properties: JsonObject;
  readonly options: StoredOptions;
  readonly createdAt: number;
}

/** The text to store. `properties` come as checked JSON text, so that they are serialised once. */
export function encodeMemento(head: Omit<Memento, 'properties'>, properties: string): string {
  const { id, name, createdAt, options } = head;
  return `{"id":${JSON.stringify(id)},"name":${JSON.stringify(name)},"createdAt":${createdAt},"options":${JSON.stringify(options)},"properties":${properties}}`;
}

/** Reads a stored job. Throws `PAYLOAD_UNREADABLE` with the reason for what is none. */
export function decodeMemento(text: string): Memento {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RedriveError('PAYLOAD_UNREADABLE', `The stored job is no JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!isObject(value)) throw unreadable('it is not a JSON object');
  const { id, name, properties, options = {}, createdAt = 0 } = value;
  if (typeof id !== 'string' || typeof name !== 'string') throw unreadable('it has no id or no name');
  if (!isObject(properties)) throw unreadable('its properties are not a JSON object');
  return {
    id,
    name,
    properties: properties as JsonObject,
    options: readOptions(options),
    createdAt: typeof createdAt === 'number' ? createdAt : 0,
  };
}

/** What a dispatch said; nothing where the stored job cannot be read, which is why it failed. */
export function storedOptions(memento: string): StoredOptions {
  try {
    return decodeMemento(memento).options;
  } catch {
    return {};
  }
}

function readOptions(value: unknown): StoredOptions {
  if (!isObject(value)) throw unreadable('its options are not a JSON object');
  const { maxAttempts, timeoutMs, backoff, priority, unique } = value;
  return {
    ...(isCount(maxAttempts) ? { maxAttempts } : {}),
    ...(isCount(timeoutMs) ? { timeoutMs } : {}),
    ...(isPlainBackoff(backoff) ? { backoff } : {}),
    ...(Number.isSafeInteger(priority) ? { priority: priority as number } : {}),
    ...(isUnique(unique) ? { unique } : {}),
  };
}

function isPlainBackoff(value: unknown): value is PlainBackoff {
  if (Array.isArray(value)) return value.length > 0 && value.every(isCount);
  if (!isObject(value)) return false;
  const policy = value as Partial<BackoffPolicy>;
  return ['constant', 'linear', 'exponential'].includes(policy.policy ?? '') && isCount(policy.baseMs) && isCount(policy.maxMs);
}

function isUnique(value: unknown): value is NonNullable<StoredOptions['unique']> {
  return isObject(value) && typeof value['key'] === 'string' && ['queued', 'live', 'failed'].includes(String(value['scope']));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(why: string): RedriveError {
  return new RedriveError('PAYLOAD_UNREADABLE', `The stored job cannot be read: ${why}`);
}
