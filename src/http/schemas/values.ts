import { z } from '@hono/zod-openapi';

// Small schemas that many operations share.

const controlCharacters = /\p{Cc}/u;
const loneSurrogates = /\p{Cs}/u;

/** A name, or a short text of one line. */
export const nameText = z
  .string()
  .min(1, 'is empty')
  .max(255, 'is longer than 255 characters')
  .refine((text) => text.trim() !== '', 'is empty')
  .refine((text) => !controlCharacters.test(text), 'holds a control character')
  .refine((text) => !loneSurrogates.test(text), 'holds half of a surrogate pair');

/** A text that a person wrote for the record. */
export const noteText = z
  .string()
  .min(1, 'is empty')
  .max(10_000, 'is longer than 10,000 characters')
  .refine((text) => !text.includes('\0'), 'holds a NUL character')
  .refine((text) => !loneSurrogates.test(text), 'holds half of a surrogate pair');

export const byText = nameText.optional().openapi({
  description: 'Who asks, for the audit log. Default: the name of the token, or `http`.',
  example: 'alice',
});

export const delayText = z
  .union([z.number().min(0), z.string().max(30)])
  .optional()
  .openapi({ description: 'Wait this long before the first attempt: seconds, or a text such as `30s` or `5m`.', example: '5m' });

export const rateText = z
  .string()
  .max(30)
  .optional()
  .openapi({ description: 'No faster than that: `10/s`, `600/m`. Default: as fast as it goes.' });

/** The path's `job_id`. What cannot be an id is of no job, which is for the handler to say. */
export const jobIdParam = z.object({
  job_id: z
    .string()
    .openapi({ description: "A job's id, or the number of a failed job.", example: '0190f5a0-7c2e-7cc0-9f3b-2f0d5f9c1a11' }),
});

/** JSON of any kind. */
export const json = z.unknown().openapi({ description: 'JSON of any kind, redacted.' });

export const time = z.iso.datetime();

export const workerSchema = z.object({ host: z.string(), pid: z.int(), pool: z.string() });

/** Counts, and numbers of rows. */
export const count = z.int().min(0);
