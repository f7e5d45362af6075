import { it } from 'vitest';
import { onEachServer } from '../support/engines.ts';
import { seededRandom } from '../support/random.ts';
import { bySize } from '../support/size.ts';
import { surviveOutages } from './outages.ts';

const seed = Number(process.env['REDRIVE_TEST_SEED'] ?? 20_261_123);
const count = bySize(2, 5, 50);

await onEachServer(({ name, makeGround }) => {
  it(
    `F31: ${count} times all connections are killed in the middle of work: the processes stay, and nothing is lost or doubled`,
    { timeout: 300_000 },
    async () => {
      const ground = await makeGround();
      const strike = (): Promise<void> => ground.killConnections();
      await surviveOutages(ground, { name: `${name}, connections killed, seed ${seed}`, random: seededRandom(seed), count, strike });
    },
  );
});
