import fc from 'fast-check';
import type { Transition } from '../../../src/provider/pull-provider.ts';
import type { Answers, Twins } from './twins.ts';

/** Some calls, made one after the other. */
export interface Step {
  readonly calls: (twins: Twins) => readonly (() => Promise<Answers>)[];
  readonly toString: () => string;
}

function steps<T>(
  name: string,
  values: fc.Arbitrary<T>,
  calls: (twins: Twins, value: T) => readonly (() => Promise<Answers>)[],
): fc.Arbitrary<Step> {
  return values.map((value) => ({ calls: (twins) => calls(twins, value), toString: () => `${name} ${JSON.stringify(value)}` }));
}

const queue = fc.nat({ max: 2 });
const session = fc.nat({ max: 2 });
const job = fc.nat({ max: 30 });
const run = fc.integer({ min: 1, max: 2 });
const waitMs = fc.constantFrom(0, 0, 5, 1_000);
const lost = fc.constantFrom('failed' as const, 'retry' as const);
const key = fc.record({ key: fc.constantFrom('k1', 'k2'), scope: fc.constantFrom('queued', 'live', 'failed') });
const unique = fc.option(key, { nil: undefined, freq: 3 });
const pushed = fc.array(fc.record({ priority: fc.integer({ min: -1, max: 1 }), delayMs: waitMs, unique }), { minLength: 1, maxLength: 4 });
const counts = fc.record({ limit: fc.integer({ min: 1, max: 4 }), startNow: fc.nat({ max: 4 }) });
const transition = fc.constantFrom<Transition['to']>('completed', 'retry', 'failed', 'returned');
const requeue = fc.record({ run, queue, delayMs: waitMs, edited: fc.boolean() });

const push = steps('push', fc.record({ to: queue, jobs: pushed }), (twins, { to, jobs }) => [() => twins.push(to, jobs)]);
const reserve = steps(
  'reserve',
  fc.record({ by: session, from: fc.uniqueArray(queue, { maxLength: 2 }), counts }),
  (twins, { by, from, ...rest }) => [() => twins.reserve(by, from, rest.counts)],
);
const settle = steps(
  'settle',
  fc.record({ by: session, jobs: fc.array(job, { minLength: 1, maxLength: 4 }), to: transition, ms: waitMs }),
  (twins, { by, jobs, to, ms }) => [() => twins.settle(by, jobs, to, ms)],
);

/** A worker takes jobs, starts some, and dies; another one cleans up after it. */
const die = steps(
  'die',
  fc.record({ limit: fc.integer({ min: 1, max: 3 }), startNow: fc.nat({ max: 1 }), starts: fc.boolean(), to: lost }),
  (twins, { starts, to, ...taken }) => {
    const dying = twins.sessionCount;
    return [
      () => twins.openSession('dies'),
      () => twins.reserve(dying, [], taken),
      () => (starts ? twins.startLast(dying) : twins.advance(0)),
      () => twins.advance(31_000),
      () => twins.openSession('rescues'),
      () => twins.rescue(dying + 1, to),
    ];
  },
);

/** Somebody wants a running job cancelled; it ends otherwise, and runs again. */
const cancelLate = steps(
  'cancelLate',
  fc.record({ by: session, to: fc.constantFrom('retry' as const, 'returned' as const) }),
  (twins, { by, to }) => [
    () => twins.reserve(by, [], { limit: 1, startNow: 1 }),
    () => twins.cancelLast(),
    () => twins.settleLast(by, to),
    () => twins.reserve(by, [], { limit: 4, startNow: 4 }),
    () => twins.renew(by, 0),
  ],
);

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: push },
  { weight: 6, arbitrary: reserve },
  { weight: 6, arbitrary: settle },
  { weight: 3, arbitrary: die },
  { weight: 2, arbitrary: cancelLate },
  { weight: 2, arbitrary: steps('requeue', fc.tuple(job, requeue), (twins, [which, options]) => [() => twins.requeue(which, options)]) },
  { weight: 1, arbitrary: steps('open', fc.constantFrom('p1', 'p2'), (twins, pool) => [() => twins.openSession(pool)]) },
  { weight: 1, arbitrary: steps('close', session, (twins, which) => [() => twins.closeSession(which)]) },
  { weight: 1, arbitrary: steps('start', fc.tuple(session, job), (twins, [by, which]) => [() => twins.start(by, which)]) },
  {
    weight: 2,
    arbitrary: steps('renew', fc.tuple(session, fc.nat({ max: 3 })), (twins, [by, forgets]) => [() => twins.renew(by, forgets)]),
  },
  { weight: 2, arbitrary: steps('rescue', fc.tuple(session, lost), (twins, [by, to]) => [() => twins.rescue(by, to)]) },
  {
    weight: 1,
    arbitrary: steps('adopt', fc.tuple(session, fc.subarray(['job-0', 'job-1'])), (twins, [by, names]) => [() => twins.adopt(by, names)]),
  },
  { weight: 2, arbitrary: steps('cancel', job, (twins, which) => [() => twins.cancel(which)]) },
  {
    weight: 1,
    arbitrary: steps('failQueued', fc.tuple(fc.array(job, { maxLength: 2 }), run), (twins, [which, inRun]) => [
      () => twins.failQueued(which, inRun),
    ]),
  },
  { weight: 1, arbitrary: steps('forget', fc.array(job, { maxLength: 2 }), (twins, which) => [() => twins.forget(which)]) },
  { weight: 1, arbitrary: steps('pause', queue, (twins, which) => [() => twins.pause(which)]) },
  { weight: 1, arbitrary: steps('resume', queue, (twins, which) => [() => twins.resume(which)]) },
  { weight: 2, arbitrary: steps('advance', fc.constantFrom(5, 1_000, 31_000, 700_000), (twins, ms) => [() => twins.advance(ms)]) },
);
