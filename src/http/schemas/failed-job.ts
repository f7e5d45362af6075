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
    delay: z.number().optional().openapi({ description: 'Seconds between `endedAt` and `retryAt`, as they were chosen.' }),
    rule: z.string().openapi({ description: 'The rule that decided what followed.' }),
  })
  .openapi('Attempt');

const source = z.enum(['dispatch', 'job', 'pool', 'default']);

/** What a retry would do, as `failedJobs.forecast` gives it. */
const forecastSchema = z
  .object({
    outcome: z.enum(['would_requeue', 'not_failed', 'duplicate', 'error']).openapi({ description: 'Of a dry run at this moment.' }),
    detail: z.string().optional().openapi({ description: 'Why it would not move.' }),
    connection: z.string(),
    queue: z.string(),
    paused: z.literal(true).optional().openapi({ description: 'There while that queue is paused: it would wait.' }),
    pool: z.string().nullable().openapi({ description: "The pool of this server's config that works the queue." }),
    maxAttempts: count.openapi({ description: '0: without limit.' }),
    backoff: z.string().openapi({ description: 'The delays between attempts, in words.' }),
    from: z.object({ maxAttempts: source, backoff: source }).openapi({ description: 'Who says so.' }),
    uniqueKey: z
      .object({ heldBy: z.string().nullable() })
      .optional()
      .openapi({ description: 'There where the job asks for a unique key, with the job that holds it.' }),
    registered: z.boolean().openapi({ description: 'Whether this server knows a job of this name.' }),
    schema: z.enum(['fits', 'misfit', 'none', 'unknown', 'unreadable']).openapi({ description: 'Whether the properties fit it.' }),
    faults: z.array(z.string()).optional().openapi({ description: 'Of a misfit.' }),
  })
  .openapi('RetryForecast');

/** A failed job whole, as `failedJobs.find` gives it, and what a retry would do. */
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
    forecast: forecastSchema.optional(),
  })
  .openapi('FailedJob');
