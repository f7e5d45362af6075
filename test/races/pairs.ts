import { expect } from 'vitest';
import type { Arena, Remains } from './arena.ts';
import type { Act, BulkNumbers, Plan, Told } from './operator.ts';

/** Looked at once all is over: throws where what is left of a job does not go with what was told. */
type Check = (remains: (id: string) => Remains) => void;

export interface Played {
  readonly ids: readonly string[];
  readonly check: Check;
  /** How often the race ended how. */
  readonly tally: Readonly<Record<string, number>>;
  /** How many jobs the audit is to tell of, by action. */
  readonly audited: Readonly<Record<string, number>>;
}

/** Things that two operators do to the same jobs at the same time. */
export interface Pair {
  readonly name: string;
  readonly play: (arena: Arena, rounds: number, random: () => number) => Promise<Played>;
}

const batch = 5;

/** What each caller was told of one job. */
type Verdict = readonly [one: string, other: string];

type Ends = Readonly<Record<string, (remains: Remains) => void>>;

interface Contest {
  readonly one: 'retry';
  readonly other: 'retry' | 'forget' | 'cancel' | 'resolve';
  /** What the two answers may be, and what is then left. */
  readonly ends: Ends;
  /** What else they may be where jobs and log are in two databases. */
  readonly apart?: Ends;
}

/** The retry won: the job ran once more, and its failure is dealt with. */
function ranOnce({ job, failed, ran }: Remains): void {
  expect(job).toEqual({ status: 'completed', run: 2 });
  expect(failed).toEqual([{ status: 'resolved', run: 2 }]);
  expect(ran).toEqual([2]);
}

function isGone(remains: Remains): void {
  expect(remains).toEqual({ job: undefined, failed: [], attempts: [], ran: [] });
}

function wasCancelled({ job, failed, ran }: Remains): void {
  expect(job).toEqual({ status: 'canceled', run: 2 });
  expect(failed).toEqual([{ status: 'resolved', run: 2 }]);
  expect(ran).toEqual([]);
}

function wasResolved({ job, failed, ran }: Remains): void {
  expect(job).toEqual({ status: 'failed', run: 1 });
  expect(failed).toEqual([{ status: 'resolved', run: 1 }]);
  expect(ran).toEqual([]);
}

function contest(name: string, { one, other, ends, apart = {} }: Contest): Pair {
  return {
    name,
    async play(arena, rounds, random) {
      const verdicts = new Map<string, Verdict>();
      for await (const { ids } of prepared(arena, rounds, () => ({ plans: plans(batch) }))) {
        const [ones, others] = await arena.race(turn(one, ids, random), turn(other, ids, random));
        for (const id of ids) verdicts.set(id, [toldOf(ones, id), toldOf(others, id)]);
      }
      const told = [...verdicts].map(([id, verdict]) => [id, verdict.join(' + ')] as const);
      return {
        ids: [...verdicts.keys()],
        tally: counted(told.map(([, verdict]) => verdict)),
        audited: auditedOf([...verdicts.values()]),
        check: (remains) => {
          for (const [id, verdict] of told) {
            const end = arena.isApart ? { ...ends, ...apart }[verdict] : ends[verdict];
            if (end === undefined)
              expect.fail(`${name}: the callers were told ${verdict}; of ${id} is left ${JSON.stringify(remains(id))}`);
            end(remains(id));
          }
        },
      };
    },
  };
}

interface Round {
  readonly queue: string;
  readonly ids: readonly string[];
}

/** The failed jobs of each round, made while the one before it is played. */
async function* prepared(
  arena: Arena,
  rounds: number,
  planOf: (round: number) => { readonly plans: readonly Plan[]; readonly queue?: string },
): AsyncGenerator<Round> {
  const prepare = async (round: number): Promise<Round> => {
    const { plans: made, queue = 'default' } = planOf(round);
    return { queue, ids: round < rounds ? await arena.failedJobs(made, queue) : [] };
  };
  let next = prepare(0);
  for (let round = 1; round <= rounds; round += 1) {
    const ready = await next;
    next = prepare(round);
    // Its failure is told where it is waited for.
    next.catch(() => undefined);
    yield ready;
  }
}

/** As one call, or one call a job, in whatever order, a little later or not. */
function turn(act: 'retry' | 'forget' | 'cancel' | 'resolve', ids: readonly string[], random: () => number): (Act & { afterMs: number })[] {
  const order = ids.map((id) => [random(), id] as const).toSorted(([a], [b]) => a - b);
  const shuffled = order.map(([, id]) => id);
  const afterMs = random() < 0.5 ? 0 : random() * 6;
  if (random() < 0.5) return [{ act, ids: shuffled, afterMs }];
  return shuffled.map((id) => ({ act, ids: [id], afterMs: afterMs / shuffled.length }));
}

function toldOf(told: readonly Told[] | undefined, id: string): string {
  return told?.map((one) => (one as Readonly<Record<string, string>>)[id]).find((status) => status !== undefined) ?? 'nothing';
}

function plans(count: number, succeedsIn: () => number = () => 2): readonly Plan[] {
  return Array.from({ length: count }, () => ({ succeedsIn: succeedsIn() }));
}

function counted(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

function auditedOf(verdicts: readonly Verdict[]): Readonly<Record<string, number>> {
  const { requeued = 0, removed = 0, canceled = 0, resolved = 0 } = counted(verdicts.flat());
  return { retried: requeued, deleted: removed, cancelled: canceled, resolved };
}

const races: readonly Pair[] = [
  contest('retry with retry', {
    one: 'retry',
    other: 'retry',
    ends: { 'requeued + not_failed': ranOnce, 'not_failed + requeued': ranOnce },
  }),
  contest('retry with forget', {
    one: 'retry',
    other: 'forget',
    ends: { 'requeued + retrying': ranOnce, 'not_failed + removed': isGone, 'not_found + removed': isGone },
  }),
  contest('retry with cancel', {
    one: 'retry',
    other: 'cancel',
    ends: { 'requeued + ended': ranOnce, 'requeued + canceled': wasCancelled },
  }),
  contest('retry with resolve', {
    one: 'retry',
    other: 'resolve',
    ends: { 'requeued + not_failed': ranOnce, 'not_failed + resolved': wasResolved },
    // A retry that had looked at the record before it was resolved: it runs, once, and its outcome is what counts.
    apart: { 'requeued + resolved': ranOnce },
  }),
];

const retryWithPrune: Pair = {
  name: 'retry with prune',
  async play(arena, rounds, random) {
    const told = new Map<string, string>();
    let pruned = 0;
    for await (const { ids, queue } of prepared(arena, rounds, (round) => ({ plans: plans(batch), queue: `prune-${round}` }))) {
      const [ones, [other] = []] = await arena.race(turn('retry', ids, random), [{ act: 'prune', queue, afterMs: random() * 3 }]);
      const { removed } = other as { removed: number };
      for (const id of ids) told.set(id, toldOf(ones, id));
      const requeued = ids.filter((id) => told.get(id) === 'requeued');
      expect(removed, `removed by prune, in ${JSON.stringify(ids.map((id) => [id, told.get(id)]))}`).toBe(ids.length - requeued.length);
      pruned += removed;
    }
    const tally = counted([...told.values()]);
    return {
      ids: [...told.keys()],
      tally: { ...tally, pruned },
      audited: { retried: tally['requeued'] ?? 0, deleted: pruned },
      check: (remains) => {
        for (const [id, status] of told) (status === 'requeued' ? ranOnce : isGone)(remains(id));
      },
    };
  },
};

const bulkWithBulk: Pair = {
  name: 'a bulk retry with the same bulk retry',
  async play(arena, rounds, random) {
    const ids: string[] = [];
    const tally = { matched: 0, moved: 0, skipped: 0 };
    for await (const { ids: some, queue } of prepared(arena, rounds, (round) => ({ plans: plans(batch), queue: `bulk-${round}` }))) {
      const told = await arena.race(
        [{ act: 'bulk retry', queue, afterMs: random() * 2 }],
        [{ act: 'bulk retry', queue, afterMs: random() * 2 }],
      );
      const numbers = told.map(([one]) => one as BulkNumbers);
      for (const { state, matched, moved, skipped } of numbers) {
        expect({ state, matched }).toEqual({ state: 'done', matched: moved + skipped });
        tally.matched += matched;
        tally.moved += moved;
        tally.skipped += skipped;
      }
      expect(
        numbers.reduce((sum, { moved }) => sum + moved, 0),
        JSON.stringify(numbers),
      ).toBe(some.length);
      ids.push(...some);
    }
    return {
      ids,
      tally,
      audited: { 'bulk-retry-started': tally.matched, 'bulk-retry-done': tally.moved },
      check: (remains) => ids.forEach((id) => ranOnce(remains(id))),
    };
  },
};

/** One who retries what a worker has just put an end to, and now and then resolves it. */
const retryWithWorker: Pair = {
  name: 'retry, again and again, with what a worker makes of it',
  async play(arena, rounds, random) {
    const told = new Map<string, { requeued: number; resolved: boolean; plan: Plan }>();
    const made = plans(batch, () => 2 + Math.floor(random() * 3));
    for await (const { ids } of prepared(arena, rounds, () => ({ plans: made }))) {
      const again = (): (Act & { afterMs: number })[] =>
        Array.from({ length: 8 }, (_, turns) => ({
          act: turns > 3 && random() < 0.2 && !arena.isApart ? 'resolve' : 'retry',
          ids: ids.filter((_, index) => random() < 0.7 || index === 0),
          afterMs: random() * 20,
        }));
      const answers = (await arena.race(again(), again())).flat() as readonly Readonly<Record<string, string>>[];
      for (const [index, id] of ids.entries()) {
        const words = answers.map((answer) => answer[id]);
        told.set(id, {
          requeued: words.filter((word) => word === 'requeued').length,
          resolved: words.includes('resolved'),
          plan: made[index]!,
        });
      }
    }
    const sum = (of: (one: { requeued: number; resolved: boolean }) => number): number =>
      [...told.values()].reduce((total, one) => total + of(one), 0);
    const requeued = sum((one) => one.requeued);
    const resolved = sum((one) => Number(one.resolved));
    return {
      ids: [...told.keys()],
      tally: { jobs: told.size, requeued, resolved },
      audited: { retried: requeued, resolved },
      check: (remains) => {
        for (const [id, one] of told) expectAsTold(remains(id), one);
      },
    };
  },
};

/** Each time that somebody was told of a move the job ran once; it stands where its last run left it, or resolved by hand. */
function expectAsTold(
  { job, failed, attempts, ran }: Remains,
  { requeued, resolved, plan }: { readonly requeued: number; readonly resolved: boolean; readonly plan: Plan },
): void {
  const run = 1 + requeued;
  const hasSucceeded = run >= plan.succeedsIn;
  expect(ran).toEqual(Array.from({ length: requeued }, (_, index) => index + 2));
  expect(job).toEqual({ status: hasSucceeded ? 'completed' : 'failed', run });
  expect(failed).toEqual([{ status: hasSucceeded || resolved ? 'resolved' : 'failed', run }]);
  expect(attempts).toEqual(Array.from({ length: hasSucceeded ? run - 1 : run }, (_, index) => index + 1));
  expect(hasSucceeded && resolved).toBe(false);
}

const forgetWithWorker: Pair = {
  ...contest('retry with forget, while a worker runs what is retried', {
    one: 'retry',
    other: 'forget',
    ends: {
      'requeued + retrying': ranOnce,
      // Forgotten once it had run.
      'requeued + removed': ({ ran, ...left }) => {
        expect(ran).toEqual([2]);
        isGone({ ...left, ran: [] });
      },
      'not_failed + removed': isGone,
      'not_found + removed': isGone,
    },
  }),
};

/** While nobody works, so that what is put back stays where it was put. */
export const beforeWork: readonly Pair[] = [...races, retryWithPrune, bulkWithBulk];
/** While the first of the two works as well. */
export const duringWork: readonly Pair[] = [retryWithWorker, forgetWithWorker];
