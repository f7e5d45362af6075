import { z } from 'zod';
import { didYouMean } from '../config/nearest.ts';
import { RedriveError } from '../errors.ts';
import type { FailedJobFilter } from '../record/failure-log.ts';
import { failureKinds } from '../record/types.ts';

const name = z.string().min(1);
const date = z.date('must be a valid Date');

const shape = {
  ids: z.array(z.union([name, z.int().positive()])),
  connection: name,
  queue: name,
  job: name,
  type: name,
  kind: z.enum(failureKinds),
  fingerprint: name,
  text: name.max(1_000),
  since: date,
  until: date,
  status: z.enum(['failed', 'retrying', 'resolved', 'any']),
  release: name,
};
const schema = z.object(shape).partial();

/** Checks a filter of failed jobs. Throws `FILTER_INVALID` with every fault; an unknown key names the nearest known one. */
export function checkFilter(filter: unknown): FailedJobFilter {
  const faults: string[] = [];
  if (typeof filter !== 'object' || filter === null || Array.isArray(filter))
    faults.push('a filter is an object such as { queue: "mail" }');
  else
    for (const key of Object.keys(filter)) if (!(key in shape)) faults.push(`${key}: no such filter${didYouMean(key, Object.keys(shape))}`);
  const parsed = schema.safeParse(filter);
  if (faults.length === 0 && !parsed.success)
    faults.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  if (!parsed.success || faults.length > 0)
    throw new RedriveError('FILTER_INVALID', `The filter is not valid: ${faults.join('; ')}`, { faults });
  return parsed.data;
}

/** Ids as people type them: digits are a failed job's number, anything else a job's id. */
export function parseId(id: string | number): string | number {
  return typeof id === 'string' && /^\d{1,15}$/.test(id) ? Number(id) : id;
}
