import assert from 'node:assert/strict';
import { exponential, type BackoffFunction } from '../../job/backoff.ts';
import { defineJob, type JobClass, type JobOptions } from '../../job/define.ts';
import { RetryAfter, Unrecoverable } from '../../job/exceptions.ts';
import type { Job } from '../../job/job.ts';
import type { Suite, Test } from './suite.ts';
import { using, type World } from './world.ts';

class CardDeclined extends Error {}

/** F1 to F12: attempts and retries. */
export function attempts({ describe, it, when, make }: Suite): void {
  /** A job that throws each time, and the attempts it saw. */
  function failing(options: JobOptions & { name?: string } = {}): { job: JobClass; seen: number[] } {
    const seen: number[] = [];
    const job = defineJob({
      name: 'failing',
      ...options,
      handle: (self) => {
        seen.push(self.attempt);
        throw new Error('no');
      },
    });
    return { job, seen };
  }

  describe('attempts and retries', () => {
    it('F1: runs a job that always throws exactly 3 times with maxAttempts 3, then fails it once', async () => {
      const { job, seen } = failing({ maxAttempts: 3 });
      await using(await make({ jobs: [job] }), async (world) => {
        const id = await world.dispatch(job);
        await world.redrive.start();
        const failed = await world.failedJob();
        assert.deepEqual(seen, [1, 2, 3]);
        assert.equal(failed.jobId, id);
        assert.equal(failed.attempts, 3);
        assert.equal(failed.maxAttempts, 3);
        await world.clock.advance('5m');
        assert.equal(seen.length, 3);
      });
    });

    it('F2: does not retry with maxAttempts 1, which is the default', async () => {
      const { job, seen } = failing();
      await using(await make({ jobs: [job] }), async (world) => {
        await world.dispatch(job);
        await world.redrive.start();
        await world.failedJob();
        await world.clock.advance('5m');
        assert.deepEqual(seen, [1]);
      });
    });

    it('F2: retries without limit with maxAttempts 0', async () => {
      const { job, seen } = failing({ maxAttempts: 0 });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.dispatch(job);
        await world.redrive.start();
        await world.until('30 attempts', () => seen.length >= 30);
        assert.equal(await world.redrive.failedJobs.count(), 0);
      });
    });

    it('F3: with backoff 60 a job that failed at T is not reserved at T+59 s, and is at T+60 s', async () => {
      const { job, seen } = failing({ maxAttempts: 2, backoff: 60 });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.dispatch(job);
        await world.redrive.start();
        await world.until('the first attempt to be settled', () => world.at('onJobException').length === 1);
        await world.clock.advance('59s');
        await world.rest();
        assert.deepEqual(seen, [1]);
        await world.clock.advance('1s');
        await world.until('the second attempt', () => seen.length === 2);
      });
    });

    it('F4: exponential backoff waits 1, 2, 4, 8, 16, 32, 60, 60 seconds', async () => {
      const { job } = failing({ maxAttempts: 9, backoff: exponential({ base: '1s', max: '60s' }) });
      await using(await make({ jobs: [job] }), async (world) => {
        assert.deepEqual(await delays(world, job, 8), [1, 2, 4, 8, 16, 32, 60, 60]);
      });
    });

    it('F5: a backoff list waits 10, 30, 60, 60 seconds from the first failure on', async () => {
      const { job } = failing({ maxAttempts: 5, backoff: [10, 30, 60] });
      await using(await make({ jobs: [job] }), async (world) => {
        assert.deepEqual(await delays(world, job, 4), [10, 30, 60, 60]);
      });
    });

    it('F6: RetryAfter keeps id and properties, waits its delay, and spends an attempt', async () => {
      const seen: unknown[] = [];
      const job = defineJob({
        name: 'later',
        maxAttempts: 2,
        handle: (self: Job<{ n: number }>) => {
          seen.push([self.id, self.properties, self.attempt]);
          throw new RetryAfter('30s');
        },
      });
      await using(await make({ jobs: [job] }), async (world) => {
        const id = await world.dispatch(job, { n: 1 });
        await world.redrive.start();
        await world.until('the first attempt', () => world.at('onJobException').length === 1);
        assert.equal(secondsUntil(world.at('onJobException')[0]), 30);
        await world.clock.advance('30s');
        const failed = await world.failedJob();
        assert.deepEqual(seen, [
          [id, { n: 1 }, 1],
          [id, { n: 1 }, 2],
        ]);
        assert.deepEqual(
          failed.history?.map(({ rule }) => rule),
          ['retry-after', 'max-attempts'],
        );
      });
    });

    const atOnce: readonly [string, JobOptions, (self: Job) => unknown, string][] = [
      ['Unrecoverable', {}, () => new Unrecoverable('never'), 'unrecoverable'],
      ['fail()', {}, (self) => self.fail('enough'), 'fail'],
      ['fail() whose throw the job swallows', {}, (self) => swallow(() => self.fail('enough')), 'fail'],
      ['a failOn class', { failOn: [CardDeclined] }, () => new CardDeclined('no'), 'fail-on'],
      ['markAsFailed', { markAsFailed: true }, () => new Error('no'), 'mark-as-failed'],
      ['a backoff that returns null', { backoff: () => null }, () => new Error('no'), 'backoff-null'],
    ];
    for (const [name, options, act, rule] of atOnce) {
      it(`F7: ${name} on attempt 1 of 5 fails the job at once, and the record says which rule`, async () => {
        const job = defineJob({
          name: 'once',
          maxAttempts: 5,
          ...options,
          handle: (self) => {
            const thrown = act(self);
            if (thrown instanceof Error) throw thrown;
          },
        });
        await using(await make({ jobs: [job] }), async (world) => {
          await world.dispatch(job);
          await world.redrive.start();
          const failed = await world.failedJob();
          assert.equal(failed.attempts, 1);
          assert.equal(failed.kind, 'exception');
          assert.deepEqual(
            failed.history?.map((attempt) => attempt.rule),
            [rule],
          );
        });
      });
    }

    it('F8: aborts the signal of a handler that hangs past its timeout; what it does later changes nothing', async () => {
      let wake = (): void => {};
      let aborted = false;
      const job = defineJob({
        name: 'hangs',
        timeout: '1s',
        handle: async (self) => {
          self.signal.addEventListener('abort', () => (aborted = true));
          await new Promise<void>((resolve) => (wake = resolve));
          return 'late';
        },
      });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.dispatch(job);
        await world.redrive.start();
        await world.until('the job to run', () => world.at('onJobMarshalled').length === 1);
        await world.rest();
        await world.clock.advance('1s');
        const failed = await world.failedJob();
        assert.equal(aborted, true);
        assert.equal(failed.kind, 'timeout');
        wake();
        await world.rest();
        assert.equal((await world.failedJob()).status, 'failed');
        assert.equal(world.at('onJobComplete').length, 0);
      });
    });

    it('F9: a backoff function that throws, rejects, hangs or answers nonsense never loses the failure', async () => {
      const backoffs: readonly BackoffFunction[] = [
        () => {
          throw new Error('backoff');
        },
        async () => Promise.reject(new Error('backoff')),
        () => Number.NaN,
        () => -1,
        () => '5 parsecs',
        () => undefined as never,
        () => new Promise<never>(() => {}),
      ];
      const jobs = backoffs.map((backoff, index) => failing({ name: `backoff-${index}`, maxAttempts: 2, backoff }));
      await using(
        await make({ jobs: jobs.map(({ job }) => job), pool: { quantity: 10, backoff: 5 }, config: { interceptorTimeout: '1s' } }),
        async (world) => {
          for (const { job } of jobs) await world.dispatch(job);
          await world.redrive.start();
          await world.until('six first attempts to be settled', () => world.at('onJobException').length >= 6);
          await world.clock.advance('1s');
          await world.until('the one whose backoff hangs to be settled', () => world.at('onJobException').length === 7);
          assert.deepEqual(world.at('onJobException').map(secondsUntil), [5, 5, 5, 5, 5, 5, 5]);
          await world.until('seven failed jobs', async () => {
            await world.clock.advance('1s');
            return (await world.redrive.failedJobs.count()) === 7;
          });
          for (const { seen } of jobs) assert.deepEqual(seen, [1, 2]);
          assert.ok(world.logger.says('The backoff function failed', 'warn'));
          assert.ok(world.logger.says('The backoff function returned no duration', 'warn'));
        },
      );
    });

    it('F9: onFailure, interceptors and listeners that throw, reject or hang change nothing, and the next one is told', async () => {
      const job = defineJob({
        name: 'bad-hooks',
        handle: () => {
          throw new Error('no');
        },
        onFailure: () => new Promise(() => {}),
      });
      const rude = {
        onJobException: () => Promise.reject(new Error('rude')),
        onJobFailed: () => {
          throw new Error('ruder');
        },
      };
      const stuck = { onJobException: () => new Promise(() => {}) };
      await using(await make({ jobs: [job], config: { interceptors: [rude, stuck], interceptorTimeout: '2s' } }), async (world) => {
        await world.dispatch(job);
        await world.redrive.start();
        await world.failedJob();
        await world.until('everybody to be told', async () => {
          await world.clock.advance('1s');
          return world.at('onJobFailed').length === 1;
        });
        assert.equal(world.at('onJobException').length, 1);
        assert.equal(await world.redrive.failedJobs.count(), 1);
        assert.ok(world.logger.says('onJobException failed', 'error'));
        assert.ok(world.logger.says('onFailure failed', 'error'));
      });
    });

    it('F9: a logger that throws changes nothing', async () => {
      const { job } = failing({ backoff: () => null, maxAttempts: 2 });
      const broken = (): never => {
        throw new Error('disk full');
      };
      const logger = { debug: broken, info: broken, warn: broken, error: broken, fatal: broken, child: broken };
      await using(
        await make({ jobs: [job], config: { logger, logAttempts: true, interceptors: [{ onJobFailed: broken }] } }),
        async (world) => {
          await world.dispatch(job);
          await world.redrive.start();
          assert.equal((await world.failedJob()).attempts, 1);
        },
      );
    });

    it('F10: one job of a batch that fails does not touch its neighbours', async () => {
      const done: number[] = [];
      const job = defineJob({
        name: 'batch',
        handle: (self: Job<{ n: number }>) => {
          if (self.properties.n === 3) throw new Error('three');
          done.push(self.properties.n);
        },
      });
      await using(await make({ jobs: [job], pool: { quantity: 8 } }), async (world) => {
        await world.dispatchMany([0, 1, 2, 3, 4, 5, 6, 7].map((n) => ({ job, properties: { n } })));
        await world.redrive.start();
        const failed = await world.failedJob();
        await world.until('the others to end', () => done.length === 7);
        assert.deepEqual(failed.properties, { n: 3 });
        assert.deepEqual(
          done.toSorted((a, b) => a - b),
          [0, 1, 2, 4, 5, 6, 7],
        );
      });
    });

    it('F11: release(10) puts the job back and spends an attempt; at the limit it fails with MAX_ATTEMPTS_REACHED', async () => {
      const seen: number[] = [];
      const job = defineJob({
        name: 'releases',
        maxAttempts: 2,
        handle: (self) => {
          seen.push(self.attempt);
          self.release(10);
        },
      });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.dispatch(job);
        await world.redrive.start();
        await world.until('the release', () => world.at('onJobReleased').length === 1);
        await world.clock.advance('9s');
        await world.rest();
        assert.deepEqual(seen, [1]);
        await world.clock.advance('1s');
        const failed = await world.failedJob();
        assert.deepEqual(seen, [1, 2]);
        assert.equal(failed.kind, 'released');
        assert.equal(failed.exception.code, 'MAX_ATTEMPTS_REACHED');
      });
    });

    const dispatches: readonly [string, Test, (world: World, job: JobClass<{ n: string }>, ns: readonly string[]) => Promise<unknown>][] = [
      ['at once', it, (world, job, ns) => world.dispatchMany(ns.map((n) => ({ job, properties: { n } })))],
      [
        'one by one',
        when('background'),
        async (world, job, ns) => {
          for (const n of ns) await world.redrive.dispatch(job, { n });
        },
      ],
    ];
    for (const [how, test, dispatch] of dispatches) {
      test(`F12: runs jobs dispatched ${how} first in, first out, and one retried with no backoff behind what is ready`, async () => {
        const order: string[] = [];
        const job = defineJob({
          name: 'fifo',
          maxAttempts: 2,
          handle: (self: Job<{ n: string }>) => {
            order.push(self.properties.n);
            if (self.properties.n === 'a' && self.attempt === 1) throw new Error('again');
          },
        });
        await using(await make({ jobs: [job] }), async (world) => {
          await dispatch(world, job, ['a', 'b', 'c']);
          await world.redrive.start();
          await world.until('four attempts', () => order.length === 4);
          assert.deepEqual(order, ['a', 'b', 'c', 'a']);
        });
      });
    }
  });
}

/** The seconds between the attempts of a job that fails each time. */
async function delays(world: World, job: JobClass, count: number): Promise<readonly number[]> {
  await world.dispatch(job);
  await world.redrive.start();
  for (let n = 1; n <= count; n++) {
    await world.until(`attempt ${n}`, () => world.at('onJobException').length === n);
    await world.clock.advance(secondsUntil(world.at('onJobException')[n - 1]));
  }
  return world.at('onJobException').slice(0, count).map(secondsUntil);
}

function secondsUntil(event: { at: Date; retryAt: Date | null } | undefined): number {
  if (event === undefined || event.retryAt === null) return Number.NaN;
  return (event.retryAt.getTime() - event.at.getTime()) / 1_000;
}

function swallow(act: () => unknown): undefined {
  try {
    act();
  } catch {
    // As a job with a catch-all does.
  }
  return undefined;
}
