import { z } from '@hono/zod-openapi';
import type { Redrive } from '../../redrive.ts';
import { jsonOf, operation, type Operation } from '../operation.ts';
import { byText, count, nameText } from '../schemas/values.ts';

const queueSchema = z
  .object({
    queue: z.string(),
    ready: count,
    delayed: count.openapi({ description: 'Waiting for a delay or for another attempt.' }),
    reserved: count,
    failed: count,
    completed: count,
    oldestReadyAge: z.number().nullable().openapi({ description: 'Seconds.' }),
    paused: z.literal(true).optional().openapi({ description: 'There while the queue is paused.' }),
  })
  .openapi('Queue');

const steeredSchema = z
  .object({ queue: z.string(), paused: z.boolean(), changed: z.boolean().openapi({ description: 'False where it was so already.' }) })
  .openapi('SteeredQueue');

const queueParam = z.object({ name: nameText.openapi({ description: 'The queue.', example: 'mail' }) });

/** Queues, and holding them up. */
export function queues(redrive: Redrive): readonly Operation[] {
  return [
    operation({
      id: 'listQueues',
      method: 'get',
      path: '/api/v1/queues',
      tag: 'Queues',
      summary: 'Every queue',
      answer: z.array(queueSchema),
      answerDescription: 'The queues, by name.',
      handle: async () => jsonOf(await redrive.stats()),
    }),
    operation({
      id: 'pauseQueue',
      method: 'post',
      path: '/api/v1/queues/{name}/pause',
      tag: 'Queues',
      summary: 'Hand out nothing of a queue until it is resumed',
      description: 'In any process; what runs goes on.',
      params: queueParam,
      body: z.strictObject({ by: byText }),
      answer: steeredSchema,
      answerDescription: 'It is paused.',
      async handle({ params: { name: queue }, by: who }) {
        return { queue, paused: true, changed: await redrive.pause(queue, { by: who }) };
      },
    }),
    operation({
      id: 'resumeQueue',
      method: 'post',
      path: '/api/v1/queues/{name}/resume',
      tag: 'Queues',
      summary: 'Hand out the jobs of a paused queue again',
      params: queueParam,
      body: z.strictObject({ by: byText }),
      answer: steeredSchema,
      answerDescription: 'It is not paused.',
      async handle({ params: { name: queue }, by: who }) {
        return { queue, paused: false, changed: await redrive.resume(queue, { by: who }) };
      },
    }),
  ];
}
