import assert from 'node:assert/strict';
import { jobPattern } from '../../interceptor/job-pattern.ts';
import type { Interceptor, JobFailedEvent } from '../../interceptor/points.ts';
import { defineJob } from '../../job/define.ts';
import type { Suite } from './suite.ts';
import { using } from './world.ts';

/** F20 to F23: hooks and interceptors. */
export function hooks({ describe, it, make }: Suite): void {
  describe('hooks and interceptors', () => {
    it('F20: three attempts: exception hooks three times, failure hooks once, after the last, with the original exception', async () => {
      const thrown: unknown[] = [];
      const told: [string, unknown][] = [];
      const job = defineJob({
        name: 'three',
        maxAttempts: 3,
        handle: () => {
          const error = new Error(`number ${thrown.length}`);
          thrown.push(error);
          throw error;
        },
        onFailure: (exception) => void told.push(['onFailure', exception]),
      });
      const interceptor: Interceptor = {
        onJobException: ({ exception }) => void told.push(['onJobException', exception]),
        onJobFailed: ({ exception }) => void told.push(['onJobFailed', exception]),
      };
      await using(await make({ jobs: [job], config: { interceptors: [interceptor] } }), async (world) => {
        const provider = await world.provider();
        provider.afterJobException = ({ exception }) => void told.push(['afterJobException', exception]);
        provider.afterJobFailed = ({ exception }) => void told.push(['afterJobFailed', exception]);
        await world.dispatch(job);
        await world.redrive.start();
        await world.until('the last hook', () => told.some(([hook]) => hook === 'afterJobFailed'));
        const [first, second, third] = thrown;
        assert.deepEqual(told, [
          ['afterJobException', first],
          ['onJobException', first],
          ['afterJobException', second],
          ['onJobException', second],
          ['afterJobException', third],
          ['onJobException', third],
          ['onFailure', third],
          ['onJobFailed', third],
          ['afterJobFailed', third],
        ]);
        assert.ok(
          told.every(([, exception], index) => exception === thrown[Math.min(Math.floor(index / 2), 2)]),
          'the very objects that were thrown',
        );
        const willRetry = world.at('onJobException').map((event) => event.willRetry);
        assert.deepEqual(willRetry, [true, true, false]);
        await world.redrive.stop();
      });
    });

    it('F21: a job that cancels itself fails with kind cancelled, and the hooks fire', async () => {
      let failures = 0;
      const job = defineJob({
        name: 'cancels',
        maxAttempts: 5,
        handle: (self) => self.cancel('no longer wanted'),
        onFailure: () => void failures++,
      });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.dispatch(job);
        await world.redrive.start();
        const failed = await world.failedJob();
        await world.until('onJobFailed', () => world.at('onJobFailed').length === 1);
        assert.equal(failed.kind, 'cancelled');
        assert.equal(failed.message, 'no longer wanted');
        assert.equal(world.at('onJobFailed')[0]?.kind, 'cancelled');
        assert.equal(failures, 1);
      });
    });

    it('F22: when onJobFailed runs, the failed job can already be read back by failedJobId', async () => {
      const job = defineJob({
        name: 'readable',
        handle: () => {
          throw new Error('read me');
        },
      });
      await using(await make({ jobs: [job] }), async (world) => {
        let read: unknown;
        world.redrive.on('onJobFailed', async ({ failedJobId, job: { id } }: JobFailedEvent) => {
          const failed = await world.redrive.failedJobs.find(failedJobId ?? -1);
          read = [failed?.jobId === id, failed?.message, failed?.status, failed?.history?.length];
        });
        await world.dispatch(job);
        await world.redrive.start();
        await world.until('the read', () => read !== undefined);
        assert.deepEqual(read, [true, 'read me', 'failed', 1]);
      });
    });

    it('F23: jobPattern restricts a point to jobs of matching names', async () => {
      const heard: string[] = [];
      class OnlyPayments implements Interceptor {
        onJobFailed({ job }: JobFailedEvent): void {
          heard.push(job.name);
        }
      }
      const descriptor = Object.getOwnPropertyDescriptor(OnlyPayments.prototype, 'onJobFailed') ?? {};
      jobPattern(/^payments\./)(OnlyPayments.prototype, 'onJobFailed', descriptor as never);
      const fails = (name: string): ReturnType<typeof defineJob> =>
        defineJob({
          name,
          handle: () => {
            throw new Error('no');
          },
        });
      const jobs = [fails('payments.charge'), fails('emails.payments.'), fails('payments.refund')];
      await using(await make({ jobs, config: { interceptors: [new OnlyPayments()] } }), async (world) => {
        for (const job of jobs) await world.dispatch(job);
        await world.redrive.start();
        await world.until('all to fail', () => world.at('onJobFailed').length === 3);
        assert.deepEqual(heard, ['payments.charge', 'payments.refund']);
      });
    });
  });
}
