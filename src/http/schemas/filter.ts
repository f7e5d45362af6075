import { z } from '@hono/zod-openapi';
import { filterTextSchema } from '../../failure/filter.ts';
import { filterKeys } from '../../failure/filter-keys.ts';
import type { FailedJobFilter } from '../../record/failure-log.ts';

// The filter of failed jobs in the document. Its values are read by the language that flags and the API share.

/** The filter's keys as query parameters; `ids` is one text with commas. */
export const filterQuery = Object.fromEntries(
  filterKeys.map(({ key, description }) => [
    key,
    (key === 'ids' ? z.string() : filterTextSchema.shape[key]).optional().openapi({ description: sentence(description) }),
  ]),
) as unknown as Record<keyof FailedJobFilter, z.ZodOptional<z.ZodType<string>>>;

/** Flags are told of in a phrase. */
function sentence(phrase: string): string {
  return `${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}.`;
}

/** The filter in a JSON body; no key narrows nothing. */
export const filterBody = z.strictObject(filterTextSchema.shape).openapi('Filter');
