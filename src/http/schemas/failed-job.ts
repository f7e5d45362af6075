import { z } from '@hono/zod-openapi';
import { failureKinds } from '../../record/types.ts';
import { count, json, time, workerSchema } from './values.ts';

const kind = z.enum(failureKinds).openapi({ description: 'Why the run, or the attempt, ended.' });
const fields = z.record(z.string(), z.unknown());

/** A thrown value as plain data. */
export const exceptionSchema = z
  .object({
    type: z.string(),
    message: z.string(),
    code: z.union([z.string(), z.number()]).optional(),
    stack: z.string(),
    fields: fields.optional(),
    get cause() {
      return exceptionSchema.optional();
    },
    get errors() {
      return z.array(exceptionSchema).optional();
    },
    truncated: z.literal(true).optional(),
  })
  .openapi('Exception');

export const attemptSchema = z
  .object({
    run: count,
    attempt: count.nullable(),
    kind,
    type: z.string(),
    message: z.string(),
    stack: z.string(),
    startedAt: time.nullable(),
    endedAt: time,
    worker: workerSchema,
    release: z.string().optional(),
    retryAt: time.optional(),
    rule: z.string().openapi({ description: 'The rule that decided what followed.' }),
  })
  .openapi('Attempt');

/** A failed job whole, as `failedJobs.find` gives it. */
export const failedJobSchema = z
  .object({
    id: count.openapi({ description: "The failed job's number." }),
    jobId: z.string().nullable(),
    connection: z.string(),
    queue: z.string(),
    job: z.string().openapi({ description: "The job's name." }),
    properties: json,
    createdAt: time.nullable(),
    kind,
    type: z.string(),
    message: z.string(),
    detail: z.string().nullable(),
    extendedInfo: fields.nullable(),
    stack: z.string(),
    exception: exceptionSchema,
    attempts: count,
    maxAttempts: count,
    run: count,
    failedAt: time,
    status: z.enum(['failed', 'retrying', 'resolved']),
    fingerprint: z.string(),
    worker: workerSchema.nullable(),
    release: z.string().optional(),
    note: z.string().optional(),
    history: z.array(attemptSchema).optional(),
  })
  .openapi('FailedJob');
