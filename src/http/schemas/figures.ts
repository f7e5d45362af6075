import { z } from '@hono/zod-openapi';
import { count, time, workerSchema } from './values.ts';

// Failed jobs in figures, as the API gives them.

export const groupSchema = z
  .object({
    fingerprint: z.string(),
    job: z.string(),
    type: z.string(),
    message: z.string().openapi({ description: 'Of the newest failure.' }),
    count,
    firstFailedAt: time,
    lastFailedAt: time,
    trend: z.array(count).openapi({ description: 'Failures in each of 24 hours, oldest first.' }),
    sampleId: count.openapi({ description: 'The number of the newest failed job.' }),
    releases: z.array(z.string()).openapi({ description: 'Of the first failure and the newest ones.' }),
    workers: z.array(workerSchema).openapi({ description: 'Of the same.' }),
  })
  .openapi('FailureGroup');

const queue = { connection: z.string(), queue: z.string() };

export const figuresSchema = z
  .object({
    byType: z.array(z.object({ type: z.string(), count })).openapi({ description: 'Most first.' }),
    byHour: z
      .array(z.object({ hour: time, count }))
      .openapi({ description: 'From `since`, by default the last 24 hours; oldest first, none left out.' }),
    byQueue: z.array(z.object({ ...queue, count })).openapi({ description: 'Most first.' }),
    summary: z
      .array(z.object({ ...queue, total: count, first: time, last: time, days: z.array(count) }))
      .openapi({ description: 'Each queue with its last seven days, oldest first.' }),
    partial: z.literal(true).optional().openapi({ description: 'There where a second was not enough to count all: the newest are in it.' }),
  })
  .openapi('FailureFigures');
