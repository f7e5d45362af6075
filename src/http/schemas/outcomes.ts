import { z } from '@hono/zod-openapi';
import { count } from './values.ts';

const id = z.union([z.string(), z.number()]).openapi({ description: 'As it was asked for.' });

/** What became of a retry, as the API has it. */
export const retriedSchema = z
  .object({
    requeued: count,
    outcomes: z.array(
      z.object({
        id,
        status: z.enum(['requeued', 'would_requeue', 'not_failed', 'not_found', 'duplicate', 'error']),
        detail: z.string().optional(),
      }),
    ),
  })
  .openapi('Retried');

export const resolvedSchema = z
  .object({ resolved: count, outcomes: z.array(z.object({ id, status: z.enum(['resolved', 'not_failed', 'not_found']) })) })
  .openapi('Resolved');

export const markedSchema = z
  .object({
    moved: z.array(z.string()).openapi({ description: 'The jobs that became failed jobs.' }),
    outcomes: z.array(z.object({ id: z.string(), status: z.enum(['failed', 'running', 'not_queued', 'not_found']) })),
  })
  .openapi('Marked');
