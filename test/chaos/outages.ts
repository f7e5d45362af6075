import { expect } from 'vitest';
import { makeScene, stopped, type Scene } from '../crash/scene.ts';
import type { Ground } from '../support/engines.ts';
import { tallyOf, untilOver, type Plan } from './tally.ts';

const workerCount = 2;
const jobsBetweenOutages = 60;
const patienceMs = 120_000;

export interface Outages {
  readonly name: string;
  readonly random: () => number;
  readonly count: number;
  /** One outage, from its beginning to its end. */
  readonly strike: () => Promise<void>;
}

/** Jobs that end by themselves, each in its own way. */
function planJob(random: () => number): Plan & { readonly timeout: string } {
  const maxAttempts = 1 + Math.floor(random() * 3);
  const busy = Math.floor(random() * 60);
  const once = random() < 0.5;
  const dice = random();
  if (dice < 0.55) return { act: { act: 'succeed', busy }, maxAttempts, timeout: '20s' };
  if (dice < 0.9) return { act: { act: 'throw', busy, once }, maxAttempts, timeout: '20s' };
  return { act: { act: 'hang', once }, maxAttempts, timeout: `${50 + busy}ms` };
}

async function dispatch(scene: Scene, random: () => number): Promise<readonly (readonly [string, Plan])[]> {
  const batch = Array.from({ length: jobsBetweenOutages }, () => planJob(random));
  const ids = await scene.dispatchMany(batch.map(({ act, maxAttempts, timeout }) => ({ act, options: { maxAttempts, timeout } })));
  return ids.map((id, index) => [id, batch[index]!]);
}

/**
 * F31: outages in the middle of work, after which every job has ended once, in the very same processes. A lease outlasts each of them,
 * so nothing is lost either: every attempt ends as it would have without them.
 */
export async function surviveOutages(ground: Ground, { name, random, count, strike }: Outages): Promise<void> {
  const scene = await makeScene(ground);
  const workers = Array.from({ length: workerCount }, () => scene.worker({ quantity: 4, prefetch: 2, lease: '30s' }));
  for (const worker of workers) await worker.says('it is ready', ({ said }) => said === 'ready');
  const startedBy = (): number => workers.reduce((sum, { messages }) => sum + messages.filter(({ said }) => said === 'started').length, 0);
  const plans = new Map<string, Plan>();
  for (let outage = 0; outage < count; outage += 1) {
    const enough = startedBy() + 1 + Math.floor((random() * jobsBetweenOutages) / 2);
    for (const [id, plan] of await dispatch(scene, random)) plans.set(id, plan);
    while (startedBy() < enough) await Promise.race(workers.map((worker) => worker.news()));
    await new Promise((resolve) => setTimeout(resolve, random() * 30));
    await strike();
  }
  await untilOver(scene, patienceMs, name);
  // A stray rejection would have ended a process.
  expect(workers.map(({ isAlive }) => isAlive)).toEqual(workers.map(() => true));
  await Promise.all(workers.map(stopped));
  const messages = workers.flatMap((worker) => worker.messages);
  const tally = await tallyOf(scene, plans, messages);
  expect(messages.filter(({ said }) => said === 'lease lost')).toEqual([]);
  expect((await scene.tables()).attempts.filter(({ kind }) => kind === 'lost')).toEqual([]);
  expect(new Set(scene.journal().map(({ pid }) => pid))).toEqual(new Set(workers.map(({ pid }) => pid)));
  console.log(`${name}, ${count} times: ${tally}`);
}
