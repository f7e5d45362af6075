import { defineJob, Job, type DispatchOptions } from 'redrive';
import { z } from 'zod';
import { refusedCall, type Mistake } from './mistake.ts';

class Unnamed extends Job {
  handle(): void {}
}

const charge = defineJob({
  name: 'cards.charge',
  schema: z.object({ card: z.string() }),
  handle: (_job: Job<{ card: string }>) => 'charged',
});
const uniqueByPromise = defineJob({ name: 'reports.daily', unique: (async () => 'today') as unknown as () => string, handle: () => 1 });

const withProperties = (properties: object): Mistake => refusedCall((redrive) => redrive.dispatch('some.job', properties));
const withOptions = (options: object): Mistake => refusedCall((redrive) => redrive.dispatch('some.job', {}, options as DispatchOptions));

class Money {
  constructor(readonly cents: number) {}
}

const circle: Record<string, unknown> = { name: 'circle' };
circle['self'] = circle;

/** Mistakes in dispatching. */
export const dispatchMistakes: Readonly<Record<string, Mistake>> = {
  'dispatch-unnamed': refusedCall((redrive) => redrive.dispatch(Unnamed)),
  'dispatch-empty-name': refusedCall((redrive) => redrive.dispatch('')),
  date: withProperties({ sentAt: new Date(0) }),
  map: withProperties({ counts: new Map() }),
  bigint: withProperties({ total: 10n }),
  'not-a-number': withProperties({ total: Number.NaN }),
  'undefined-in-array': withProperties({ cards: ['a', undefined] }),
  'class-instance': withProperties({ price: new Money(5) }),
  cycle: withProperties(circle),
  'no-object': withProperties(['a']),
  'schema-refuses': refusedCall((redrive) => redrive.dispatch(charge, { card: 5 as unknown as string })),
  'no-list': refusedCall((redrive) => redrive.dispatchMany({ job: 'some.job' } as never)),
  'entry-null': refusedCall((redrive) => redrive.dispatchMany([null as never])),
  'entry-misspelt': refusedCall((redrive) => redrive.dispatchMany([{ job: 'some.job', propertys: {} } as never])),
  'options-null': refusedCall((redrive) => redrive.dispatch('some.job', {}, null as never)),
  'unknown-option': withOptions({ priorty: 1 }),
  'bad-delay': withOptions({ delay: 'tomorrow' }),
  'backoff-function': withOptions({ backoff: () => '1s' }),
  'fractional-priority': withOptions({ priority: 1.5 }),
  'in-a-list': refusedCall((redrive) => redrive.dispatchMany([{ job: 'some.job' }, { job: 'some.job', properties: { at: new Date(0) } }])),
  'dispatch-to-unknown-connection': withOptions({ connection: 'defualt' }),
  'dispatch-to-unknown-queue': withOptions({ queue: 'defualt' }),
  'dispatch-without-connections': refusedCall((redrive) => redrive.dispatch('some.job'), {
    connections: {},
    workerPools: {},
    logFailedJobs: false,
  }),
  'unique-key-promise': refusedCall((redrive) => redrive.dispatch(uniqueByPromise)),
};
