import { expect, it } from 'vitest';
import { makeScene, type Scene } from '../crash/scene.ts';
import { onEachEngineBySize } from '../support/engines.ts';
import { seededRandom } from '../support/random.ts';
import { bySize } from '../support/size.ts';
import { Supervisor } from './supervisor.ts';
import { tallyOf, untilOver, type Plan } from './tally.ts';

const kills = bySize(4, 20, 200);
const jobsBetweenKills = 25;
const workerCount = 4;
const patienceMs = 120_000;
// Another seed is another test: the one of a failed run is in its tally.
const seed = Number(process.env['REDRIVE_TEST_SEED'] ?? 20_261_122);

interface Dispatched extends Plan {
  readonly timeout: string;
}

/** Everything a job can do to its worker, each often enough to meet the others. Killers are few: each death costs a lease. */
function planJob(random: () => number, isKiller: boolean): Dispatched {
  const maxAttempts = 1 + Math.floor(random() * 3);
  const busy = Math.floor(random() * 40);
  const timeout = '10s';
  const once = random() < 0.4;
  const dice = random();
  if (isKiller) return { act: { act: 'die', busy, once }, maxAttempts, timeout };
  if (dice < 0.5) return { act: { act: 'succeed', busy }, maxAttempts, timeout };
  if (dice < 0.78) return { act: { act: 'throw', busy, once }, maxAttempts, timeout };
  if (dice < 0.97) return { act: { act: 'hang', once }, maxAttempts, timeout: `${50 + busy}ms` };
  // Now and then for longer than the lease.
  return { act: { act: 'block', busy: busy * 40 }, maxAttempts, timeout };
}

async function dispatch(scene: Scene, plans: readonly Dispatched[]): Promise<readonly (readonly [string, Plan])[]> {
  const ids = await scene.dispatchMany(plans.map(({ act, maxAttempts, timeout }) => ({ act, options: { maxAttempts, timeout } })));
  return ids.map((id, index) => [id, plans[index]!]);
}

/** Kills a worker in the middle of every batch of jobs, at an instant that the seed chooses. */
async function wreakHavoc(scene: Scene, supervisor: Supervisor, random: () => number): Promise<ReadonlyMap<string, Plan>> {
  const plans = new Map<string, Plan>();
  for (let kill = 0; kill <= kills; kill += 1) {
    const batch = Array.from({ length: jobsBetweenKills }, (_, n) => planJob(random, n === 0 && kill % 4 === 0));
    for (const [id, plan] of await dispatch(scene, batch)) plans.set(id, plan);
    if (kill === kills) break;
    const enough = supervisor.started + 1 + Math.floor(random() * (jobsBetweenKills / 2));
    await supervisor.until(() => supervisor.started >= enough);
    await new Promise((resolve) => setTimeout(resolve, random() * 40));
    const busy = supervisor.alive.filter(({ messages }) => messages.length > 0);
    await busy[Math.floor(random() * busy.length)]?.kill();
  }
  return plans;
}

await onEachEngineBySize(({ name, makeGround }) => {
  it(
    `F25, F26, F32, F33: after ${kills} kills every job has ended once, and nothing is lost, doubled or left behind`,
    { timeout: bySize(120_000, 300_000, 1_800_000) },
    async () => {
      const random = seededRandom(seed);
      const scene = await makeScene(await makeGround());
      const supervisor = new Supervisor(workerCount, () => scene.worker({ quantity: 4, prefetch: 2 }));
      const plans = await wreakHavoc(scene, supervisor, random);
      await untilOver(scene, patienceMs, `seed ${seed}`);
      await supervisor.stop();
      const tally = await tallyOf(
        scene,
        plans,
        supervisor.all.flatMap(({ messages }) => messages),
      );
      console.log(`${name}, seed ${seed}: ${tally}; ${supervisor.dead} workers died, ${kills} of them killed`);
      if (name === 'SQLite') expect(await scene.ground.rows('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    },
  );
});
