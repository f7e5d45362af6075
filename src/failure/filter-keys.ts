import { z } from 'zod';
import { didYouMean } from '../config/nearest.ts';
import type { FailedJobFilter, FailedJobStatus } from '../record/failure-log.ts';
import { failureKinds } from '../record/types.ts';
import { pointInTimeForms, readPointInTime } from './point-in-time.ts';

// The language in which failed jobs are chosen: one table of its words for the API, the flags and the query parameters.

const longestText = 1_000;
const mostIds = 1_000;

export const filterStatuses = ['failed', 'retrying', 'resolved', 'any'] as const satisfies readonly (FailedJobStatus | 'any')[];

const text = z
  .string('must be text')
  .refine((value) => value.trim() !== '', 'is empty')
  .max(longestText, `is longer than ${longestText} characters`)
  // No record holds one, and PostgreSQL refuses the whole query.
  .refine((value) => !value.includes('\0'), 'holds a NUL character');
const date = z.date('must be a valid Date');

const word = <Word extends string>(words: readonly Word[]) =>
  z.enum(words, { error: ({ input }) => `must be one of ${words.join(', ')}${typeof input === 'string' ? didYouMean(input, words) : ''}` });

/** Ids as people type them: digits are a failed job's number, anything else a job's id. */
export function parseId(id: string | number): string | number {
  return typeof id === 'string' && /^\d{1,15}$/.test(id) ? Number(id) : id;
}

const noId = 'must be a job id or the number of a failed job';
const id = z.union([z.int(noId).positive(noId), text.transform(parseId)], noId);
const ids = z.array(id, 'must be a list of ids').max(mostIds, `must not be more than ${mostIds}`);

/** Every key of a {@link FailedJobFilter} with its check. */
export const filterShape = {
  ids,
  connection: text,
  queue: text,
  job: text,
  type: text,
  kind: word(failureKinds),
  fingerprint: text,
  text,
  since: date,
  until: date,
  status: word(filterStatuses),
  release: text,
};

/** What was read from text, or why nothing was. */
export type Reading = { readonly value: unknown } | { readonly fault: string };

/** One key of the filter as flags and query parameters have it. */
export interface FilterKey {
  /** The query parameter is called the same. */
  readonly key: keyof FailedJobFilter;
  /** Its flag without dashes. */
  readonly flag: string;
  /** What stands for its value in a help text, such as `<name>`. */
  readonly value: string;
  readonly description: string;
  /** `now` is epoch ms: what `24h` is counted back from. */
  readonly read: (text: string, now: number) => Reading;
}

/** Every key of the filter, in the order in which a help text lists them. */
export const filterKeys: readonly FilterKey[] = [
  key('ids', '<ids>', 'only these: numbers of failed jobs or job ids, with commas between them', {
    read: (given) =>
      checked(
        'ids',
        given.split(',').map((part) => part.trim()),
      ),
  }),
  key('connection', '<name>', 'only of this connection'),
  key('queue', '<queue>', 'only of this queue'),
  key('job', '<name>', 'only jobs of this name'),
  key('type', '<type>', 'only exceptions of this type, such as TypeError'),
  key('kind', '<kind>', `only failures of this kind: ${failureKinds.join(', ')}`),
  key('fingerprint', '<fingerprint>', 'only failures of this group', { flag: 'group' }),
  key('text', '<text>', 'only where the message or the properties hold this text, in any case'),
  key('since', '<time>', 'only failed at or after this time: 24h (ago), or 2026-11-22T12:30:00Z', { read: readTime }),
  key('until', '<time>', 'only failed before this time', { read: readTime }),
  key('status', '<status>', `only of this status: ${filterStatuses.join(', ')} (default: failed)`),
  key('release', '<release>', 'only where the last attempt was of this release'),
];

function key(
  name: keyof FailedJobFilter,
  value: string,
  description: string,
  { flag = name, read = (given) => checked(name, given) }: { readonly flag?: string; readonly read?: FilterKey['read'] } = {},
): FilterKey {
  return { key: name, flag, value, description, read: (given, now) => (given.trim() === '' ? { fault: 'is empty' } : read(given, now)) };
}

function readTime(given: string, now: number): Reading {
  const value = readPointInTime(given, now);
  return value === undefined ? { fault: `must be ${pointInTimeForms}` } : { value };
}

function checked(name: keyof FailedJobFilter, given: unknown): Reading {
  const parsed = filterShape[name].safeParse(given);
  return parsed.success ? { value: parsed.data } : { fault: parsed.error.issues[0]?.message ?? 'is not valid' };
}
