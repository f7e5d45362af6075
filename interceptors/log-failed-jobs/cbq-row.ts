import { readCbqMemento } from '../../src/job/cbq-memento.ts';
import type { Json, JsonObject } from '../../src/job/json.ts';
import { caps } from '../../src/record/caps.ts';
import { JsonBudget } from '../../src/record/json-budget.ts';
import { plainJson } from '../../src/record/plain-json.ts';
import type { ExceptionSnapshot } from '../../src/record/types.ts';
import type { FailedJobRow } from './rows.ts';

// Rows that an old cbq wrote, read as ours. Nothing here throws: a row that says little is a failed job all the same.

/** What cbq says by other means than our own columns. */
export interface CbqFacts {
  readonly failedAt: number;
  readonly attempts: number;
  readonly maxAttempts: number;
}

export function readCbqFacts(row: Pick<FailedJobRow, 'memento' | 'failedDate'>): CbqFacts {
  const failedAt = readFailedDate(row.failedDate);
  try {
    const { attempts, options } = readCbqMemento(row.memento);
    // cbq's default where job and dispatch say nothing; what the pool said is not on record.
    return { failedAt, attempts: attempts ?? 1, maxAttempts: options.maxAttempts ?? 1 };
  } catch {
    return { failedAt, attempts: 1, maxAttempts: 1 };
  }
}

/** Seconds of this size are in the year 5138: it is milliseconds, in which some drivers write a timestamp into SQLite. */
const firstMilliseconds = 1e11;
const timestamp = /(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}(?:\.\d+)?) ?(Z|[+-]\d{2}(?::?\d{2})?)?/;

/**
 * Epoch milliseconds of a `failedDate`: unix seconds, or, in tables of before cbq 3, a timestamp, which is UTC where
 * it names no zone. 0 for what is neither.
 */
export function readFailedDate(value: unknown): number {
  if (value instanceof Date) return readFailedDate(value.getTime());
  if (typeof value === 'number') return withinDates(value < firstMilliseconds ? value * 1_000 : value);
  if (typeof value !== 'string') return 0;
  if (/^\d{1,15}(\.\d+)?$/.test(value)) return readFailedDate(Number(value));
  const [, date = '', time = '', zone = 'Z'] = timestamp.exec(value) ?? [];
  return withinDates(Date.parse(`${date}T${time}${/^[+-]\d{2}$/.test(zone) ? `${zone}:00` : zone}`));
}

function withinDates(ms: number): number {
  return ms >= 0 && ms <= 8.64e15 ? Math.round(ms) : 0;
}

/** Ours as it is; of a CFML exception what has a place in ours, and the rest as fields. */
export function readException(
  row: Pick<FailedJobRow, 'exception' | 'exceptionType' | 'exceptionMessage' | 'exceptionStackTrace'>,
): ExceptionSnapshot {
  const { exceptionType, exceptionMessage, exceptionStackTrace } = row;
  const said = { type: exceptionType ?? '', message: exceptionMessage ?? '', stack: exceptionStackTrace ?? '' };
  const value = parse<unknown>(row.exception, null);
  if (!isObject(value)) return said;
  if (isSnapshot(value)) return value;
  const message = Object.entries(value).find(([key]) => key.toLowerCase() === 'message')?.[1];
  // The column holds no more than 255 characters.
  return { ...said, ...(typeof message === 'string' && message !== '' ? { message } : {}), ...fieldsOf(value) };
}

const toldElsewhere = ['type', 'message', 'stacktrace'];

function fieldsOf(value: Record<string, unknown>): { fields?: JsonObject } {
  const rest = Object.entries(value).filter(([key, field]) => !toldElsewhere.includes(key.toLowerCase()) && field !== '' && field !== null);
  return rest.length === 0 ? {} : { fields: plainJson(Object.fromEntries(rest), new JsonBudget(caps.exceptionBytes)) as JsonObject };
}

/** cbq keeps any text there; ours is a JSON object. */
export function readExtendedInfo(text: string | null): JsonObject | null {
  if (text === null || text === '') return null;
  const value = parse<Json>(text, text);
  return isObject(value) ? value : { text };
}

/** The JSON in a column, or `otherwise` where there is none. */
export function parse<T>(text: string | null, otherwise: T): T {
  if (text === null || text === '') return otherwise;
  try {
    return JSON.parse(text) as T;
  } catch {
    return otherwise;
  }
}

function isSnapshot(value: object): value is ExceptionSnapshot {
  const { type, message, stack } = value as Partial<Record<string, unknown>>;
  return [type, message, stack].every((part) => typeof part === 'string');
}

function isObject<T>(value: T): value is T & Record<string, never> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
