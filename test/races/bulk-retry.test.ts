import Database from 'better-sqlite3';
import knexModule from 'knex';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Command } from '../support/command.ts';
import { groundOn, onEachEngineBySize, onEachServer, sqlite, type EngineUnderTest } from '../support/engines.ts';
import { lockedByAnother } from '../support/locked.ts';
import { makePrivateServer, whyNoPrivateServer } from '../support/private-server.ts';
import { Proxy } from '../support/proxy.ts';
import { seededRandom } from '../support/random.ts';
import { size } from '../support/size.ts';
import { BulkScene } from './bulk-scene.ts';
import type { Plan } from './operator.ts';

const full = size === 'full';
const amount = full ? 10_000 : 100;
const rate = full ? '2000/s' : '100/s';
const seed = Number(process.env['REDRIVE_TEST_SEED'] ?? 20_261_127);
const timeout = full ? 2_400_000 : 180_000;

await onEachEngineBySize(({ name, makeGround }) => {
  // One server is enough for every day.
  it.skipIf(!full && name === 'MySQL')(
    `F44: a bulk retry of ${amount} whose process is killed halfway is taken over by redrive serve, and another by a pool: each of the set is moved once and runs once, the report is exact${full || name !== 'MySQL' ? '' : ' (skipped: in the full size only)'}`,
    { timeout },
    async () => {
      const random = seededRandom(seed);
      const scene = await BulkScene.open(await makeGround());
      const { failedJobs } = scene.redrive;
      // Every fifth of them fails again.
      const plans = Array.from({ length: amount }, (_, n): Plan => ({ succeedsIn: n % 5 === 0 ? 3 : 2 }));
      const ofAnn = await scene.failedJobs(plans, 'ann');
      const ofBob = await scene.failedJobs(plans, 'bob');
      // In the full size the pool is there all the time.
      if (full) await scene.worker();

      const killed = async (bulkRetry: number, by: string): Promise<number> => {
        const driver = scene.command(['retry', '--from-queue', by, '--rate', rate, '--by', by]);
        await scene.moved(bulkRetry, Math.floor(amount * (0.2 + random() * 0.3)));
        driver.signal('SIGKILL');
        expect(await driver.ended).toEqual({ code: null, signal: 'SIGKILL' });
        const moved = await scene.movedBy(bulkRetry);
        expect(moved, 'it was killed too late').toBeLessThan(amount - 5);
        if (!full) await scene.expire(bulkRetry);
        return moved;
      };

      const movedByAnn = await killed(1, 'ann');
      // Somebody else is at the last of the set, and there are new failures, which are none of its own.
      const [retried, forgotten] = [ofAnn.slice(-3), ofAnn.slice(-5, -3)];
      expect((await failedJobs.retry(retried, { by: 'eve' })).requeued).toBe(3);
      expect((await failedJobs.forget(forgotten, { by: 'eve' })).removed).toBe(2);
      const late = await scene.failedJobs(plans.slice(0, 5), 'ann');
      const server = scene.command(['serve', '--port', '0']);
      await server.shows('http://');
      const first = { state: 'done', matched: amount, moved: amount - 5, skipped: 5, by: 'ann' };
      expect(await scene.over(1)).toMatchObject(first);
      const [, url = ''] = /(http:\/\/[^\s,/]+:\d+)/.exec(server.stdout) ?? [];
      expect(await (await fetch(`${url}/api/v1/bulk-retries/1`)).json()).toMatchObject(first);
      server.signal('SIGTERM');
      expect(await server.ended).toEqual({ code: 0, signal: null });
      if (!full) expect(await scene.count(`redrive_jobs WHERE status = 'ready' AND run = 2`)).toBe(amount - 2);

      const movedByBob = await killed(2, 'bob');
      if (!full) await scene.worker();
      const second = { state: 'done', matched: amount, moved: amount, skipped: 0, by: 'bob' };
      expect(await scene.over(2)).toMatchObject(second);
      await scene.rest();

      const failAgain = (ids: readonly string[], all = ids): number => ids.filter((id) => all.indexOf(id) % 5 === 0).length;
      const again = failAgain(ofAnn) - failAgain([...retried, ...forgotten], ofAnn);
      expect(await scene.bulkRetry(1)).toMatchObject({ ...first, succeeded: amount - 5 - again, failedAgain: again, underWay: 0 });
      expect(await scene.bulkRetry(2)).toMatchObject({ ...second, succeeded: amount * 0.8, failedAgain: amount * 0.2, underWay: 0 });
      const runs = scene.runs();
      for (const id of [...ofAnn, ...ofBob]) expect(runs.get(id), id).toEqual(forgotten.includes(id) ? undefined : [2]);
      for (const id of late) expect(runs.get(id)).toBe(undefined);
      const failed = again + failAgain(retried, ofAnn) + failAgain(ofBob);
      expect(await scene.count(`redrive_jobs WHERE status = 'failed'`)).toBe(failed + 5);
      expect(await scene.count(`cbq_failed_jobs WHERE status = 'failed'`)).toBe(failed + 5);
      expect(await scene.count(`redrive_jobs WHERE status = 'completed'`)).toBe(2 * amount - 2 - failed);
      expect(await scene.count(`cbq_failed_jobs WHERE status = 'resolved'`)).toBe(2 * amount - 2 - failed);
      expect(await scene.audit()).toEqual([
        `ann bulk-retry-started ${amount}`,
        'eve retried 3',
        'eve deleted 2',
        `ann bulk-retry-done ${amount - 5}`,
        `bob bulk-retry-started ${amount}`,
        `bob bulk-retry-done ${amount}`,
      ]);
      console.log(`${name}, seed ${seed}: killed after ${movedByAnn} and ${movedByBob} of ${amount}, and taken over`);
    },
  );
});

describe('redrive retry --all --rate', () => {
  it('pauses at a Ctrl-C, says how it goes on, and does so when it is told', { timeout }, async () => {
    const ground = await sqlite.makeGround();
    const scene = await BulkScene.open(ground);
    await scene.failedJobs(Array.from({ length: 30 }, () => ({ succeedsIn: 2 })));
    const command = scene.command(['retry', '--all', '--rate', '10/s', '--by', 'ann']);
    await scene.moved(1, 2);
    // Whoever locks the file for a moment holds it up, and no more.
    const lock = new Database((ground.properties['connection'] as { filename: string }).filename);
    lock.exec('BEGIN IMMEDIATE');
    await new Promise((resolve) => setTimeout(resolve, 200));
    lock.exec('COMMIT');
    lock.close();
    await scene.moved(1, 4);
    command.signal('SIGINT');
    expect(await command.ended).toEqual({ code: 1, signal: null });
    const report = await scene.bulkRetry(1);
    expect(report).toMatchObject({ state: 'paused', matched: 30, skipped: 0 });
    expect(report.moved).toBeLessThan(30);
    expect(await scene.movedBy(1)).toBe(report.moved);
    const [, hint = ''] = /is paused\. It goes on with: redrive (bulk-retry .+)\n$/.exec(command.faults) ?? [];
    expect(command.faults).toBe(`redrive: bulk retry 1 is paused. It goes on with: redrive ${hint}\n`);
    expect(command.stdout).toContain(`Re-queued ${report.moved} job(s).`);
    const resumed = scene.command(hint.split(' ').filter((word, n, words) => word !== '--database' && words[n - 1] !== '--database'));
    expect(await resumed.ended).toEqual({ code: 0, signal: null });
    expect(resumed.stdout).toContain('Bulk retry 1 done: 30 of 30 moved, 0 skipped');
    expect(await scene.movedBy(1)).toBe(30);
    expect((await scene.audit()).map((line) => line.replace(/^.*? (?=bulk)/, ''))).toEqual([
      'bulk-retry-started 30',
      'bulk-retry-paused 1',
      'bulk-retry-resumed 1',
      'bulk-retry-done 30',
    ]);
  });
});

/** A bulk retry by the command, on a server that can be taken away from it. */
async function throughProxy({ makeGround }: EngineUnderTest): Promise<{ scene: BulkScene; proxy: Proxy; command: Command }> {
  const ground = await makeGround();
  const connection = ground.properties['connection'] as { readonly host: string; readonly port: number };
  const proxy = await Proxy.to(connection);
  const scene = await BulkScene.open(ground);
  await scene.failedJobs(Array.from({ length: 60 }, () => ({ succeedsIn: 2 })));
  const beyond = { ...ground.properties, connection: { ...connection, port: proxy.port } };
  return { scene, proxy, command: scene.command(['retry', '--all', '--rate', '30/s', '--by', 'ann'], beyond) };
}

await onEachServer((engine) => {
  // One server is enough for every day.
  it.skipIf(!full && engine.name === 'MySQL')(
    `F44: goes on after its connections were cut, a commit was not answered and the server was away: each is moved once, the report is exact${full || engine.name !== 'MySQL' ? '' : ' (skipped: in the full size only)'}`,
    { timeout },
    async () => {
      const { scene, proxy, command } = await throughProxy(engine);
      await scene.moved(1, 6);
      proxy.loseReplyOf('COMMIT');
      await scene.moved(1, 15);
      proxy.cut();
      await scene.moved(1, 24);
      await proxy.down();
      const moved = await scene.movedBy(1);
      await new Promise((resolve) => setTimeout(resolve, full ? 5_000 : 500));
      expect(await scene.movedBy(1)).toBe(moved);
      expect(await scene.bulkRetry(1)).toMatchObject({ state: 'running', moved });
      await proxy.up();
      expect(await command.ended, command.stderr).toEqual({ code: 0, signal: null });
      expect(command.stdout).toContain('Bulk retry 1 done: 60 of 60 moved, 0 skipped');
      expect(command.faults).toBe('');
      expect(proxy.cuts).toBeGreaterThan(1);
      expect(await scene.bulkRetry(1)).toMatchObject({ state: 'done', matched: 60, moved: 60, skipped: 0, underWay: 60 });
      expect(await scene.count(`redrive_jobs WHERE status = 'ready' AND run = 2`)).toBe(60);
      expect(await scene.audit()).toEqual(['ann bulk-retry-started 60', 'ann bulk-retry-done 60']);
    },
  );

  const server = engine.name === 'PostgreSQL' ? 'postgres' : 'mysql';
  const missing = full ? whyNoPrivateServer(server) : 'in the full size only';
  it.skipIf(missing !== undefined)(
    `F44: goes on after its server was stopped, and after it crashed, and started again${missing === undefined ? '' : ` (skipped: ${missing})`}`,
    { timeout },
    async () => {
      const own = await makePrivateServer(server);
      onTestFinished(() => own.remove());
      const knex = knexModule.knex({ ...own.config, pool: { min: 0, max: 1 } });
      onTestFinished(() => knex.destroy());
      const scene = await BulkScene.open({
        ...groundOn({ config: own.config, knex }, server),
        properties: { ...own.userConfig, autoMigrate: true },
      });
      await scene.failedJobs(Array.from({ length: 100 }, () => ({ succeedsIn: 2 })));
      const command = scene.command(['retry', '--all', '--rate', '20/s', '--by', 'ann']);
      for (const [count, how] of [
        [20, 'orderly'],
        [50, 'crash'],
      ] as const) {
        await scene.moved(1, count);
        await own.stop(how);
        await own.start();
      }
      expect(await command.ended, command.stderr).toEqual({ code: 0, signal: null });
      expect(command.faults).toBe('');
      await scene.worker();
      await scene.rest();
      expect(await scene.bulkRetry(1)).toMatchObject({ state: 'done', matched: 100, moved: 100, skipped: 0, succeeded: 100 });
      expect([...scene.runs().values()]).toEqual(Array.from({ length: 100 }, () => [2]));
      expect(await scene.audit()).toEqual(['ann bulk-retry-started 100', 'ann bulk-retry-done 100']);
    },
  );

  it.skipIf(!full)(
    `F44: gives up on a server that stays away, in one line that says how it goes on, and so it does${full ? '' : ' (skipped: in the full size only)'}`,
    { timeout },
    async () => {
      const { scene, proxy, command } = await throughProxy(engine);
      await scene.moved(1, 10);
      await proxy.down();
      expect(await command.ended).toEqual({ code: 1, signal: null });
      expect(command.stdout).toBe('');
      expect(command.faults).toMatch(
        /^redrive: bulk retry 1 cannot be followed any more: .+ or: redrive bulk-retry --database \S+ 1 --watch \(STORE_UNREACHABLE\)\n$/,
      );
      expect(command.stderr).toContain(String(proxy.port));
      await proxy.up();
      const watching = scene.command(['bulk-retry', '1', '--watch']);
      expect(await watching.ended, watching.stderr).toEqual({ code: 0, signal: null });
      expect(watching.stdout).toBe('Bulk retry 1 done: 60 of 60 moved, 0 skipped, 0 succeeded, 0 failed again\n');
    },
  );
});

it.skipIf(!full)(
  `F44: goes on once a SQLite file is free that somebody had locked for longer than its lease${full ? '' : ' (skipped: in the full size only)'}`,
  { timeout },
  async () => {
    const ground = await sqlite.makeGround();
    const scene = await BulkScene.open(ground);
    await scene.failedJobs(Array.from({ length: 30 }, () => ({ succeedsIn: 2 })));
    const command = scene.command(['retry', '--all', '--rate', '30/s', '--by', 'ann']);
    await scene.moved(1, 6);
    const lock = await lockedByAnother((ground.properties['connection'] as { filename: string }).filename);
    const moved = await scene.movedBy(1);
    await new Promise((resolve) => setTimeout(resolve, 25_000));
    expect(await scene.movedBy(1)).toBe(moved);
    await lock.release();
    expect(await command.ended, command.stderr).toEqual({ code: 0, signal: null });
    expect(command.faults).toBe('');
    expect(await scene.bulkRetry(1)).toMatchObject({ state: 'done', matched: 30, moved: 30, skipped: 0, underWay: 30 });
    expect(await scene.movedBy(1)).toBe(30);
    expect(await scene.count("redrive_jobs WHERE status = 'ready' AND run = 2")).toBe(30);
  },
);
