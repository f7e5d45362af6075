import { expect, it, onTestFinished } from 'vitest';
import { groundOn, onEachEngineBySize, sqlite } from '../support/engines.ts';
import { seededRandom } from '../support/random.ts';
import { size } from '../support/size.ts';
import { makeDatabase, withServer } from '../support/servers.ts';
import { Arena, type Place } from './arena.ts';
import { beforeWork, duringWork, type Pair, type Played } from './pairs.ts';

const full = size === 'full';
// Another seed is another test: the one of a failed run is in its tally.
const seed = Number(process.env['REDRIVE_TEST_SEED'] ?? 20_261_127);
const timeout = full ? 2_400_000 : 180_000;

/** Every pair of acts, so many rounds each, and then a look at what is left of each job, in all tables. */
async function race(name: string, place: Place, rounds: number): Promise<void> {
  const random = seededRandom(seed);
  const arena = await Arena.open(place);
  const played: Played[] = [];
  const play = async (pair: Pair): Promise<void> => {
    const before = await arena.audited();
    const started = performance.now();
    const one = await pair.play(arena, rounds, random);
    const after = await arena.audited();
    for (const [action, count] of Object.entries(one.audited))
      expect((after.get(action) ?? 0) - (before.get(action) ?? 0), `${pair.name}: ${action} in the audit`).toBe(count);
    played.push(one);
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    const tally = Object.entries(one.tally).map(([word, count]) => `${count} ${word}`);
    console.log(`${name}, seed ${seed}, ${pair.name}: ${rounds} rounds, ${one.ids.length} jobs: ${tally.join(', ')}; ${seconds} s`);
  };
  for (const pair of beforeWork) await play(pair);
  await arena.work();
  await arena.rest();
  for (const pair of duringWork) await play(pair);
  await arena.rest();
  const remains = await arena.remains(played.flatMap(({ ids }) => ids));
  for (const one of played) one.check(remains);
}

await onEachEngineBySize(({ name, makeGround }) => {
  const rounds = full ? 1_000 : name === 'SQLite' ? 10 : 2;
  it(
    `F40, F41: two processes do things to the same failed jobs at once, ${rounds} times each: every job is in one place, ran as often as somebody was told, and the audit adds up`,
    { timeout },
    async () => race(name, { ground: await makeGround() }, rounds),
  );
});

await withServer('postgres', () => {
  const rounds = full ? 1_000 : 2;
  it(`F40, F41: the same with jobs in SQLite and their failed-jobs log in PostgreSQL, ${rounds} times each`, { timeout }, async () => {
    const database = await makeDatabase('postgres');
    onTestFinished(() => database.drop());
    const { rows } = groundOn(database, 'postgres');
    await race('SQLite and a log in PostgreSQL', { ground: await sqlite.makeGround(), log: { datasource: database.config, rows } }, rounds);
  });
});
