import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Transition } from '../../../src/provider/pull-provider.ts';
import type { LogPlace } from './twin.ts';
import { Twins } from './twins.ts';

const rounds = process.env['REDRIVE_TEST_SIZE'] === 'full' ? 1_000 : 40;

type Step = (twins: Twins) => Promise<readonly [unknown, unknown]>;

const queue = fc.nat({ max: 2 });
const session = fc.nat({ max: 2 });
const job = fc.nat({ max: 30 });
const wait = fc.constantFrom(0, 0, 5, 1_000);
const unique = fc.option(fc.record({ key: fc.constantFrom('k1', 'k2'), scope: fc.constantFrom('queued', 'live', 'failed') }), {
  nil: undefined,
  freq: 3,
});
const described = <T>(values: fc.Arbitrary<T>, name: string, step: (value: T) => Step): fc.Arbitrary<Step> =>
  values.map((value) => Object.assign(step(value), { toString: () => `${name} ${JSON.stringify(value)}` }));

const push = described(
  fc.tuple(
    queue,
    fc.array(fc.record({ priority: fc.integer({ min: -1, max: 1 }), delayMs: wait, unique }), { minLength: 1, maxLength: 4 }),
  ),
  'push',
  ([to, jobs]) =>
    (twins) =>
      twins.push(to, jobs),
);
const reserve = described(
  fc.tuple(session, fc.array(queue, { maxLength: 2 }), fc.integer({ min: 1, max: 4 }), fc.nat({ max: 4 })),
  'reserve',
  ([by, from, limit, startNow]) =>
    (twins) =>
      twins.reserve(by, [...new Set(from)], { limit, startNow }),
);
const ends = fc.constantFrom<Transition['to']>('completed', 'retry', 'failed', 'returned');
const settle = described(
  fc.tuple(session, fc.array(job, { minLength: 1, maxLength: 4 }), ends, wait),
  'settle',
  ([by, which, to, waitMs]) =>
    (twins) =>
      twins.settle(by, which, to, waitMs),
);
/** A worker that takes jobs, starts some, and dies; another one cleans up after it. */
const die = described(
  fc.record({
    limit: fc.integer({ min: 1, max: 3 }),
    startNow: fc.nat({ max: 1 }),
    starts: fc.boolean(),
    to: fc.constantFrom('failed' as const, 'retry' as const),
  }),
  'die',
  ({ limit, startNow, starts, to }) =>
    async (twins) => {
      const dying = twins.sessionCount;
      const steps = [
        () => twins.openSession('dies'),
        () => twins.reserve(dying, [], { limit, startNow }),
        () => (starts ? twins.startLast(dying) : twins.advance(0)),
        () => twins.advance(31_000),
      ];
      steps.push(
        () => twins.openSession('rescues'),
        () => twins.rescue(dying + 1, to),
      );
      const answers: (readonly [unknown, unknown])[] = [];
      for (const one of steps) answers.push(await one());
      return [answers.map(([database]) => database), answers.map(([, memory]) => memory)];
    },
);
/** Somebody wants a running job cancelled; it ends otherwise, and runs again. */
const cancelLate = described(
  fc.tuple(session, fc.constantFrom('retry' as const, 'returned' as const)),
  'cancel late',
  ([by, to]) =>
    async (twins) => {
      const steps = [
        () => twins.reserve(by, [], { limit: 1, startNow: 1 }),
        () => twins.cancelLast(),
        () => twins.settleLast(by, to),
        () => twins.reserve(by, [], { limit: 4, startNow: 4 }),
        () => twins.renew(by, 0),
      ];
      const answers: (readonly [unknown, unknown])[] = [];
      for (const one of steps) answers.push(await one());
      return [answers.map(([database]) => database), answers.map(([, memory]) => memory)];
    },
);
const step = fc.oneof(
  { weight: 5, arbitrary: push },
  { weight: 6, arbitrary: reserve },
  { weight: 6, arbitrary: settle },
  {
    weight: 2,
    arbitrary: described(
      fc.record({ job, run: fc.integer({ min: 1, max: 2 }), queue, delayMs: wait, edited: fc.boolean() }),
      'requeue',
      ({ job: which, ...options }) =>
        (twins) =>
          twins.requeue(which, options),
    ),
  },
  { weight: 1, arbitrary: described(fc.constantFrom('p1', 'p2'), 'open', (pool) => (twins) => twins.openSession(pool)) },
  { weight: 1, arbitrary: described(session, 'close', (which) => (twins) => twins.closeSession(which)) },
  {
    weight: 1,
    arbitrary: described(
      fc.tuple(session, job),
      'start',
      ([by, which]) =>
        (twins) =>
          twins.start(by, which),
    ),
  },
  {
    weight: 2,
    arbitrary: described(
      fc.tuple(session, fc.nat({ max: 3 })),
      'renew',
      ([by, forgets]) =>
        (twins) =>
          twins.renew(by, forgets),
    ),
  },
  {
    weight: 2,
    arbitrary: described(
      fc.tuple(session, fc.constantFrom('failed' as const, 'retry' as const)),
      'rescue',
      ([by, to]) =>
        (twins) =>
          twins.rescue(by, to),
    ),
  },
  {
    weight: 1,
    arbitrary: described(
      fc.tuple(session, fc.subarray(['job-0', 'job-1'])),
      'adopt',
      ([by, names]) =>
        (twins) =>
          twins.adopt(by, names),
    ),
  },
  { weight: 3, arbitrary: die },
  { weight: 2, arbitrary: cancelLate },
  { weight: 2, arbitrary: described(job, 'cancel', (which) => (twins) => twins.cancel(which)) },
  {
    weight: 1,
    arbitrary: described(
      fc.tuple(fc.array(job, { maxLength: 2 }), fc.integer({ min: 1, max: 2 })),
      'failQueued',
      ([which, run]) =>
        (twins) =>
          twins.failQueued(which, run),
    ),
  },
  { weight: 1, arbitrary: described(fc.array(job, { maxLength: 2 }), 'forget', (which) => (twins) => twins.forget(which)) },
  { weight: 1, arbitrary: described(queue, 'pause', (which) => (twins) => twins.pause(which)) },
  { weight: 1, arbitrary: described(queue, 'resume', (which) => (twins) => twins.resume(which)) },
  { weight: 2, arbitrary: described(fc.constantFrom(5, 1_000, 31_000, 700_000), 'advance', (ms) => (twins) => twins.advance(ms)) },
);

it.each<LogPlace>(['beside', 'elsewhere', 'off'])(
  'answers every call as the database does, with the failed-jobs log %s',
  { timeout: 300_000 },
  async (place) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const twins = await Twins.make(place);
        try {
          await twins.openSession('first');
          for (const one of steps) {
            const [database, memory] = await one(twins);
            expect(memory, String(one)).toEqual(database);
            const [inDatabase, inMemory] = await twins.look();
            expect(inMemory, `after ${String(one)}`).toEqual(inDatabase);
          }
        } finally {
          await twins.close();
        }
      }),
      { numRuns: rounds },
    );
  },
);
