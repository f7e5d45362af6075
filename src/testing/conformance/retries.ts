import assert from 'node:assert/strict';
import { defineJob, type JobClass } from '../../job/define.ts';
import type { Job } from '../../job/job.ts';
import type { Suite } from './suite.ts';
import { using, type World } from './world.ts';

/** F38 to F45: retrying from the failed list. */
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
  });
}
