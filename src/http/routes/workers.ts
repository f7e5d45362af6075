import { z } from '@hono/zod-openapi';
import type { Redrive } from '../../redrive.ts';
import { jsonOf, operation, type Operation } from '../operation.ts';
import { count, time } from '../schemas/values.ts';

const workerPoolSchema = z
  .object({
    connection: z.string(),
    pool: z.string(),
    host: z.string(),
    pid: z.int(),
    startedAt: time,
    renewedAt: time.openapi({ description: 'When it was last heard of.' }),
    leaseEndsAt: time.openapi({ description: 'Once this has passed without another word of it, its jobs are taken over.' }),
    reserved: count.openapi({ description: 'Jobs in its hands.' }),
  })
  .openapi('WorkerPool');

/** Who works. */
export function workers(redrive: Redrive): readonly Operation[] {
  return [
    operation({
      id: 'listWorkers',
      method: 'get',
      path: '/api/v1/workers',
      tag: 'Queues',
      summary: 'The worker pools at work, in whatever process',
      answer: z.array(workerPoolSchema),
      answerDescription: 'The pools.',
      handle: async () => jsonOf(await redrive.workers()),
    }),
  ];
}
