import { expect } from 'vitest';
import { expectNothingUnderWay, type Scene } from '../crash/scene.ts';
import type { Act, Said, Started } from '../crash/worker.ts';
import type { AttemptRow, Tables } from '../support/tables.ts';

/** What was asked of one job. */
export interface Plan {
  readonly act: Act;
  readonly maxAttempts: number;
}

/** What one job left behind. */
interface Traces {
  readonly plan: Plan;
  readonly job: Tables['jobs'][number];
  readonly failed: Tables['failed'];
  readonly attempts: readonly AttemptRow[];
  readonly started: readonly Started[];
  readonly eventIds: readonly string[];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** How a job ends if nobody gets in its way. */
const natural: Readonly<Record<Act['act'], string>> = {
  succeed: 'completed',
  throw: 'exception',
  hang: 'timeout',
  heed: 'timeout',
  die: 'lost',
  wait: 'lost',
  block: 'completed',
};

function expectOneEnd({ plan, job, failed, attempts, started, eventIds }: Traces): void {
  const hasFailed = job.status === 'failed';
  expect(['completed', 'failed']).toContain(job.status);
  expect(job.run).toBe(1);
  expect(job.attempt).toBeLessThanOrEqual(plan.maxAttempts);
  // One failed job where it failed, told with one event id, however often.
  expect(failed.map(({ status, run, attempts: spent }) => ({ status, run, spent }))).toEqual(
    hasFailed ? [{ status: 'failed', run: 1, spent: job.attempt }] : [],
  );
  expect([...new Set(eventIds)]).toEqual(failed.map(({ event_id }) => event_id));
  // One row for each attempt that failed, none missing and none twice.
  expect(attempts.map(({ attempt }) => attempt)).toEqual(
    Array.from({ length: hasFailed ? job.attempt : job.attempt - 1 }, (_, index) => index + 1),
  );
  // No attempt was started twice, and none was recorded that never ran, but for those that were lost with their worker.
  const ran = started.map(({ attempt }) => attempt);
  expect(ran.length).toBeLessThanOrEqual(plan.maxAttempts);
  expect(new Set(ran).size).toBe(ran.length);
  for (const { attempt, kind } of attempts) if (kind !== 'lost') expect(ran).toContain(attempt);
  if (!hasFailed) expect(ran).toContain(job.attempt);
  // It ended as its nature had it, or by the death of a worker.
  const kinds = new Set([natural[plan.act.act], 'lost']);
  for (const { kind } of attempts) expect(kinds).toContain(kind);
  if (!hasFailed) expect(natural[plan.act.act] === 'completed' || plan.act.once).toBe(true);
}

/**
 * Looks, job by job, at what is left when all is over: one end, one record where it failed, no attempt too many, nothing leased,
 * everything told. Returns the tally in words.
 */
export async function tallyOf(scene: Scene, plans: ReadonlyMap<string, Plan>, messages: readonly Said[]): Promise<string> {
  const tables = await scene.tables();
  const journal = scene.journal();
  const told = messages.filter((message) => message.said === 'failed');
  const failed = groupBy(tables.failed, ({ job_id }) => job_id);
  const attempts = groupBy(tables.attempts, ({ job_id }) => job_id);
  const started = groupBy(journal, ({ id }) => id);
  const events = groupBy(told, ({ id }) => id);
  expect(tables.jobs.map(({ uuid }) => uuid).toSorted()).toEqual([...plans.keys()].toSorted());
  for (const job of tables.jobs) {
    const { uuid } = job;
    expectOneEnd({
      plan: plans.get(uuid)!,
      job,
      failed: failed.get(uuid) ?? [],
      attempts: attempts.get(uuid) ?? [],
      started: started.get(uuid) ?? [],
      eventIds: (events.get(uuid) ?? []).map(({ eventId }) => eventId),
    });
  }
  const count = (status: string): number => tables.jobs.filter((job) => job.status === status).length;
  expect(tables.failed).toHaveLength(count('failed'));
  expectNothingUnderWay(tables);
  const lost = tables.attempts.filter(({ kind }) => kind === 'lost').length;
  const again = told.filter(({ redelivered }) => redelivered).length;
  return (
    `${plans.size} jobs = ${count('completed')} completed + ${count('failed')} failed; ` +
    `${journal.length} attempts started, ${tables.attempts.length} failed, ${lost} of them lost; ${told.length} failures told, ${again} of them again`
  );
}

/** Waits until every job has ended and everything was told; fails with what is under way when that takes too long. */
export async function untilOver(scene: Scene, patienceMs: number, why: string): Promise<void> {
  let fewest = Number.POSITIVE_INFINITY;
  let since = performance.now();
  for (;;) {
    const left = await scene.left();
    if (left === 0) return;
    if (left < fewest) [fewest, since] = [left, performance.now()];
    if (performance.now() - since > patienceMs)
      expect.fail(`${why}: in vain waited for the end of:\n${JSON.stringify(await underWay(scene), null, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What has not ended yet, for whoever has to find out why. */
async function underWay(scene: Scene): Promise<unknown> {
  const { jobs, announcements } = await scene.tables();
  const sessions = await scene.ground.rows('SELECT id, pid, renewed_at, expires_at, started_through, dead_at FROM redrive_sessions');
  return { now: Date.now(), jobs: jobs.filter(({ status }) => status !== 'completed' && status !== 'failed'), announcements, sessions };
}
