import { z } from '@hono/zod-openapi';
import type { Redrive } from '../../redrive.ts';
import { HttpFault } from '../http-fault.ts';
import { operation, type Operation } from '../operation.ts';

/** What a supervisor asks, without a token. */
export function probes(redrive: Redrive): readonly Operation[] {
  return [
    operation({
      id: 'alive',
      method: 'get',
      path: '/healthz',
      tag: 'Service',
      summary: 'Whether this process answers',
      open: true,
      answer: z.object({ status: z.literal('ok') }),
      answerDescription: 'It does.',
      handle: async () => ({ status: 'ok' as const }),
    }),
    operation({
      id: 'ready',
      method: 'get',
      path: '/readyz',
      tag: 'Service',
      summary: 'Whether every store can be used',
      open: true,
      answer: z.object({
        status: z.literal('ready'),
        paused: z.array(z.string()).optional().openapi({ description: 'There while queues are paused: which.' }),
      }),
      answerDescription: 'They can.',
      faults: ['NOT_READY'],
      async handle() {
        const { connections } = await redrive.health();
        // Only names: what is wrong may tell of addresses and files, and anybody may ask.
        const broken = Object.entries(connections).flatMap(([name, { ok }]) => (ok ? [] : [name]));
        if (broken.length > 0) throw new HttpFault('NOT_READY', `The store of connection ${broken.join(', ')} cannot be used`);
        const paused = [...new Set(Object.values(connections).flatMap((one) => one.paused ?? []))].toSorted();
        return { status: 'ready' as const, ...(paused.length === 0 ? {} : { paused }) };
      },
    }),
    operation({
      id: 'metrics',
      method: 'get',
      path: '/metrics',
      tag: 'Service',
      summary: 'Metrics for Prometheus',
      description: 'Attempts and failures are those of this process; depths of queues those of the store.',
      media: 'text/plain; version=0.0.4',
      answer: z.string(),
      answerDescription: 'Text as Prometheus reads it.',
      handle: () => redrive.metricsText(),
    }),
  ];
}
