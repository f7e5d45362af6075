import knexModule from 'knex';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defineJob } from '../../src/index.ts';
import { databaseRedrive } from '../support/database-redrive.ts';
import { groundOn } from '../support/engines.ts';
import { makePrivateServer, whyNoPrivateServer, type PrivateServer } from '../support/private-server.ts';
import { seededRandom } from '../support/random.ts';
import type { ServerName } from '../support/servers.ts';
import { bySize, size } from '../support/size.ts';
import { surviveOutages } from './outages.ts';

const seed = Number(process.env['REDRIVE_TEST_SEED'] ?? 20_261_124);
const count = bySize(1, 2, 12);
const isRequired = process.env['REDRIVE_TEST_SERVICES'] === 'required';

async function privateServer(server: ServerName): Promise<PrivateServer> {
  const made = await makePrivateServer(server);
  onTestFinished(() => made.remove());
  return made;
}

describe.each([
  ['PostgreSQL', 'postgres'],
  ['MariaDB', 'mysql'],
] as const)('%s', (name, server) => {
  const missing = size === 'small' ? 'a server of its own that is restarted: npm run test:ci' : whyNoPrivateServer(server);
  if (missing !== undefined && isRequired && size !== 'small') throw new Error(`REDRIVE_TEST_SERVICES=required, but this test ${missing}`);

  it.skipIf(missing !== undefined)(
    `F31: ${count} times the server is stopped, or crashes, in the middle of work, and starts again: the processes stay, and nothing is lost or doubled${missing === undefined ? '' : ` (skipped: ${missing})`}`,
    { timeout: 300_000 },
    async () => {
      const own = await privateServer(server);
      const knex = knexModule.knex({ ...own.config, pool: { min: 0, max: 1 } });
      onTestFinished(() => knex.destroy());
      const random = seededRandom(seed);
      let turn = 0;
      const strike = async (): Promise<void> => {
        await own.stop(turn++ % 2 === 0 ? 'orderly' : 'crash');
        await new Promise((resolve) => setTimeout(resolve, random() * 500));
        await own.start();
      };
      await surviveOutages(groundOn({ config: own.config, knex }, server), {
        name: `${name}, restarts, seed ${seed}`,
        random,
        count,
        strike,
      });
    },
  );

  it.skipIf(missing !== undefined)(
    `F31: while the server is away health() says so and outcomes wait; they are written when it is back, or takes writes again${missing === undefined ? '' : ` (skipped: ${missing})`}`,
    { timeout: 120_000 },
    async () => {
      const own = await privateServer(server);
      const ended: string[] = [];
      const release: (() => void)[] = [];
      const job = defineJob({ name: 'waits', timeout: 0, handle: () => new Promise<void>((resolve) => release.push(resolve)) });
      const redrive = await databaseRedrive({ ...own.userConfig, autoMigrate: true, pollInterval: '50ms', lease: '3s' }, { jobs: [job] });
      redrive.on('onJobComplete', ({ job: { id } }) => void ended.push(id));
      await redrive.start();
      const health = async (): Promise<boolean> => (await redrive.health()).pools['pool']?.ok ?? false;
      const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
        while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
      };
      const outages: readonly (readonly [begin: () => Promise<void>, end: () => Promise<void>])[] = [
        [() => own.stop('crash'), () => own.start()],
        [() => own.refuseWrites(), () => own.takeWrites()],
      ];
      for (const [begin, end] of outages) {
        const id = await redrive.dispatch(job);
        await until(() => release.length === 1);
        await begin();
        await until(async () => !(await health()));
        release.pop()?.();
        const refused = await redrive.dispatch(job).catch((error: unknown) => error);
        expect(refused).toMatchObject({ name: 'RedriveError', code: expect.stringMatching(/^STORE_(UNREACHABLE|READ_ONLY)$/) as string });
        await end();
        await until(() => ended.includes(id));
        await until(health);
      }
      const jobs = await groundOfConfig(own, server);
      expect(jobs).toEqual(['completed 1', 'completed 1']);
    },
  );
});

async function groundOfConfig({ config }: PrivateServer, server: ServerName): Promise<readonly string[]> {
  const knex = knexModule.knex({ ...config, pool: { min: 0, max: 1 } });
  try {
    return (await groundOn({ config, knex }, server).tables()).jobs.map(({ status, attempt }) => `${status} ${attempt}`);
  } finally {
    await knex.destroy();
  }
}
