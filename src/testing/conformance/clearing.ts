import assert from 'node:assert/strict';
import { isRedriveError } from '../../errors.ts';
import { defineJob, type JobClass } from '../../job/define.ts';
import type { Job } from '../../job/job.ts';
import { appendFailure } from '../../provider/append-failure.ts';
import type { FailureRecord } from '../../record/types.ts';
import type { Suite } from './suite.ts';
import { using, type World } from './world.ts';

/** F48, F49 and F51: what is removed from the failed-jobs log, and what never is. */
export function clearing({ describe, it, when, make }: Suite): void {
  /** Fails until it is mended, twice a run. */
  function breaking(): { job: JobClass<{ n: number }>; mend: () => void; ran: string[] } {
    let broken = true;
    const ran: string[] = [];
    const job = defineJob({
      name: 'breaks',
      maxAttempts: 2,
      handle: (self: Job<{ n: number }>) => {
        ran.push(self.id);
        if (broken) throw new Error(`number ${self.properties.n}`);
      },
    });
    return { job, mend: () => (broken = false), ran };
  }

  /** Fails some jobs now, and returns their ids. */
  async function fail(world: World, job: JobClass<{ n: number }>, count: number, queue = 'default'): Promise<readonly string[]> {
    const before = world.at('onJobFailed').length;
    const ids = await world.dispatchMany(Array.from({ length: count }, (_, n) => ({ job, properties: { n }, options: { queue } })));
    await world.redrive.start();
    await world.until(`${count} more failures`, () => world.at('onJobFailed').length === before + count);
    return ids;
  }

  async function left(world: World): Promise<readonly (string | null)[]> {
    const { items } = await world.redrive.failedJobs.list({ status: 'any' }, { order: 'oldest', limit: 200 });
    return items.map(({ jobId }) => jobId);
  }

  describe('clearing', () => {
    it('F48: prune by age removes what failed longer ago than that, and nothing that failed just then', async () => {
      const { job } = breaking();
      await using(await make({ jobs: [job] }), async (world) => {
        await fail(world, job, 2);
        await world.clock.advance('1ms');
        const young = await fail(world, job, 2);
        await world.clock.advance('1m');
        assert.deepEqual(await world.redrive.failedJobs.prune({ olderThan: '1m' }), { removed: 2 });
        assert.deepEqual(await left(world), young);
        assert.deepEqual(await world.redrive.failedJobs.prune({ olderThan: '1m' }), { removed: 0 });
        assert.deepEqual(await world.redrive.failedJobs.prune({ olderThan: 0 }), { removed: 2 });
        assert.deepEqual(await left(world), []);
      });
    });

    when('multipleQueues')('F48: prune keeps the newest: of all, or of a queue where one is named', async () => {
      const { job } = breaking();
      await using(await make({ jobs: [job], pool: { queues: ['default', 'mail'] } }), async (world) => {
        const old = await fail(world, job, 3);
        await world.clock.advance('1s');
        const mail = await fail(world, job, 3, 'mail');
        await world.clock.advance('1s');
        const young = await fail(world, job, 1);
        assert.deepEqual(await world.redrive.failedJobs.prune({ keep: 7 }), { removed: 0 });
        assert.deepEqual(await world.redrive.failedJobs.prune({ keep: 2, queue: 'default' }), { removed: 2 });
        assert.deepEqual(new Set(await left(world)), new Set([old.at(-1), ...mail, ...young]));
        assert.deepEqual(await world.redrive.failedJobs.prune({ keep: 2 }), { removed: 3 });
        assert.deepEqual(await left(world), [mail.at(-1), ...young]);
        assert.deepEqual(await world.redrive.failedJobs.prune({ keep: 0, queue: 'mail' }), { removed: 1 });
        assert.deepEqual(await left(world), young);
      });
    });

    it('F48: prune by both removes only what is old and not among the newest', async () => {
      const { job } = breaking();
      await using(await make({ jobs: [job] }), async (world) => {
        const [, , kept] = await fail(world, job, 3);
        await world.clock.advance('2m');
        const young = await fail(world, job, 1);
        assert.deepEqual(await world.redrive.failedJobs.prune({ olderThan: '1m', keep: 4 }), { removed: 0 });
        assert.deepEqual(await world.redrive.failedJobs.prune({ olderThan: '1m', keep: 2 }), { removed: 2 });
        assert.deepEqual(await left(world), [kept, ...young]);
      });
    });

    it('F48: prune without a word on age or number, or with a bad one, removes nothing', async () => {
      const { job } = breaking();
      await using(await make({ jobs: [job] }), async (world) => {
        await fail(world, job, 1);
        const { failedJobs } = world.redrive;
        for (const options of [
          {},
          { queue: 'default' },
          { keep: -1 },
          { keep: 1.5 },
          { olderThan: 'soon' },
          { oldrThan: '1m' },
          { keep: 0, queue: '' },
        ])
          await assert.rejects(failedJobs.prune(options), (error) => isRedriveError(error));
        assert.equal((await left(world)).length, 1);
      });
    });

    when('delay')('F51: neither prune nor forget removes a failed job that is being retried', async () => {
      const { job, mend } = breaking();
      await using(await make({ jobs: [job] }), async (world) => {
        const [first = '', second = ''] = await fail(world, job, 3);
        // Where dispatching runs the job, putting it back does so as well, once its time has come.
        const retried = world.redrive.failedJobs.retry([first], { delay: '1m' });
        await world.failedJob('retrying');
        await world.redrive.failedJobs.resolve([second]);
        assert.deepEqual(await world.redrive.failedJobs.forget([first]), { removed: 0, outcomes: [{ id: first, status: 'retrying' }] });
        assert.deepEqual(await world.redrive.failedJobs.forget({ status: 'retrying' }), {
          removed: 0,
          outcomes: [{ id: first, status: 'retrying' }],
        });
        assert.deepEqual(await world.redrive.failedJobs.prune({ olderThan: 0 }), { removed: 2 });
        assert.deepEqual(await left(world), [first]);
        mend();
        await world.clock.advance('1m');
        assert.equal((await world.failedJob('resolved')).history?.length, 2);
        await retried;
      });
    });

    it('F49: forget and prune report jobs, whatever there was of each, and leave nothing of them', async () => {
      const { job } = breaking();
      await using(await make({ jobs: [job] }), async (world) => {
        const ids = await fail(world, job, 5);
        const [first = '', second = ''] = ids;
        const forgotten = await world.redrive.failedJobs.forget([first, 'nobody', second, first, 999_999]);
        assert.deepEqual(forgotten, {
          removed: 2,
          outcomes: [
            { id: first, status: 'removed' },
            { id: 'nobody', status: 'not_found' },
            { id: second, status: 'removed' },
            { id: first, status: 'not_found' },
            { id: 999_999, status: 'not_found' },
          ],
        });
        const told: number[] = [];
        const all = await world.redrive.failedJobs.forget({ job: 'breaks' }, { onProgress: (removed) => told.push(removed) });
        assert.equal(all.removed, 3);
        assert.deepEqual(new Set(all.outcomes.map(({ id }) => id)), new Set(ids.slice(2)));
        assert.equal(told.at(-1), 3);
        const provider = await world.provider();
        for (const id of ids) {
          assert.equal(await world.redrive.failedJobs.find(id), undefined);
          assert.deepEqual(await provider.attempts(id), []);
          if (provider.capabilities.status) assert.equal(await world.redrive.status(id), undefined);
        }
      });
    });

    it('F49: of several who clear the same at once each job is counted by one', async () => {
      const { job } = breaking();
      await using(await make({ jobs: [job] }), async (world) => {
        await fail(world, job, 30);
        const { failedJobs } = world.redrive;
        const other = (await world.another()).failedJobs;
        const results = await Promise.all([
          failedJobs.forget({}),
          other.forget({}),
          failedJobs.prune({ keep: 0 }),
          other.prune({ olderThan: 0 }),
        ]);
        assert.equal(
          results.reduce((sum, { removed }) => sum + removed, 0),
          30,
        );
        assert.deepEqual(await left(world), []);
      });
    });

    it('F51: a retry that has looked at a failed job before it was forgotten, or resolved by hand, finds nothing to put back', async () => {
      const { job, ran } = breaking();
      await using(await make({ jobs: [job] }), async (world) => {
        const [forgotten = '', resolved = ''] = await fail(world, job, 2);
        const provider = await world.provider();
        const memento = JSON.stringify({});
        const move = { run: 1, name: 'breaks', memento, priority: 0, queue: 'default', delayMs: 0, atFront: false };
        assert.equal((await world.redrive.failedJobs.forget(forgotten)).removed, 1);
        assert.deepEqual(await provider.requeue([{ jobId: forgotten, ...move }]), ['not_failed']);
        assert.equal(await provider.find(forgotten), undefined);
        if (provider.capabilities.cancel) assert.equal(await provider.cancel(forgotten, 'is it there?'), 'not_found');
        const queues = provider.capabilities.status ? await provider.stats() : [];
        assert.deepEqual(
          queues.map(({ queue, failed }) => [queue, failed]),
          provider.capabilities.status ? [['default', 1]] : [],
        );
        // Elsewhere no transaction spans the record and the job: that a retry wins over the resolution is as good.
        if (!(await provider.keepsFailedJobs())) return;
        assert.equal((await world.redrive.failedJobs.resolve(resolved)).resolved, 1);
        assert.deepEqual(await provider.requeue([{ jobId: resolved, ...move }]), ['not_failed']);
        assert.deepEqual(await provider.requeue([{ jobId: resolved, ...move }], { dryRun: true }), ['not_failed']);
        assert.equal(ran.length, 4);
      });
    });

    it('F51: a failure that is told to a log elsewhere once more, after it was forgotten, does not come back', async () => {
      const { job } = breaking();
      await using(await make({ jobs: [job] }), async (world) => {
        const [id = ''] = await fail(world, job, 1);
        const provider = await world.provider();
        if (await provider.keepsFailedJobs()) return;
        const log = await world.failureLog();
        const record = { ...((await log.find(id)) as unknown as FailureRecord), eventId: 'told again', endedAt: 1 };
        assert.notEqual(await appendFailure(log, provider, record), undefined);
        assert.equal((await world.redrive.failedJobs.forget(id)).removed, 1);
        assert.equal(await appendFailure(log, provider, record), undefined);
        assert.equal(await log.find(id), undefined);
      });
    });

    when('background', 'delay')(
      'F51: of a forget and a retry at once each job is taken by one: it waits for its run, or is gone',
      async () => {
        const { job } = breaking();
        await using(await make({ jobs: [job] }), async (world) => {
          const ids = await fail(world, job, 40);
          const { failedJobs } = world.redrive;
          const other = (await world.another()).failedJobs;
          const [forgotten, retried] = await Promise.all([
            failedJobs.forget([...ids]),
            // One by one, so that they meet in the middle.
            Promise.all(ids.toReversed().map((id) => other.retry(id, { delay: '1m' }))),
          ]);
          const gone = new Set(forgotten.outcomes.filter(({ status }) => status === 'removed').map(({ id }) => id));
          const waiting = new Set(
            retried.flatMap(({ outcomes }) => outcomes.filter(({ status }) => status === 'requeued').map(({ id }) => id)),
          );
          const provider = await world.provider();
          for (const id of ids) {
            assert.notEqual(gone.has(id), waiting.has(id), 'taken by one');
            const state = (await provider.find(id))?.state;
            assert.equal(state, waiting.has(id) ? 'waiting' : undefined);
            assert.equal((await failedJobs.find(id))?.status, waiting.has(id) ? 'retrying' : undefined);
          }
        });
      },
    );
  });
}
