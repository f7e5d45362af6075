import { InvalidArgumentError } from 'commander';
import { didYouMean } from '../config/nearest.ts';
import type { Clock } from '../clock.ts';
import { tryDurationMs, type Duration } from '../duration.ts';
import { pointInTimeForms, readPointInTime } from '../failure/point-in-time.ts';
import { UsageError } from './faults.ts';

/** A whole number within bounds. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    const bounds = max === Number.MAX_SAFE_INTEGER ? (min === -max ? '' : ` of at least ${min}`) : ` from ${min} to ${max}`;
    throw new InvalidArgumentError(`Give a whole number${bounds}.`);
  };
}

/** A duration: digits are seconds, as a number is in code. */
export function duration(text: string): Duration {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (tryDurationMs(value) !== undefined) return value;
  throw new InvalidArgumentError('Give seconds, or a number with a unit such as 250ms, 30s, 5m, 2h or 7d.');
}

/** A point in time: how long ago (`24h`), or a date with or without a time, UTC where it names no zone. */
export function pointInTime(clock: Clock): (text: string) => Date {
  return (text) => {
    const date = readPointInTime(text, clock.now());
    if (date !== undefined) return date;
    throw new InvalidArgumentError(`Give ${pointInTimeForms}.`);
  };
}

/** One of a closed list. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`It is one of ${words.join(', ')}${didYouMean(text, words)}.`);
  };
}

export function notEmpty(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('It is empty.');
}

const idForm = /^[A-Za-z0-9][\w.:-]*$/;

/** A failed job's number where the text is digits, else a job id. */
export function failedJobId(text: string): string | number {
  if (!idForm.test(text)) throw new UsageError(`"${text}" is neither the number of a failed job nor a job id`);
  if (!/^\d+$/.test(text)) return text;
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw new UsageError(`"${text}" is too large for the number of a failed job`);
}

/** Ids as arguments, and as one list with commas; each only once. */
export function failedJobIds(texts: readonly string[], list: string | undefined): (string | number)[] {
  return [...new Set(idTexts(texts, list).map(failedJobId))];
}

/** The same for jobs that may not have failed, and so have no number. */
export function jobIds(texts: readonly string[], list: string | undefined): string[] {
  const ids = [...new Set(idTexts(texts, list))];
  for (const id of ids) if (!idForm.test(id)) throw new UsageError(`"${id}" is no job id`);
  return ids;
}

/** What is to be said of an id that no job has. */
export function noSuchJob(id: string): string {
  return /^\d+$/.test(id) ? 'there is no job of this id; digits are the number of a failed job' : 'there is no job of this id';
}

function idTexts(texts: readonly string[], list: string | undefined): string[] {
  const listed = list === undefined ? [] : list.split(',').map((text) => text.trim());
  if (list !== undefined && listed.every((text) => text === ''))
    throw new UsageError('--job-ids is empty; give ids with commas between them, such as --job-ids "1,2,3"');
  return [...texts, ...listed];
}
