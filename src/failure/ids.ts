import { describe } from '../config/describe.ts';
import { RedriveError } from '../errors.ts';

/** Job ids and numbers of failed jobs as a list, from one or several. Throws `OPTIONS_INVALID` for what can be neither. */
export function checkIds(given: unknown): readonly (string | number)[] {
  const ids: readonly unknown[] = Array.isArray(given) ? given : [given];
  const bad = ids.find((id) => !isId(id));
  if (bad === undefined && !ids.includes(undefined)) return ids as readonly (string | number)[];
  throw new RedriveError(
    'OPTIONS_INVALID',
    `An id is a job's, such as the one dispatch returned, or the number of a failed job, not ${bad === '' ? 'an empty string' : describe(bad)}`,
  );
}

function isId(value: unknown): boolean {
  return (typeof value === 'string' && value.trim() !== '') || (typeof value === 'number' && Number.isSafeInteger(value));
}

/** The id of a job. Throws `OPTIONS_INVALID` for what can be none. */
export function checkJobId(id: unknown): string {
  if (typeof id === 'string' && id.trim() !== '') return id;
  throw new RedriveError(
    'OPTIONS_INVALID',
    `A job's id is text, such as the one dispatch returned, not ${id === '' ? 'an empty string' : describe(id)}`,
  );
}
