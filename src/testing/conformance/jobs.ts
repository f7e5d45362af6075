import assert from 'node:assert/strict';
import type { DispatchOptions } from '../../dispatch/dispatcher.ts';
import { isRedriveError } from '../../errors.ts';
import { defineJob, type JobClass, type UniqueScope } from '../../job/define.ts';
import type { Job } from '../../job/job.ts';
import type { StandardSchema } from '../../job/standard-schema.ts';
import type { Capabilities } from '../../provider/capabilities.ts';
import type { Suite } from './suite.ts';
import { using } from './world.ts';

class Flaky extends Error {}

/** A schema of one rule, as zod and others would make it; it also turns `n` into a number of cents. */
const positive: StandardSchema = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { n } = value as { n: unknown };
      if (typeof n === 'number' && n > 0) return { value: { n: n * 100 } };
      return { issues: [{ message: 'must be positive', path: ['n'] }] };
    },
  },
};

/** What jobs and dispatches can ask for, beyond attempts. */
export function jobs({ describe, it, when, make }: Suite): void {
  /** A job that runs until the test lets it go. */
  function waiting(options: { unique?: { key: (properties: { n: number }) => string; scope?: UniqueScope } } = {}): {
    job: JobClass<{ n: number }>;
    ends: (() => void)[];
  } {
    const ends: (() => void)[] = [];
    const job = defineJob({
      name: 'waiting',
      timeout: 0,
      ...options,
      handle: (_self: Job<{ n: number }>) => new Promise<void>((resolve) => void ends.push(resolve)),
    });
    return { job, ends };
  }

  const queuedJobs: readonly [string, keyof Capabilities, DispatchOptions][] = [
    ['a ready job', 'background', {}],
    ['a job that waits for its time', 'delay', { delay: '1m' }],
  ];

  describe('jobs and dispatches', () => {
    it('retryOn: only errors of these classes are tried again', async () => {
      const job = defineJob({
        name: 'retry-on',
        maxAttempts: 5,
        retryOn: [Flaky],
        handle: (self) => {
          throw self.attempt === 1 ? new Flaky('once') : new TypeError('for good');
        },
      });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.dispatch(job);
        await world.redrive.start();
        const failed = await world.failedJob();
        assert.deepEqual(
          failed.history?.map(({ rule }) => rule),
          ['attempts-left', 'not-retry-on'],
        );
      });
    });

    it('retryUntil: no attempt begins later than this after the first one', async () => {
      const job = defineJob({
        name: 'retry-until',
        maxAttempts: 0,
        backoff: '40s',
        retryUntil: '100s',
        handle: () => {
          throw new Error('no');
        },
      });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.dispatch(job);
        await world.redrive.start();
        for (const n of [1, 2]) {
          await world.until(`attempt ${n}`, () => world.at('onJobException').length === n);
          await world.clock.advance('40s');
        }
        const failed = await world.failedJob();
        assert.deepEqual(
          failed.history?.map(({ rule }) => rule),
          ['attempts-left', 'attempts-left', 'retry-until'],
        );
      });
    });

    it('schema: refuses bad properties at dispatch, and hands the job what the schema made of good ones', async () => {
      const seen: unknown[] = [];
      const job = defineJob({ name: 'checked', schema: positive, handle: (self: Job<{ n: number }>) => void seen.push(self.properties) });
      await using(await make({ jobs: [job] }), async (world) => {
        await assert.rejects(
          world.redrive.dispatch(job, { n: -1 }),
          (error: unknown) => isRedriveError(error, 'PROPERTIES_INVALID') && error.message.includes('properties.n: must be positive'),
        );
        await assert.rejects(world.redrive.dispatch('checked', { n: -1 }), (error: unknown) => isRedriveError(error, 'PROPERTIES_INVALID'));
        await world.dispatch(job, { n: 2 });
        await world.redrive.start();
        await world.until('the run', () => world.at('onJobComplete').length === 1);
        assert.deepEqual(seen, [{ n: 200 }]);
      });
    });

    when('background')('F16: properties that fit the schema no more fail the job as unprocessable before it runs', async () => {
      const lax = defineJob({ name: 'checked', handle: (_self: Job<{ n: number }>) => 'ran' });
      const strict = defineJob({ name: 'checked', schema: positive, maxAttempts: 5, handle: (_self: Job<{ n: number }>) => 'ran' });
      await using(await make({ jobs: [strict] }), async (world) => {
        const other = await world.another({ jobs: [lax] });
        await other.dispatch(lax, { n: -1 });
        await world.redrive.start();
        const failed = await world.failedJob();
        assert.equal(failed.kind, 'unprocessable');
        assert.equal(failed.exception.code, 'PROPERTIES_INVALID');
        assert.equal(world.at('onJobComplete').length, 0);
      });
    });

    when('priority')('priority: larger goes first, and equal ones in order', async () => {
      const order: number[] = [];
      const job = defineJob({ name: 'ranked', handle: (self: Job<{ n: number }>) => void order.push(self.properties.n) });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.dispatchMany([
          { job, properties: { n: 1 } },
          { job, properties: { n: 2 }, options: { priority: 5 } },
          { job, properties: { n: 3 }, options: { priority: -1 } },
          { job, properties: { n: 4 }, options: { priority: 5 } },
          { job, properties: { n: 5 } },
        ]);
        await world.redrive.start();
        await world.until('five runs', () => order.length === 5);
        assert.deepEqual(order, [2, 4, 1, 5, 3]);
      });
    });

    when(
      'multipleQueues',
      'delay',
      'status',
    )('dispatchMany stores all or, when one is wrong, none; the builder dispatches what it was told', async () => {
      const job = defineJob({ name: 'many', maxAttempts: 7, handle: (self: Job<{ n: number }>) => [self.queue, self.maxAttempts] });
      await using(await make({ jobs: [job], pool: { queues: ['default', 'high'] } }), async (world) => {
        const bad = { n: Number.NaN };
        await assert.rejects(
          world.redrive.dispatchMany([
            { job, properties: { n: 1 } },
            { job, properties: bad },
          ]),
          (error: unknown) => isRedriveError(error, 'PROPERTIES_INVALID') && error.message.includes('Entry 1'),
        );
        assert.equal(world.at('onJobAdded').length, 0);
        const pending = world.redrive.job(job, { n: 1 }).onQueue('high').maxAttempts(3).delay('5s');
        const [id = ''] = await world.added(1, async () => [await pending.dispatch()]);
        await world.redrive.start();
        await world.rest();
        assert.equal((await world.redrive.status(id))?.status, 'queued');
        await world.clock.advance('5s');
        await world.until('the run', () => world.at('onJobComplete').length === 1);
        assert.deepEqual(world.at('onJobComplete')[0]?.result, ['high', 3]);
      });
    });

    when('unique')("unique: while one job holds a key, dispatching another returns the first one's id and adds nothing", async () => {
      const { job, ends } = waiting({ unique: { key: ({ n }) => `n${n}` } });
      await using(await make({ jobs: [job], pool: { quantity: 5 } }), async (world) => {
        const first = await world.dispatch(job, { n: 1 });
        assert.equal(await world.dispatch(job, { n: 1 }), first);
        assert.notEqual(await world.dispatch(job, { n: 2 }), first);
        await world.redrive.start();
        await world.until('both to run', () => ends.length === 2);
        assert.equal(await world.dispatch(job, { n: 1 }), first);
        for (const end of ends) end();
        await world.until('both to end', () => world.at('onJobComplete').length === 2);
        assert.notEqual(await world.dispatch(job, { n: 1 }), first);
        assert.equal(world.at('onJobAdded').length, 3);
        await world.until('the third to run', () => ends.length === 3);
        ends[2]?.();
      });
    });

    when('unique', 'delay')('unique with scope queued: the key is free once the job has started', async () => {
      const { job, ends } = waiting({ unique: { key: () => 'one', scope: 'queued' } });
      await using(await make({ jobs: [job], pool: { quantity: 5 } }), async (world) => {
        const first = await world.dispatch(job, { n: 1 }, { delay: '1m' });
        assert.equal(await world.dispatch(job, { n: 1 }), first);
        await world.redrive.start();
        await world.clock.advance('1m');
        await world.until('it to run', () => ends.length === 1);
        assert.notEqual(await world.dispatch(job, { n: 1 }), first);
        await world.until('the second to run', () => ends.length === 2);
        for (const end of ends) end();
      });
    });

    when('unique', 'delay')(
      'F43: a retry whose unique key a live job holds by now gets the outcome duplicate, and the others move',
      async () => {
        const fails = defineJob({
          name: 'keyed',
          unique: ({ n }: { n: number }) => `n${n}`,
          handle: (_self: Job<{ n: number }>) => {
            throw new Error('no');
          },
        });
        await using(await make({ jobs: [fails], pool: { quantity: 5 } }), async (world) => {
          const ids = await world.dispatchMany([
            { job: fails, properties: { n: 1 } },
            { job: fails, properties: { n: 2 } },
          ]);
          await world.redrive.start();
          await world.until('two failed jobs', async () => (await world.redrive.failedJobs.count()) === 2);
          const live = await world.dispatch(fails, { n: 1 }, { delay: '1m' });
          assert.notEqual(live, ids[0]);
          const retried = world.redrive.failedJobs.retry(ids, { delay: '1m' });
          await world.failedJob('retrying');
          assert.equal(await world.redrive.failedJobs.count(), 1);
          assert.equal(await world.dispatch(fails, { n: 2 }), ids[1]);
          await world.clock.advance('1m');
          assert.deepEqual(
            (await retried).outcomes.map(({ status }) => status),
            ['duplicate', 'requeued'],
          );
        });
      },
    );

    when('status', 'delay')(
      "status tells a job's life: queued, picked, successful with its result, failed with its exception",
      async () => {
        const { job, ends } = waiting();
        const fails = defineJob({
          name: 'fails',
          handle: () => {
            throw new RangeError('too far');
          },
        });
        await using(await make({ jobs: [job, fails], pool: { maxAttempts: 4 } }), async (world) => {
          const id = await world.dispatch(job, { n: 1 }, { delay: '1m' });
          const queued = await world.redrive.status(id);
          assert.deepEqual(
            [queued?.status, queued?.attempt, queued?.maxAttempts, queued?.name, queued?.queue],
            ['queued', 0, 4, 'waiting', 'default'],
          );
          await world.redrive.start();
          await world.clock.advance('1m');
          await world.until('it to run', () => ends.length === 1);
          const picked = await world.redrive.status(id);
          assert.deepEqual([picked?.status, picked?.attempt, picked?.startedAt?.getTime()], ['picked', 1, world.clock.now()]);
          ends[0]?.();
          await world.until('success', async () => (await world.redrive.status(id))?.status === 'successful');
          const failing = await world.dispatch(fails, {}, { maxAttempts: 1 });
          await world.failedJob();
          const failed = await world.redrive.status(failing);
          assert.deepEqual([failed?.status, failed?.exception?.type, failed?.exception?.message], ['failed', 'RangeError', 'too far']);
          assert.equal(await world.redrive.status('01890000-0000-7000-8000-00000000dead'), undefined);
          await world.clock.advance('11m');
          await world.until('the completed job to be removed', async () => (await world.redrive.status(id)) === undefined);
        });
      },
    );

    for (const [what, needed, options] of queuedJobs) {
      when(
        'cancel',
        'status',
        needed,
      )(`cancel of ${what}: status canceled, no failed job, onJobCancelled, and it never runs`, async () => {
        const { job, ends } = waiting();
        await using(await make({ jobs: [job] }), async (world) => {
          const id = await world.dispatch(job, { n: 1 }, options);
          assert.equal(await world.redrive.cancel(id, 'changed my mind', { by: 'anna' }), 'canceled');
          assert.equal((await world.redrive.status(id))?.status, 'canceled');
          const [event] = world.at('onJobCancelled');
          assert.deepEqual([event?.job.id, event?.by, event?.reason], [id, 'anna', 'changed my mind']);
          await world.redrive.start();
          await world.clock.advance('2m');
          await world.rest();
          assert.equal(ends.length, 0);
          assert.equal(await world.redrive.failedJobs.count({ status: 'any' }), 0);
          assert.equal(await world.redrive.cancel(id), 'ended');
          assert.equal(await world.redrive.cancel('01890000-0000-7000-8000-00000000dead'), 'not_found');
        });
      });
    }

    when('cancel')('F21: cancel of a running job, also one that another process runs: kind cancelled, its signal aborts', async () => {
      const signals: AbortSignal[] = [];
      const job = defineJob({
        name: 'runs',
        maxAttempts: 5,
        timeout: 0,
        handle: (self) => new Promise(() => void signals.push(self.signal)),
      });
      await using(await make({ jobs: [job], pool: { quantity: 2 } }), async (world) => {
        const ids = [await world.dispatch(job), await world.dispatch(job)];
        await world.redrive.start();
        await world.until('both to run', () => signals.length === 2);
        assert.equal(await world.redrive.cancel(ids[0] ?? '', 'stop it'), 'cancelling');
        const first = await world.failedJob();
        assert.deepEqual([first.jobId, first.kind, first.message, first.attempts], [ids[0], 'cancelled', 'stop it', 1]);
        const elsewhere = await world.another();
        assert.equal(await elsewhere.cancel(ids[1] ?? '', 'from afar'), 'cancelling');
        await world.clock.advance('11s');
        await world.until('both to be cancelled', () => world.at('onJobFailed').length === 2);
        assert.ok(signals.every((signal) => signal.aborted));
        assert.deepEqual(
          world.at('onJobFailed').map(({ kind }) => kind),
          ['cancelled', 'cancelled'],
        );
      });
    });

    when(
      'status',
      'multipleQueues',
      'delay',
    )("pause keeps a queue's jobs where they are until resume, and stats count them", async () => {
      const { job, ends } = waiting();
      await using(await make({ jobs: [job], pool: { queues: ['default', 'other'], quantity: 5 } }), async (world) => {
        assert.equal(await world.redrive.pause('default'), true);
        assert.equal(await world.redrive.pause('default'), false);
        await world.dispatch(job, { n: 1 });
        await world.dispatch(job, { n: 2 }, { queue: 'other' });
        await world.dispatch(job, { n: 3 }, { delay: '1m' });
        await world.redrive.start();
        await world.until('the other queue to run', () => ends.length === 1);
        await world.clock.advance('5s');
        await world.rest();
        assert.equal(ends.length, 1);
        assert.deepEqual(await world.redrive.stats('default'), {
          queue: 'default',
          ready: 1,
          delayed: 1,
          reserved: 0,
          failed: 0,
          completed: 0,
          oldestReadyAge: 5,
          paused: true,
        });
        assert.deepEqual(
          (await world.redrive.stats()).map(({ queue, ready, reserved }) => [queue, ready, reserved]),
          [
            ['default', 1, 0],
            ['other', 0, 1],
          ],
        );
        assert.equal(await world.redrive.resume('default'), true);
        assert.equal(await world.redrive.resume('default'), false);
        assert.equal((await world.redrive.stats('default')).paused, undefined);
        await world.until('the paused one to run', () => ends.length === 2);
        for (const end of ends) end();
        await world.until('both to be counted', async () => (await world.redrive.stats('default')).completed === 1);
        assert.deepEqual(await world.redrive.stats('nowhere'), {
          queue: 'nowhere',
          ready: 0,
          delayed: 0,
          reserved: 0,
          failed: 0,
          completed: 0,
          oldestReadyAge: null,
        });
      });
    });

    when('status')('health tells which queues are paused', async () => {
      await using(await make({ jobs: [] }), async ({ redrive }) => {
        assert.deepEqual((await redrive.health()).connections, { main: { ok: true, untold: 0 } });
        for (const queue of ['slow', 'default']) await redrive.pause(queue);
        assert.deepEqual((await redrive.health()).connections, { main: { ok: true, untold: 0, paused: ['default', 'slow'] } });
        await redrive.resume('default');
        assert.deepEqual((await redrive.health()).connections['main']?.paused, ['slow']);
      });
    });

    it('health tells of connections, pools, and handlers that ignore their signal', async () => {
      const { job, ends } = waiting();
      await using(await make({ jobs: [job] }), async (world) => {
        const id = await world.dispatch(job, { n: 1 }, { timeout: '1s' });
        await world.redrive.start();
        await world.until('it to run', () => ends.length === 1);
        assert.deepEqual((await world.redrive.health()).pools['pool']?.ignoringTheirSignal, []);
        await world.clock.advance('1s');
        await world.failedJob();
        const health = await world.redrive.health();
        assert.equal(health.ok, true);
        assert.deepEqual(health.connections, { main: { ok: true, untold: 0 } });
        assert.deepEqual(health.pools['pool']?.ignoringTheirSignal, [id]);
        assert.equal(health.pools['pool']?.running, 1);
        ends[0]?.();
        await world.until('the slot to be free', async () => (await world.redrive.health()).pools['pool']?.running === 0);
      });
    });

    for (const [what, needed, options] of queuedJobs) {
      when(needed)(`F47: markFailed fails ${what} with kind manual, and refuses running ones by id`, async () => {
        const { job, ends } = waiting();
        await using(await make({ jobs: [job] }), async (world) => {
          const running = await world.dispatch(job, { n: 1 });
          await world.redrive.start();
          await world.until('the first to run', () => ends.length === 1);
          const queued = await world.dispatch(job, { n: 2 }, options);
          const unknown = '01890000-0000-7000-8000-00000000dead';
          const result = await world.redrive.failedJobs.markFailed([running, queued, unknown], { reason: 'bad batch', by: 'anna' });
          assert.deepEqual(result, {
            moved: [queued],
            outcomes: [
              { id: running, status: 'running' },
              { id: queued, status: 'failed' },
              { id: unknown, status: 'not_found' },
            ],
          });
          const failed = await world.failedJob();
          assert.deepEqual([failed.jobId, failed.kind, failed.message, failed.properties], [queued, 'manual', 'bad batch', { n: 2 }]);
          assert.deepEqual(
            failed.history?.map(({ attempt, rule }) => [attempt, rule]),
            [[null, 'manual']],
          );
          await world.clock.advance('15s');
          await world.until('it to be announced', () => world.at('onJobFailed').length === 1);
          assert.deepEqual((await world.redrive.failedJobs.markFailed([queued])).outcomes, [{ id: queued, status: 'not_queued' }]);
          const retried = world.redrive.failedJobs.retry(queued);
          ends[0]?.();
          await world.until('the retried one to run', () => ends.length === 2);
          ends[1]?.();
          await world.failedJob('resolved');
          assert.equal((await retried).requeued, 1);
        });
      });
    }

    when('status', 'delay')(
      'resolve takes a failed job off the list with a note; forget removes it with its attempts; neither touches one being retried',
      async () => {
        const fails = defineJob({
          name: 'fails',
          handle: () => {
            throw new Error('no');
          },
        });
        await using(await make({ jobs: [fails], pool: { quantity: 5 } }), async (world) => {
          const ids = await world.dispatchMany([{ job: fails }, { job: fails }, { job: fails }]);
          const [first = '', second = '', third = ''] = ids;
          await world.redrive.start();
          await world.until('three failed jobs', async () => (await world.redrive.failedJobs.count()) === 3);
          const retried = world.redrive.failedJobs.retry(third, { delay: '1m' });
          await world.failedJob('retrying');
          const resolved = await world.redrive.failedJobs.resolve([first, third, 'nobody'], { note: 'paid by hand' });
          assert.deepEqual(
            resolved.outcomes.map(({ status }) => status),
            ['resolved', 'not_failed', 'not_found'],
          );
          assert.deepEqual(
            [(await world.redrive.failedJobs.find(first))?.status, (await world.redrive.failedJobs.find(first))?.note],
            ['resolved', 'paid by hand'],
          );
          const forgotten = await world.redrive.failedJobs.forget([second, third, 'nobody']);
          assert.deepEqual([forgotten.removed, forgotten.outcomes.map(({ status }) => status)], [1, ['removed', 'retrying', 'not_found']]);
          assert.equal(await world.redrive.failedJobs.find(second), undefined);
          assert.equal(await world.redrive.status(second), undefined);
          assert.deepEqual(await (await world.provider()).attempts(second), []);
          assert.equal((await world.redrive.status(third))?.status, 'queued');
          assert.equal((await world.redrive.failedJobs.forget({ status: 'resolved' })).removed, 1);
          await world.clock.advance('1m');
          assert.equal((await retried).requeued, 1);
        });
      },
    );
  });
}
