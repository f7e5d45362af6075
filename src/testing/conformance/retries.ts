import assert from 'node:assert/strict';
import { defineJob, type JobClass } from '../../job/define.ts';
import type { Job } from '../../job/job.ts';
import type { Suite } from './suite.ts';
import { using, type World } from './world.ts';

/** F38 to F46: retrying from the failed list. Bulk retries are apart. */
export function retries({ describe, it, when, make }: Suite): void {
  /** A job that fails until it is mended. */
  function mendable(): { job: JobClass<{ n: number }>; seen: unknown[]; mend: () => void } {
    let broken = true;
    const seen: unknown[] = [];
    const job = defineJob({
      name: 'mendable',
      maxAttempts: 2,
      handle: (self: Job<{ n: number }>) => {
        seen.push([self.id, self.queue, self.connection, self.run, self.attempt, self.properties]);
        if (broken) throw new Error(`broken in run ${self.run}`);
        return 'mended';
      },
    });
    return { job, seen, mend: () => (broken = false) };
  }

  async function failOne(world: World, job: JobClass<{ n: number }>, queue = 'default'): Promise<string> {
    const id = await world.dispatch(job, { n: 1 }, { queue });
    await world.redrive.start();
    await world.failedJob();
    await world.until('everybody to be told', () => world.at('onJobFailed').length === 1);
    return id;
  }

  describe('retrying from the failed list', () => {
    when('multipleQueues')('F38: the same job runs again with attempts from 0 and its history kept, and success resolves it', async () => {
      const { job, seen, mend } = mendable();
      await using(await make({ jobs: [job], pool: { queues: ['default', 'high'] } }), async (world) => {
        const id = await failOne(world, job, 'high');
        mend();
        const result = await world.redrive.failedJobs.retry(id);
        assert.deepEqual(result, { requeued: 1, outcomes: [{ id, status: 'requeued' }] });
        const resolved = await world.failedJob('resolved');
        assert.deepEqual(seen, [
          [id, 'high', 'main', 1, 1, { n: 1 }],
          [id, 'high', 'main', 1, 2, { n: 1 }],
          [id, 'high', 'main', 2, 1, { n: 1 }],
        ]);
        assert.deepEqual(
          resolved.history?.map(({ run, attempt }) => [run, attempt]),
          [
            [1, 1],
            [1, 2],
          ],
        );
        assert.equal(world.at('onJobRetried')[0]?.run, 2);
      });
    });

    when('delay')(
      'F38: while it waits the failed job is retrying; failing again reopens the same row with a full budget of attempts',
      async () => {
        const { job, seen } = mendable();
        await using(await make({ jobs: [job] }), async (world) => {
          const id = await failOne(world, job);
          const before = await world.failedJob();
          const retried = world.redrive.failedJobs.retry(id, { delay: '1m' });
          assert.equal((await world.failedJob('retrying')).id, before.id);
          assert.equal(await world.redrive.failedJobs.count(), 0);
          await world.clock.advance('1m');
          const again = await world.failedJob();
          assert.equal(again.id, before.id);
          assert.equal(again.run, 2);
          assert.equal(again.message, 'broken in run 2');
          assert.equal(seen.length, 4);
          assert.deepEqual(
            again.history?.map(({ run, attempt }) => [run, attempt]),
            [
              [1, 1],
              [1, 2],
              [2, 1],
              [2, 2],
            ],
          );
          assert.equal(await world.redrive.failedJobs.count({ status: 'any' }), 1);
          // Also where the retry ran the job, and it failed again: it was put back.
          assert.deepEqual(await retried, { requeued: 1, outcomes: [{ id, status: 'requeued' }] });
        });
      },
    );

    when('delay')('F39: retrying a failed, a queued and an unknown job gives an outcome for each, in order', async () => {
      const { job } = mendable();
      await using(await make({ jobs: [job] }), async (world) => {
        const failed = await failOne(world, job);
        const queued = await world.dispatch(job, { n: 2 }, { delay: '1m' });
        const unknown = '01890000-0000-7000-8000-00000000dead';
        const retried = world.redrive.failedJobs.retry([failed, queued, unknown, 999_999, failed], { delay: '1m' });
        await world.failedJob('retrying');
        await world.clock.advance('1m');
        const { requeued, outcomes } = await retried;
        assert.equal(requeued, 1);
        assert.deepEqual(
          outcomes.map(({ id, status }) => [id, status]),
          [
            [failed, 'requeued'],
            [queued, 'not_failed'],
            [unknown, 'not_found'],
            [999_999, 'not_found'],
            [failed, 'not_failed'],
          ],
        );
      });
    });

    it('F40: of two retries of one id at once one wins, and the job runs once', async () => {
      const { job, seen, mend } = mendable();
      await using(await make({ jobs: [job] }), async (world) => {
        const id = await failOne(world, job);
        mend();
        const other = await world.another();
        const results = await Promise.all([
          world.redrive.failedJobs.retry(id),
          other.failedJobs.retry(id),
          world.redrive.failedJobs.retry({}),
        ]);
        assert.equal(
          results.reduce((sum, { requeued }) => sum + requeued, 0),
          1,
        );
        await world.failedJob('resolved');
        await world.rest();
        assert.equal(seen.length, 3);
      });
    });

    when('multipleQueues')('F42: it goes to the queue and connection it came from, or to the queue it is told', async () => {
      const { job, seen, mend } = mendable();
      await using(await make({ jobs: [job], pool: { queues: ['default', 'low'] } }), async (world) => {
        const id = await failOne(world, job, 'low');
        await world.redrive.failedJobs.retry(id);
        await world.until('the second run to fail', () => world.at('onJobFailed').length === 2);
        mend();
        await world.redrive.failedJobs.retry(id, { queue: 'default' });
        await world.failedJob('resolved');
        assert.deepEqual(
          seen.map((one) => (one as unknown[])[1]),
          ['low', 'low', 'low', 'low', 'default'],
        );
      });
    });

    it('F45: a dry run changes nothing and names exactly what would move', async () => {
      const { job, seen } = mendable();
      await using(await make({ jobs: [job] }), async (world) => {
        const id = await failOne(world, job);
        const before = await world.failedJob();
        const expected = { requeued: 0, outcomes: [{ id, status: 'would_requeue' }] };
        assert.deepEqual(await world.redrive.failedJobs.retry([id], { dryRun: true }), expected);
        assert.deepEqual(await world.redrive.failedJobs.retry({ job: 'mendable' }, { dryRun: true }), expected);
        assert.deepEqual(await world.redrive.failedJobs.retry({ job: 'other' }, { dryRun: true }), { requeued: 0, outcomes: [] });
        await world.rest();
        assert.deepEqual(await world.failedJob(), before);
        assert.equal(seen.length, 2);
        assert.equal(world.at('onJobRetried').length, 0);
      });
    });

    when(
      'background',
      'unique',
      'delay',
    )('F45: a dry run foresees which of several jobs gets a unique key, and which job holds one', async () => {
      const job = defineJob({
        name: 'keyed',
        unique: (properties: { key: string; n: number }) => properties.key,
        handle: () => {
          throw new Error('broken');
        },
      });
      await using(await make({ jobs: [job] }), async (world) => {
        const { redrive } = world;
        await redrive.start();
        const ids: string[] = [];
        for (const [n, key] of ['a', 'a', 'b'].entries()) {
          ids.push(await redrive.dispatch(job, { key, n }));
          await world.until('it to have failed', () => world.at('onJobFailed').length === n + 1);
        }
        const live = await redrive.dispatch(job, { key: 'b', n: 3 }, { delay: '1h' });
        const foreseen = await redrive.failedJobs.retry({}, { dryRun: true });
        assert.deepEqual(
          foreseen.outcomes.map(({ id, status }) => [id, status]),
          [
            [ids[0], 'would_requeue'],
            [ids[1], 'duplicate'],
            [ids[2], 'duplicate'],
          ],
        );
        const holders: unknown[] = [];
        for (const id of ids) {
          const forecast = await redrive.failedJobs.forecast(id);
          holders.push([forecast?.outcome, forecast?.uniqueKey]);
        }
        assert.deepEqual(holders, [
          ['would_requeue', { heldBy: null }],
          ['would_requeue', { heldBy: null }],
          ['duplicate', { heldBy: live }],
        ]);
        const { outcomes } = await redrive.failedJobs.retry({}, { delay: '1h' });
        assert.deepEqual(
          outcomes.map(({ status }) => status),
          ['requeued', 'duplicate', 'duplicate'],
        );
        await redrive.cancel(live);
        assert.equal((await redrive.failedJobs.retry(ids[2] ?? '', { delay: '1h' })).requeued, 1);
      });
    });

    when('delay')(
      'F46: an edited job runs its edited properties, also when it is retried again, and the original stays on record',
      async () => {
        const { job, seen, mend } = mendable();
        await using(await make({ jobs: [job] }), async (world) => {
          const { redrive } = world;
          const id = await failOne(world, job);
          const original = (await (await world.failureLog()).find(id))?.memento;
          assert.equal((await redrive.failedJobs.retry(id, { properties: { n: 2, extra: { deep: true } } })).requeued, 1);
          await world.until('the second run to fail', () => world.at('onJobFailed').length === 2);
          const again = await (await world.failureLog()).find(id);
          assert.equal(again?.memento, original);
          assert.deepEqual((await world.failedJob()).properties, { n: 2, extra: { deep: true } });
          mend();
          await redrive.failedJobs.retry(id, { properties: { extra: null, more: [1] } });
          await world.failedJob('resolved');
          assert.deepEqual(
            seen.map((one) => (one as unknown[])[5]),
            [{ n: 1 }, { n: 1 }, { n: 2, extra: { deep: true } }, { n: 2, extra: { deep: true } }, { n: 2, more: [1] }],
          );
          assert.deepEqual(world.at('onJobRetried').at(-1)?.job.properties, { n: 2, more: [1] });
        });
      },
    );

    when('background')(
      'F46: an edit is refused where the job runs, and where it does not fit its schema; nothing of it is left behind',
      async () => {
        let release = (): void => undefined;
        const job = defineJob<{ n: number }>({
          name: 'checked',
          schema: {
            '~standard': {
              version: 1,
              vendor: 'test',
              validate: (value) =>
                typeof (value as { n: unknown }).n === 'number' ? { value } : { issues: [{ message: 'must be a number', path: ['n'] }] },
            },
          },
          handle: async (self) => {
            if (self.run === 1) throw new Error('broken');
            await new Promise<void>((resolve) => (release = resolve));
          },
        });
        await using(await make({ jobs: [job] }), async (world) => {
          const { redrive } = world;
          const id = await failOne(world, job);
          const before = await world.failedJob();
          assert.equal((await redrive.failedJobs.forecast(id))?.schema, 'fits');
          const { requeued, outcomes } = await redrive.failedJobs.retry([id], { properties: { n: 'two' } });
          assert.equal(requeued, 0);
          assert.equal(outcomes[0]?.status, 'error');
          assert.match(outcomes[0]?.detail ?? '', /properties\.n: must be a number/);
          await assert.rejects(redrive.failedJobs.retry([id], { properties: { n: '[redacted]' } }), { code: 'PROPERTIES_INVALID' });
          await assert.rejects(redrive.failedJobs.retry([id], { properties: [1] }), { code: 'PROPERTIES_INVALID' });
          assert.deepEqual(await world.failedJob(), before);
          await redrive.failedJobs.retry([id]);
          await world.until('it to run', () => world.at('onJobMarshalled').length === 2);
          const refused = await redrive.failedJobs.retry([id], { properties: { n: 3 } });
          assert.equal(refused.outcomes[0]?.status, 'not_failed');
          release();
          await world.failedJob('resolved');
          await world.until('its success to be told', () => world.at('onJobComplete').length === 1);
          assert.deepEqual(world.at('onJobComplete')[0]?.job.properties, { n: 1 });
        });
      },
    );

    when('background', 'priority')('retried jobs put at the front go ahead of what is ready, in their own order', async () => {
      const { job, seen, mend } = mendable();
      await using(await make({ jobs: [job] }), async (world) => {
        const { redrive } = world;
        const ids = [await redrive.dispatch(job, { n: 1 }), await redrive.dispatch(job, { n: 2 })];
        await redrive.start();
        await world.until('both to have failed', () => world.at('onJobFailed').length === 2);
        await redrive.pause('default');
        mend();
        const last = await redrive.dispatch(job, { n: 3 });
        await redrive.failedJobs.retry(ids, { atFront: true });
        seen.length = 0;
        await redrive.resume('default');
        await world.until('all to have run', () => world.at('onJobComplete').length === 3);
        assert.deepEqual(
          seen.map((one) => (one as unknown[])[0]),
          [...ids, last],
        );
      });
    });

    when(
      'background',
      'cancel',
      'delay',
    )('a retried job that is cancelled before it runs is dealt with: its failed job is resolved', async () => {
      const { job } = mendable();
      await using(await make({ jobs: [job] }), async (world) => {
        const id = await failOne(world, job);
        await world.redrive.failedJobs.retry(id, { delay: '1h' });
        await world.failedJob('retrying');
        assert.equal(await world.redrive.cancel(id, 'no need'), 'canceled');
        await world.clock.advance('1m');
        assert.equal((await world.failedJob('resolved')).jobId, id);
        assert.equal((await world.redrive.failedJobs.forget(id)).removed, 1);
        assert.equal(await world.redrive.status(id), undefined);
      });
    });
  });
}
