import assert from 'node:assert/strict';
import { RedriveError } from '../../errors.ts';
import { defineJob, type JobClass } from '../../job/define.ts';
import type { Job } from '../../job/job.ts';
import type { Redrive } from '../../redrive.ts';
import type { Suite } from './suite.ts';
import { using, type World } from './world.ts';

interface Numbered {
  readonly n: number;
}

/** Jobs that fail until they are mended: all of them, or those for which `broken` says so. */
interface Scene {
  readonly world: World;
  readonly job: JobClass<Numbered>;
  readonly ids: readonly string[];
  /** What ran since all had failed, by number. */
  readonly ran: number[];
  /** Which of them fail from now on. */
  breaks: (n: number) => boolean;
}

/** F44: retries of many, as an operation of their own. */
export function bulkRetries({ describe, it, when, make }: Suite): void {
  async function failMany(count: number, test: (scene: Scene) => Promise<void>, atOnce = 1): Promise<void> {
    const ran: number[] = [];
    const scene: { breaks: Scene['breaks'] } = { breaks: () => true };
    const job = defineJob({
      name: 'numbered',
      handle: (self: Job<Numbered>) => {
        ran.push(self.properties.n);
        if (scene.breaks(self.properties.n)) throw new Error('broken');
      },
    });
    await using(await make({ jobs: [job], pool: { quantity: atOnce } }), async (world) => {
      const ids: string[] = [];
      // In order where that matters: one at a time.
      for (let n = 0; n < count; n += atOnce) {
        const some = Array.from({ length: Math.min(atOnce, count - n) }, (_, index) => world.dispatch(job, { n: n + index }));
        ids.push(...(await Promise.all(some)));
      }
      await world.redrive.start();
      await world.until('all to have failed and to be told', () => world.at('onJobFailed').length === count);
      await world.until('all to be on record', async () => (await world.redrive.failedJobs.count()) === count);
      ran.length = 0;
      scene.breaks = () => false;
      await test(Object.assign(scene, { world, job, ids, ran }));
    });
  }

  /** Lets time pass until something holds. */
  async function pass(world: World, what: string, holds: () => boolean | Promise<boolean>, step = '250ms'): Promise<void> {
    for (let turn = 0; turn < 2_000; turn += 1) {
      await world.rest();
      if (await holds()) return;
      await world.clock.advance(step);
    }
    throw new Error(`In vain waited for: ${what}`);
  }

  /** The report at its end, time passing. */
  async function atEnd(
    world: World,
    bulk: Awaited<ReturnType<Redrive['failedJobs']['bulkRetry']>>,
    step = '250ms',
  ): Promise<Record<string, unknown>> {
    let report: Record<string, unknown> | undefined;
    let fault: unknown;
    bulk.done.then(
      ({ matched, moved, skipped, failedAgain, state }) => (report = { matched, moved, skipped, failedAgain, state }),
      (error: unknown) => (fault = error),
    );
    await pass(world, 'the bulk retry to end', () => report !== undefined || fault !== undefined, step);
    assert.equal(fault, undefined);
    return report ?? {};
  }

  const statusOf = async (world: World): Promise<Record<string, number>> => ({
    failed: await world.redrive.failedJobs.count(),
    resolved: await world.redrive.failedJobs.count({ status: 'resolved' }),
    retrying: await world.redrive.failedJobs.count({ status: 'retrying' }),
  });

  describe('bulk retry', () => {
    it('F44: moves what matched when it started, each once and told, and reports it', async () => {
      await failMany(5, async ({ world, ids, ran }) => {
        const bulk = await world.redrive.failedJobs.bulkRetry({ job: 'numbered' }, { by: 'ann', note: 'mended' });
        assert.equal(bulk.matched, 5);
        assert.deepEqual(await atEnd(world, bulk), { matched: 5, moved: 5, skipped: 0, failedAgain: 0, state: 'done' });
        await pass(world, 'all to have succeeded', async () => (await statusOf(world))['resolved'] === 5);
        assert.deepEqual(
          ran.toSorted((a, b) => a - b),
          [0, 1, 2, 3, 4],
        );
        assert.deepEqual(
          world.at('onJobRetried').map(({ job, by, run }) => [job.id, by, run]),
          ids.map((id) => [id, 'ann', 2]),
        );
        const found = await world.redrive.failedJobs.findBulkRetry(bulk.id);
        assert.deepEqual(
          { succeeded: found?.succeeded, underWay: found?.underWay, by: found?.by },
          { succeeded: 5, underWay: 0, by: 'ann' },
        );
        const { items } = await world.redrive.audit();
        assert.deepEqual(
          items.map(({ action, by, count, ids: on }) => [action, by, count, on]),
          [
            ['bulk-retry-done', 'ann', 5, [bulk.id]],
            ['bulk-retry-started', 'ann', 5, [bulk.id]],
          ],
        );
      });
    });

    it('F44: a store that is locked or away for a moment costs no job its move', async () => {
      await failMany(4, async ({ world }) => {
        const provider = await world.provider();
        const requeue = provider.requeue.bind(provider);
        const faults = [new RedriveError('STORE_LOCKED', 'locked'), new RedriveError('STORE_UNREACHABLE', 'away')];
        provider.requeue = async (...given) => {
          const fault = faults.shift();
          if (fault !== undefined) throw fault;
          return requeue(...given);
        };
        const bulk = await world.redrive.failedJobs.bulkRetry({});
        assert.deepEqual(await atEnd(world, bulk), { matched: 4, moved: 4, skipped: 0, failedAgain: 0, state: 'done' });
      });
    });

    it('F44: a job that fails again is not picked up twice, and is counted', async () => {
      await failMany(4, async (scene) => {
        const { world, ran } = scene;
        scene.breaks = (n) => n % 2 === 0;
        const bulk = await world.redrive.failedJobs.bulkRetry({});
        assert.equal((await atEnd(world, bulk))['moved'], 4);
        await pass(world, 'all outcomes', async () => (await bulk.refresh()).underWay === 0);
        assert.equal(bulk.failedAgain, 2);
        assert.equal(bulk.succeeded, 2);
        assert.equal(ran.length, 4);
        assert.deepEqual(await statusOf(world), { failed: 2, resolved: 2, retrying: 0 });
        // What comes later is none of its doing.
        scene.breaks = () => false;
        await world.redrive.failedJobs.retry({});
        await pass(world, 'all to have succeeded', async () => (await statusOf(world))['resolved'] === 4);
        assert.deepEqual([(await bulk.refresh()).failedAgain, bulk.moved], [2, 4]);
      });
    });

    it('F44: a set with nothing in it is done at once', async () => {
      await failMany(1, async ({ world }) => {
        const bulk = await world.redrive.failedJobs.bulkRetry({ job: 'other' }, { canary: 3, stopAfter: 1, rate: '1/h' });
        assert.deepEqual(await atEnd(world, bulk), { matched: 0, moved: 0, skipped: 0, failedAgain: 0, state: 'done' });
      });
    });

    when('background')('F44: keeps its rate, and can be paused, resumed and cancelled, also by another process', async () => {
      await failMany(
        30,
        async ({ world }) => {
          const { failedJobs } = world.redrive;
          const bulk = await failedJobs.bulkRetry({}, { rate: '10/s', by: 'ann' });
          const told = (): number => world.at('onJobRetried').length;
          await pass(world, 'a second to pass', () => told() >= 10, '100ms');
          const [first, last] = [world.at('onJobRetried')[0], world.at('onJobRetried')[9]];
          assert.ok((last?.at.getTime() ?? 0) - (first?.at.getTime() ?? 0) >= 900, 'ten jobs in no less than 0.9 seconds');
          const other = await (await world.another()).failedJobs.findBulkRetry(bulk.id);
          assert.equal(await other?.pause({ by: 'bob' }), true);
          assert.equal(other?.state, 'paused');
          const paused = told();
          await world.clock.advance('1m');
          await world.rest();
          assert.equal(told(), paused);
          assert.equal(await bulk.pause(), false);
          assert.equal(await bulk.resume({ by: 'eve' }), true);
          await pass(world, 'it to go on', () => told() > paused, '100ms');
          assert.equal(await other?.cancel({ by: 'bob' }), true);
          const report = await atEnd(world, bulk);
          assert.equal(report['state'], 'cancelled');
          assert.equal(report['moved'], told());
          assert.ok(told() < 30);
          assert.equal(await bulk.resume(), false);
          assert.equal(await bulk.cancel(), false);
          const { items } = await world.redrive.audit();
          assert.deepEqual(
            items.map(({ action, by }) => [action, by]),
            [
              ['bulk-retry-cancelled', 'bob'],
              ['bulk-retry-resumed', 'eve'],
              ['bulk-retry-paused', 'bob'],
              ['bulk-retry-started', 'ann'],
            ],
          );
        },
        10,
      );
    });

    when('background', 'status')('F44: the canary has to succeed before the others are moved', async () => {
      await failMany(6, async ({ world }) => {
        const { redrive } = world;
        await redrive.pause('default');
        const bulk = await redrive.failedJobs.bulkRetry({}, { canary: 2 });
        await pass(world, 'the canary to be moved', () => bulk.moved === 2);
        await world.clock.advance('30s');
        await world.rest();
        assert.deepEqual([bulk.moved, bulk.state], [2, 'running']);
        await redrive.resume('default');
        const report = await atEnd(world, bulk);
        assert.deepEqual(report, { matched: 6, moved: 6, skipped: 0, failedAgain: 0, state: 'done' });
        assert.deepEqual([bulk.succeeded, bulk.underWay], [6, 0]);
      });
    });

    when('background')('F44: a canary that fails again stops it, and nothing more is moved', async () => {
      await failMany(6, async (scene) => {
        const { world } = scene;
        scene.breaks = (n) => n === 1;
        const bulk = await world.redrive.failedJobs.bulkRetry({}, { canary: 2 });
        const report = await atEnd(world, bulk);
        assert.deepEqual(report, { matched: 6, moved: 2, skipped: 0, failedAgain: 1, state: 'stopped' });
        assert.match(bulk.reason ?? '', /canary/);
        assert.deepEqual(await statusOf(world), { failed: 5, resolved: 1, retrying: 0 });
        assert.equal((await world.redrive.audit()).items[0]?.action, 'bulk-retry-stopped');
      });
    });

    when('background')('F44: it stops itself once as many have failed again as stopAfter says', async () => {
      await failMany(12, async (scene) => {
        const { world } = scene;
        scene.breaks = (n) => n > 2;
        const bulk = await world.redrive.failedJobs.bulkRetry({}, { stopAfter: 3, rate: '1/s' });
        const report = await atEnd(world, bulk);
        assert.equal(report['state'], 'stopped');
        assert.equal(report['failedAgain'], 3);
        assert.ok(Number(report['moved']) < 12, `${String(report['moved'])} moved`);
        assert.match(bulk.reason ?? '', /3 job\(s\) failed again/);
      });
    });

    when('background', 'unique')(
      'F44: it goes on past jobs that cannot be moved, and passes over those that somebody else moved',
      async () => {
        const job = defineJob({
          name: 'keyed',
          unique: ({ key }: { key: string }) => key,
          handle: () => {
            throw new Error('broken');
          },
        });
        await using(await make({ jobs: [job] }), async (world) => {
          const { redrive } = world;
          await redrive.start();
          for (const [n, key] of ['a', 'a', 'b', 'c', 'd'].entries()) {
            await redrive.dispatch(job, { key });
            await world.until('it to have failed', () => world.at('onJobFailed').length === n + 1);
          }
          await redrive.pause('default');
          const [newest] = (await redrive.failedJobs.list({}, { limit: 1 })).items;
          const bulk = await redrive.failedJobs.bulkRetry({}, { rate: '1/m' });
          await pass(world, 'the first to be moved', () => bulk.moved === 1);
          assert.equal((await redrive.failedJobs.retry(newest?.id ?? 0)).requeued, 1);
          const report = await atEnd(world, bulk, '15s');
          // The second "a" finds its key held by the first; the last one was moved by hand.
          assert.deepEqual(report, { matched: 5, moved: 3, skipped: 2, failedAgain: 0, state: 'done' });
        });
      },
    );

    when('background')('F44: of two over the same jobs each job is moved by one, and passed over by the other', async () => {
      await failMany(
        20,
        async ({ world, ran }) => {
          const other = await world.another();
          // At a pace, so that the second finds them there: while the clock stands the first moves one of them.
          const both = await Promise.all([
            world.redrive.failedJobs.bulkRetry({}, { by: 'ann', rate: '10/s' }),
            other.failedJobs.bulkRetry({}, { by: 'bob', rate: '10/s' }),
          ]);
          const reports = [];
          for (const bulk of both) reports.push(await atEnd(world, bulk));
          for (const { matched, moved, skipped } of reports) {
            assert.ok(Number(matched) >= 19, `${String(matched)} of 20 matched`);
            assert.equal(Number(moved) + Number(skipped), matched);
          }
          assert.equal(
            reports.reduce((sum, { moved }) => sum + Number(moved), 0),
            20,
          );
          await pass(world, 'all to have succeeded', async () => (await statusOf(world))['resolved'] === 20);
          assert.equal(ran.length, 20);
        },
        10,
      );
    });

    when('background')('F44: when its driver stops another process goes on with it at once, and no job is moved twice', async () => {
      await failMany(
        30,
        async ({ world, ran }) => {
          const driver = await world.another();
          const bulk = await driver.failedJobs.bulkRetry({}, { rate: '10/s' });
          await pass(world, 'it to be under way', () => bulk.moved >= 5, '100ms');
          const waiting = assert.rejects(bulk.done, { code: 'STOPPED' });
          await driver.stop();
          await waiting;
          const found = await world.redrive.failedJobs.findBulkRetry(bulk.id);
          assert.ok(found !== undefined && found.state === 'running' && found.moved < 30);
          assert.deepEqual(await atEnd(world, found), { matched: 30, moved: 30, skipped: 0, failedAgain: 0, state: 'done' });
          await pass(world, 'all to have succeeded', async () => (await statusOf(world))['resolved'] === 30);
          assert.equal(ran.length, 30);
          assert.equal(world.at('onJobRetried').length, 30);
        },
        10,
      );
    });

    when('background')(
      'F44: a driver that is not heard of is taken over within half a minute, and moves nothing when it wakes',
      async () => {
        await failMany(
          30,
          async ({ world, ran }) => {
            const dead = await world.stoppable();
            const bulk = await dead.redrive.failedJobs.bulkRetry({}, { rate: '10/s', by: 'ann' });
            for (let n = 0; n < 5; n += 1) await dead.clock.advance('100ms');
            await world.until('it to be under way', () => bulk.moved >= 2);
            const before = world.at('onJobRetried').length;
            assert.ok(before < 30);
            const found = await world.redrive.failedJobs.findBulkRetry(bulk.id);
            const startedAt = world.clock.now();
            await pass(world, 'somebody to go on with it', () => world.at('onJobRetried').length > before, '1s');
            assert.ok(world.clock.now() - startedAt <= 30_000, `${world.clock.now() - startedAt} ms until it was taken over`);
            // It wakes, and finds that it drives no more.
            await dead.clock.advance('1m');
            assert.ok(found !== undefined);
            assert.deepEqual(await atEnd(world, found), { matched: 30, moved: 30, skipped: 0, failedAgain: 0, state: 'done' });
            await pass(world, 'all to have succeeded', async () => (await statusOf(world))['resolved'] === 30);
            assert.equal(ran.length, 30);
            assert.equal(world.at('onJobRetried').length, 30);
          },
          10,
        );
      },
    );

    it('F44: it is listed, found by its id, and refused with what it cannot do', async () => {
      await failMany(1, async ({ world }) => {
        const { failedJobs } = world.redrive;
        const first = await failedJobs.bulkRetry({ job: 'other' });
        const second = await failedJobs.bulkRetry({ job: 'numbered' }, { by: 'ann' });
        await atEnd(world, second);
        assert.deepEqual(
          (await failedJobs.bulkRetries()).map(({ id, by, filter }) => [id, by, filter]),
          [
            [second.id, 'ann', { job: 'numbered' }],
            [first.id, 'api', { job: 'other' }],
          ],
        );
        assert.deepEqual(
          (await failedJobs.bulkRetries({ limit: 5, before: second.id })).map(({ id }) => id),
          [first.id],
        );
        assert.equal((await failedJobs.findBulkRetry(String(second.id)))?.id, second.id);
        assert.equal(await failedJobs.findBulkRetry(999), undefined);
        assert.equal(await failedJobs.findBulkRetry('no-number'), undefined);
        const refused = { code: 'OPTIONS_INVALID' };
        await assert.rejects(failedJobs.bulkRetry({}, { rate: '0/s' }), { ...refused, message: /rate: 0 would never move anything/ });
        await assert.rejects(failedJobs.bulkRetry({}, { rate: 'fast' }), refused);
        await assert.rejects(failedJobs.bulkRetry({}, { canary: 0 }), refused);
        await assert.rejects(failedJobs.bulkRetry({}, { stopAfter: 1.5 }), refused);
        await assert.rejects(failedJobs.bulkRetry({}, { canry: 1 } as object), { ...refused, message: /did you mean "?canary/ });
        await assert.rejects(failedJobs.bulkRetry({ jub: 'x' } as object), { code: 'FILTER_INVALID' });
      });
    });
  });
}
