import { z } from 'zod';
import { isPlainObject } from '../config/describe.ts';
import { didYouMean } from '../config/nearest.ts';
import { RedriveError } from '../errors.ts';
import type { FailedJobFilter } from '../record/failure-log.ts';
import { filterKeys, filterShape, type Reading } from './filter-keys.ts';

export { parseId } from './filter-keys.ts';

/** A filter of failed jobs as a program gives it. */
export const filterSchema = z.object(filterShape).partial();

/** The same as text: query parameters, or the `filter` of a JSON body, where `ids` may be a list. Read it with {@link readFilter}, which checks it further. */
export const filterTextSchema = z
  .object(
    Object.fromEntries(filterKeys.map(({ key, description }) => [key, textOf(key).describe(description)])) as Record<
      keyof FailedJobFilter,
      z.ZodType
    >,
  )
  .partial();

function textOf(key: keyof FailedJobFilter): z.ZodType {
  if (key === 'kind' || key === 'status') return filterShape[key];
  return key === 'ids' ? z.union([z.string(), z.array(z.union([z.string(), z.number()]))]) : z.string();
}

/** Checks a filter of failed jobs. Throws `FILTER_INVALID` with every fault; an unknown key names the nearest known one. */
export function checkFilter(filter: unknown): FailedJobFilter {
  if (!isPlainObject(filter)) throw invalid(['a filter is an object such as { queue: "mail" }']);
  const faults = unknownKeys(filter);
  const parsed = filterSchema.safeParse(filter);
  if (!parsed.success) faults.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  if (!parsed.success || faults.length > 0) throw invalid(faults);
  return withoutUndefined(parsed.data);
}

/**
 * Reads a filter from text: query parameters, or the `filter` of a JSON body. `now` is epoch ms, from which `24h` is counted
 * back. Throws `FILTER_INVALID` with every fault; an unknown key names the nearest known one.
 */
export function readFilter(texts: unknown, now: number): FailedJobFilter {
  if (!isPlainObject(texts)) throw invalid(['a filter is an object such as {"queue":"mail"}']);
  const faults = unknownKeys(texts);
  const filter: Record<string, unknown> = {};
  for (const { key, read } of filterKeys) {
    const given = texts[key];
    if (given === undefined) continue;
    const reading = readGiven(given, (text) => read(text, now), key);
    if ('fault' in reading) faults.push(`${key}: ${reading.fault}`);
    else filter[key] = reading.value;
  }
  if (faults.length > 0) throw invalid(faults);
  return filter;
}

/** The text from which {@link readFilter} makes the same filter; times are absolute. */
export function writeFilter(filter: FailedJobFilter): Record<string, string> {
  const texts = Object.entries(withoutUndefined(filter)).map(([key, value]: [string, unknown]) => [
    key,
    value instanceof Date ? value.toISOString() : String(value),
  ]);
  return Object.fromEntries(texts) as Record<string, string>;
}

function readGiven(given: unknown, read: (text: string) => Reading, key: keyof FailedJobFilter): Reading {
  if (typeof given === 'string') return read(given);
  if (!Array.isArray(given)) return { fault: 'must be text' };
  if (key !== 'ids') return { fault: 'must be given once' };
  const parsed = filterShape.ids.safeParse(given);
  return parsed.success ? { value: parsed.data } : { fault: parsed.error.issues[0]?.message ?? 'is not valid' };
}

function unknownKeys(filter: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(filter).flatMap((name) => {
    if (Object.hasOwn(filterShape, name)) return [];
    // A flag is not always called what its key is.
    const key = filterKeys.find(({ flag }) => flag === name)?.key;
    const hint = key === undefined ? didYouMean(name, Object.keys(filterShape)) : ` (did you mean "${key}"?)`;
    return [`${name}: no such filter${hint === '' ? `; known are ${Object.keys(filterShape).join(', ')}` : hint}`];
  });
}

function invalid(faults: readonly string[]): RedriveError {
  return new RedriveError('FILTER_INVALID', `The filter is not valid: ${faults.join('; ')}`, { faults });
}

function withoutUndefined(filter: FailedJobFilter): FailedJobFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}
