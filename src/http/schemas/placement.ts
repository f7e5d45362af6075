import { z } from '@hono/zod-openapi';
import type { RetryOptions } from '../../failure/failed-job.ts';
import { isDeeperThan } from '../depth.ts';
import { byText, delayText, nameText, noteText } from './values.ts';

/** How retried jobs are put back: keys of a body. */
export const placement = {
  delay: delayText,
  queue: nameText.optional().openapi({ description: 'Put it on this queue. Default: the one it came from.' }),
  at_front: z.boolean().optional().openapi({ description: 'Put it ahead of what is ready.' }),
  note: noteText.optional().openapi({ description: 'Why, for the record.' }),
  by: byText,
};

type Placement = Partial<z.infer<z.ZodObject<typeof placement>>> & { readonly by: string };

/** The same as options of the API. */
export function placementOf({ delay, queue, at_front: atFront, note, by }: Placement): Omit<RetryOptions, 'dryRun' | 'properties'> {
  return {
    by,
    ...(delay === undefined ? {} : { delay }),
    ...(queue === undefined ? {} : { queue }),
    ...(atFront === undefined ? {} : { atFront }),
    ...(note === undefined ? {} : { note }),
  };
}

/** A JSON merge patch as it came: its keys are the user's, also those that mean something to JavaScript. */
export const properties = z
  .custom<Readonly<Record<string, unknown>>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object',
  )
  .refine((value) => !isDeeperThan(value, 100), 'is nested more than 100 deep')
  .openapi({ type: 'object', additionalProperties: true, description: 'What to change: a JSON merge patch.' });
