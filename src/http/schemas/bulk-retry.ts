import { z } from '@hono/zod-openapi';
import { count, time } from './values.ts';

/** A bulk retry and how it stands. */
export const bulkRetrySchema = z
  .object({
    id: count,
    by: z.string(),
    state: z.enum(['running', 'paused', 'cancelled', 'stopped', 'done']),
    reason: z.string().optional().openapi({ description: 'Why it stopped by itself.' }),
    filter: z.record(z.string(), z.string()).openapi({ description: 'As query parameters have it, times absolute.' }),
    matched: count.openapi({ description: 'Jobs in its set, fixed when it started.' }),
    moved: count,
    skipped: count.openapi({ description: 'Passed over: moved by somebody else, or not to be moved.' }),
    succeeded: count,
    failedAgain: count,
    underWay: count.openapi({ description: 'Of those moved: queued or running.' }),
    startedAt: time,
    endedAt: time.optional(),
  })
  .openapi('BulkRetry');
