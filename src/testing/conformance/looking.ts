import assert from 'node:assert/strict';
import type { FailedJobFilter } from '../../record/failure-log.ts';
import { isRedriveError } from '../../errors.ts';
import { Unrecoverable } from '../../job/exceptions.ts';
import { defineJob } from '../../job/define.ts';
import type { Job } from '../../job/job.ts';
import type { Suite } from './suite.ts';
import { using, type World } from './world.ts';

interface Order {
  readonly message: string;
  readonly note?: string;
}

class PaymentRefused extends Error {
  override readonly name = 'PaymentRefused';
}

/** F34 to F37: lists, groups, counts and hours. */
export function looking({ describe, it, when, make }: Suite): void {
  const charge = defineJob({
    name: 'shop.charge',
    handle: (self: Job<Order>) => {
      throw new PaymentRefused(self.properties.message);
    },
  });
  const ship = defineJob({
    name: 'shop.ship',
    handle: (self: Job<Order>) => {
      if (self.properties.message === 'cancel') self.cancel('no longer wanted');
      throw new Unrecoverable(self.properties.message);
    },
  });

  const shop = (queues: readonly string[] = ['default']): Promise<World> =>
    make({ jobs: [charge, ship], pool: { queues: [...queues] }, config: { release: 'v1' } });

  /** Fails one job, and resolves with the number of its failed job. */
  async function fail(world: World, job: typeof charge, properties: Order, queue?: string): Promise<number> {
    const before = world.at('onJobFailed').length;
    await world.dispatch(job, properties, queue === undefined ? {} : { queue });
    await world.until('the failure', () => world.at('onJobFailed').length === before + 1);
    return Number(world.at('onJobFailed')[before]?.failedJobId);
  }

  /** Fails as many jobs, one a minute. */
  async function failMany(world: World, count: number): Promise<readonly number[]> {
    const ids: number[] = [];
    for (let index = 0; index < count; index += 1) {
      await world.clock.advance('1m');
      ids.push(await fail(world, charge, { message: `order ${index} was refused` }));
    }
    return ids;
  }

  /** Lets hours pass without a worker: one that runs would renew its lease all the while. */
  async function pass(world: World, hours: number): Promise<void> {
    await world.redrive.stop();
    await world.clock.advance(hours * 3_600);
    world.redrive = await world.another();
    await world.redrive.start();
  }

  async function numbers(world: World, filter: FailedJobFilter, order: 'newest' | 'oldest' = 'newest'): Promise<readonly number[]> {
    const { items } = await world.redrive.failedJobs.list(filter, { order });
    return items.map(({ id }) => id);
  }

  describe('looking', () => {
    it('F34: lists the newest first, or the oldest, and goes on behind a cursor while jobs fail and are forgotten', async () => {
      await using(await shop(), async (world) => {
        await world.redrive.start();
        const ids = await failMany(world, 9);
        const { failedJobs } = world.redrive;
        assert.deepEqual(await numbers(world, {}), ids.toReversed());
        assert.deepEqual(await numbers(world, {}, 'oldest'), ids);

        const newest = await failedJobs.list({}, { limit: 3 });
        const oldest = await failedJobs.list({}, { limit: 3, order: 'oldest' });
        assert.deepEqual(
          newest.items.map(({ id }) => id),
          ids.slice(-3).toReversed(),
        );
        const [, , third, , fifth] = ids;
        // One that was shown, one that was not yet, and two new ones.
        await failedJobs.forget([Number(third), Number(fifth)]);
        const later = await failMany(world, 2);
        const afterNewest = await failedJobs.list({}, { cursor: String(newest.cursor) });
        assert.deepEqual(
          afterNewest.items.map(({ id }) => id),
          ids
            .slice(0, 6)
            .filter((id) => id !== third && id !== fifth)
            .toReversed(),
        );
        assert.equal(afterNewest.cursor, undefined);
        const afterOldest = await failedJobs.list({}, { cursor: String(oldest.cursor), order: 'oldest' });
        assert.deepEqual(
          afterOldest.items.map(({ id }) => id),
          [...ids.slice(3).filter((id) => id !== fifth), ...later],
        );
      });
    });

    it('F34: refuses a cursor of another filter or order, and what is no cursor', async () => {
      await using(await shop(), async (world) => {
        await world.redrive.start();
        await failMany(world, 2);
        const { failedJobs } = world.redrive;
        const { cursor = '' } = await failedJobs.list({}, { limit: 1 });
        const refused = (error: unknown): boolean => isRedriveError(error, 'CURSOR_INVALID');
        await assert.rejects(failedJobs.list({ queue: 'default' }, { cursor }), refused);
        await assert.rejects(failedJobs.list({}, { cursor, order: 'oldest' }), refused);
        await assert.rejects(failedJobs.list({}, { cursor: 'page 2' }), refused);
      });
    });

    when('multipleQueues')('F34: narrows a list by every key of a filter, and by several at once', async () => {
      await using(await shop(['default', 'slow']), async (world) => {
        await world.redrive.start();
        const started = world.clock.now();
        const one = await fail(world, charge, { message: 'the card of Ann was refused' });
        await pass(world, 1);
        const two = await fail(world, ship, { message: 'no such street', note: 'Zürich 100%' }, 'slow');
        await pass(world, 1);
        const three = await fail(world, ship, { message: 'cancel' }, 'slow');
        const failed = await world.redrive.failedJobs.find(one);
        const expected: readonly (readonly [FailedJobFilter, readonly number[]])[] = [
          [{}, [three, two, one]],
          [{ ids: [two, String(failed?.jobId), 'no such job'] }, [two, one]],
          [{ ids: [] }, []],
          [{ connection: 'main' }, [three, two, one]],
          [{ connection: 'other' }, []],
          [{ queue: 'slow' }, [three, two]],
          [{ job: 'shop.charge' }, [one]],
          [{ job: 'shop' }, []],
          [{ type: 'PaymentRefused' }, [one]],
          [{ kind: 'cancelled' }, [three]],
          [{ kind: 'timeout' }, []],
          [{ fingerprint: String(failed?.fingerprint) }, [one]],
          [{ text: 'CARD OF ann' }, [one]],
          [{ text: 'zürich 100%' }, [two]],
          [{ text: '100_' }, []],
          [{ since: new Date(started + 3_600_000) }, [three, two]],
          [{ until: new Date(started + 3_600_000) }, [one]],
          [{ release: 'v1' }, [three, two, one]],
          [{ release: 'v2' }, []],
          [{ status: 'resolved' }, []],
          [{ status: 'any' }, [three, two, one]],
          [{ queue: 'slow', kind: 'cancelled', release: 'v1', since: new Date(started) }, [three]],
          [{ queue: 'slow', text: 'street', job: 'shop.ship' }, [two]],
          [{ queue: 'default', job: 'shop.ship' }, []],
        ];
        for (const [filter, ids] of expected) {
          assert.deepEqual(await numbers(world, filter), ids, JSON.stringify(filter));
          assert.equal(await world.redrive.failedJobs.count(filter), ids.length, JSON.stringify(filter));
        }
        await world.redrive.failedJobs.resolve([two]);
        assert.deepEqual(await numbers(world, { status: 'resolved' }), [two]);
        assert.deepEqual(await numbers(world, {}), [three, one]);
      });
    });

    it('F35: messages of one cause fall together, whatever differs in them; different causes do not', async () => {
      await using(await shop(), async (world) => {
        await world.redrive.start();
        const started = world.clock.now();
        const refused = [
          'order 17 of "Ann" was refused',
          'order 99812 of "Bob Ray" was refused',
          'order 3f2504e0-4f89-41d3-9a0c-0305e82c3301 of "" was refused',
        ];
        for (const message of refused) {
          await fail(world, charge, { message });
          await pass(world, 1);
        }
        const sampleId = await fail(world, charge, { message: 'order 5 of "Zoe" was refused' });
        const paths = ['cannot write /var/labels/17.pdf at 2026-11-22T12:30:00Z', 'cannot write /tmp/x/y.pdf at 2025-01-01T00:00:00Z'];
        for (const message of paths) await fail(world, ship, { message });
        await fail(world, ship, { message: 'the printer is out of paper' });

        const groups = await world.redrive.failedJobs.groups();
        assert.deepEqual(
          groups.map(({ job, type, message, count }) => ({ job, type, message, count })),
          [
            { job: 'shop.charge', type: 'PaymentRefused', message: 'order 5 of "Zoe" was refused', count: 4 },
            { job: 'shop.ship', type: 'Unrecoverable', message: paths[1], count: 2 },
            { job: 'shop.ship', type: 'Unrecoverable', message: 'the printer is out of paper', count: 1 },
          ],
        );
        const [largest] = groups;
        assert.equal(largest?.firstFailedAt.getTime(), started);
        assert.equal(largest?.lastFailedAt.getTime(), started + 3 * 3_600_000);
        assert.deepEqual(largest?.trend, [...Array.from({ length: 20 }, () => 0), 1, 1, 1, 1]);
        assert.equal(largest?.sampleId, sampleId);
        assert.deepEqual(largest?.releases, ['v1']);
        assert.deepEqual(
          largest?.workers.map(({ pid, pool }) => [pid, pool]),
          [[process.pid, 'pool']],
        );
        assert.deepEqual(
          (await world.redrive.failedJobs.groups({ job: 'shop.ship' }, { limit: 1 })).map(({ count }) => count),
          [2],
        );
        assert.equal(await world.redrive.failedJobs.count({ fingerprint: largest.fingerprint }), 4);
      });
    });

    it('F36: counts agree, however they are asked for', async () => {
      await using(await shop(), async (world) => {
        await world.redrive.start();
        const ids = await failMany(world, 5);
        for (const message of ['a', 'a', 'cancel']) await fail(world, ship, { message });
        await world.redrive.failedJobs.resolve([Number(ids[0])]);
        const { failedJobs } = world.redrive;
        const sum = (counts: readonly { readonly count: number }[]): number => counts.reduce((total, { count }) => total + count, 0);
        for (const [filter, expected] of [
          [{}, 7],
          [{ status: 'any' }, 8],
          [{ status: 'resolved' }, 1],
          [{ job: 'shop.ship' }, 3],
          [{ text: 'order' }, 4],
          [{ release: 'v1', kind: 'cancelled' }, 1],
        ] satisfies (readonly [FailedJobFilter, number])[]) {
          const said = JSON.stringify(filter);
          assert.equal(await failedJobs.count(filter), expected, said);
          assert.equal((await failedJobs.list(filter)).items.length, expected, said);
          assert.equal(sum(await failedJobs.groups(filter)), expected, said);
          assert.equal(sum(await failedJobs.byType(filter)), expected, said);
          assert.equal(sum(await failedJobs.byQueue(filter)), expected, said);
          assert.equal(sum(await failedJobs.byHour(filter)), expected, said);
          assert.equal(
            (await failedJobs.summary(filter)).reduce((all, { total }) => all + total, 0),
            expected,
            said,
          );
        }
      });
    });

    it('F37: by hour is zero-filled; by type and by queue are sorted by count', async () => {
      await using(await shop(), async (world) => {
        await world.redrive.start();
        const hour = 3_600_000;
        const first = Math.floor(world.clock.now() / hour) * hour;
        await fail(world, ship, { message: 'a' });
        await pass(world, 3);
        for (const message of ['b', 'c']) await fail(world, charge, { message });
        const { failedJobs } = world.redrive;
        const byHour = await failedJobs.byHour();
        assert.equal(byHour.length, 24);
        assert.deepEqual(
          byHour.slice(-5).map(({ hour: at, count }) => [at.getTime(), count]),
          [
            [first - hour, 0],
            [first, 1],
            [first + hour, 0],
            [first + 2 * hour, 0],
            [first + 3 * hour, 2],
          ],
        );
        assert.deepEqual(
          (await failedJobs.byHour({ since: new Date(first + hour), until: new Date(first + 3 * hour) })).map(({ count }) => count),
          [0, 0],
        );
        assert.deepEqual(await failedJobs.byType(), [
          { type: 'PaymentRefused', count: 2 },
          { type: 'Unrecoverable', count: 1 },
        ]);
        assert.deepEqual(await failedJobs.byQueue(), [{ connection: 'main', queue: 'default', count: 3 }]);
        const [queue] = await failedJobs.summary();
        assert.deepEqual([queue?.queue, queue?.total, queue?.days.length], ['default', 3, 7]);
        assert.equal(queue?.days.at(-1), 3);
        assert.equal(Number(queue?.last) - Number(queue?.first), 3 * hour);
      });
    });
  });
}
