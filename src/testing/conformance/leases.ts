import assert from 'node:assert/strict';
import { defineJob, type JobClass } from '../../job/define.ts';
import type { Job } from '../../job/job.ts';
import type { PullProvider, ReservedJob } from '../../provider/pull-provider.ts';
import type { FailureRecord } from '../../record/types.ts';
import type { Suite } from './suite.ts';
import { using } from './world.ts';

/** F24 to F30: crashes, leases, shutdown. A process that dies is played by one whose clock stands still. */
export function leases({ describe, when, make }: Suite): void {
  // Where dispatch runs the job, the job's process and the one that waits for it are the same, and die together.
  const it = when('background');

  /** A job that runs until the test lets it go. */
  function waiting(options: { maxAttempts?: number; timeout?: number } = {}): { job: JobClass; runs: Run[] } {
    const runs: Run[] = [];
    const job = defineJob({
      name: 'waiting',
      timeout: 0,
      ...options,
      handle: (self) =>
        new Promise<string>((resolve, reject) => {
          runs.push({
            id: self.id,
            attempt: self.attempt,
            signal: self.signal,
            end: () => resolve('done'),
            fail: (error) => reject(error),
          });
        }),
    });
    return { job, runs };
  }

  describe('crashes, leases and shutdown', () => {
    it('F25: after the lease of a dead worker its job runs elsewhere; the lost attempt is counted and recorded', async () => {
      const { job, runs } = waiting({ maxAttempts: 2 });
      await using(await make({ jobs: [job] }), async (world) => {
        const dead = await world.stoppable();
        const id = await dead.redrive.dispatch(job);
        await dead.redrive.start();
        await world.until('the first attempt', () => runs.length === 1);
        await world.redrive.start();
        await world.clock.advance('29s');
        assert.equal(runs.length, 1);
        await world.clock.advance('15s');
        await world.until('the second attempt', () => runs.length === 2);
        assert.deepEqual([runs[1]?.id, runs[1]?.attempt], [id, 2]);
        runs[1]?.end();
        await world.until('success', () => world.at('onJobComplete').length === 1);
        const attempts = await (await world.provider()).attempts(id);
        assert.deepEqual(
          attempts.map(({ attempt, kind, rule, type }) => [attempt, kind, rule, type]),
          [[1, 'lost', 'attempts-left', 'RedriveError']],
        );
        assert.equal(attempts[0]?.exception.code, 'JOB_LOST');
        assert.equal(attempts[0]?.worker.pid, process.pid);
        assert.equal(world.at('onJobException')[0]?.kind, 'lost');
      });
    });

    it('F26: a job that loses its worker every time fails after maxAttempts, kind lost, and F21: the hooks fire', async () => {
      const { job, runs } = waiting({ maxAttempts: 3 });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.redrive.dispatch(job);
        for (let n = 1; n <= 3; n++) {
          const dead = await world.stoppable();
          await dead.redrive.start();
          await world.until(`attempt ${n}`, () => runs.length === n);
          const rescuer = await world.another({ jobs: [job], pool: { queues: 'elsewhere' } });
          await rescuer.start();
          await world.clock.advance('45s');
          await world.until(`loss ${n}`, () => world.at('onJobException').length === n);
          await rescuer.stop();
        }
        const failed = await world.failedJob();
        assert.equal(failed.kind, 'lost');
        assert.equal(failed.attempts, 3);
        assert.deepEqual(
          failed.history?.map(({ kind, rule }) => [kind, rule]),
          [
            ['lost', 'attempts-left'],
            ['lost', 'attempts-left'],
            ['lost', 'max-attempts'],
          ],
        );
        assert.equal(world.at('onJobFailed').length, 1);
      });
    });

    it('F26: where attempts are unlimited, three losses fail it', async () => {
      const { job, runs } = waiting({ maxAttempts: 0 });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.redrive.dispatch(job);
        for (let n = 1; n <= 3; n++) {
          const dead = await world.stoppable();
          await dead.redrive.start();
          await world.until(`attempt ${n}`, () => runs.length === n);
          const rescuer = await world.another({ pool: { queues: 'elsewhere' } });
          await rescuer.start();
          await world.clock.advance('45s');
          await world.until(`loss ${n}`, () => world.at('onJobException').length === n);
          await rescuer.stop();
        }
        assert.deepEqual(
          (await world.failedJob()).history?.map(({ rule }) => rule),
          ['attempts-left', 'attempts-left', 'lost'],
        );
      });
    });

    it('F27: a handler longer than its lease, in a living process, is never run twice', async () => {
      const { job, runs } = waiting({ maxAttempts: 3 });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.redrive.dispatch(job);
        await world.redrive.start();
        const other = await world.another();
        await other.start();
        await world.until('the attempt', () => runs.length === 1);
        await world.clock.advance('3m');
        assert.equal(runs.length, 1);
        runs[0]?.end();
        await world.until('success', () => world.at('onJobComplete').length === 1);
      });
    });

    it('F27: a handler that ignores its signal on shutdown keeps its lease, and its outcome counts', async () => {
      const { job, runs } = waiting({ maxAttempts: 3 });
      await using(await make({ jobs: [job] }), async (world) => {
        const stopping = await world.another();
        const id = await world.redrive.dispatch(job);
        await stopping.start();
        await world.until('the attempt', () => runs.length === 1);
        const stop = stopping.stop({ timeout: '1s' });
        await world.clock.advance('10s');
        await stop;
        assert.equal(runs[0]?.signal.aborted, true);
        await world.redrive.start();
        await world.clock.advance('5m');
        assert.equal(runs.length, 1);
        runs[0]?.end();
        await world.until('success', () => world.at('onJobComplete').length === 1);
        await world.clock.advance('5m');
        assert.equal(runs.length, 1);
        assert.deepEqual(await (await world.provider()).attempts(id), []);
      });
    });

    it('F28: a worker that wakes after losing its lease changes nothing, its signal has aborted, and the log says so', async () => {
      const { job, runs } = waiting({ maxAttempts: 2 });
      await using(await make({ jobs: [job] }), async (world) => {
        const stopped = await world.stoppable();
        const id = await stopped.redrive.dispatch(job);
        await stopped.redrive.start();
        await world.until('the first attempt', () => runs.length === 1);
        await world.redrive.start();
        await world.clock.advance('45s');
        await world.until('the second attempt', () => runs.length === 2);
        runs[0]?.fail(new Error('too late'));
        await world.until('the log to say so', () => world.logger.lines.some(({ fields }) => fields['code'] === 'LEASE_LOST'));
        assert.equal(runs[0]?.signal.aborted, true);
        assert.equal(runs[1]?.signal.aborted, false);
        assert.equal((await (await world.provider()).attempts(id)).length, 1);
        assert.equal(await world.redrive.failedJobs.count({ status: 'any' }), 0);
        runs[1]?.end();
        await world.until('success', () => world.at('onJobComplete').length === 1);
        assert.equal((await (await world.provider()).attempts(id)).length, 1);
      });
    });

    it('F28: a worker that lost its lease works on with a new session', async () => {
      const { job, runs } = waiting();
      await using(await make({ jobs: [job] }), async (world) => {
        const stopped = await world.stoppable();
        await stopped.redrive.start();
        const rescuer = await world.another({ pool: { queues: 'elsewhere' } });
        await rescuer.start();
        await world.clock.advance('45s');
        await stopped.clock.advance('45s');
        await stopped.redrive.dispatch(job);
        await stopped.clock.advance('5s');
        await world.until('the attempt', () => runs.length === 1);
        runs[0]?.end();
        await world.until('success', () => world.at('onJobComplete').length === 1);
      });
    });

    it('F29: of several processes that rescue at once one moves the job', async () => {
      const { job, runs } = waiting({ maxAttempts: 5 });
      await using(await make({ jobs: [job] }), async (world) => {
        const dead = await world.stoppable();
        const id = await dead.redrive.dispatch(job);
        await dead.redrive.start();
        await world.until('the first attempt', () => runs.length === 1);
        const others = [world.redrive, await world.another(), await world.another()];
        for (const other of others) await other.start();
        await world.clock.advance('45s');
        await world.until('the second attempt', () => runs.length === 2);
        await world.rest();
        assert.equal(runs.length, 2);
        assert.equal((await (await world.provider()).attempts(id)).length, 1);
        runs[1]?.end();
      });
    });

    it('F29: of two rescuers that found the same lost job, the second settles nothing', async () => {
      const { job, runs } = waiting({ maxAttempts: 5 });
      await using(await make({ jobs: [job] }), async (world) => {
        const dead = await world.stoppable();
        const id = await dead.redrive.dispatch(job);
        await dead.redrive.start();
        await world.until('the attempt', () => runs.length === 1);
        await world.clock.advance('31s');
        const provider = (await world.provider()) as PullProvider;
        const info = { pool: 'rescuer', host: 'here', pid: 1, policies: '{}' };
        const [first, second] = [await provider.openSession(info), await provider.openSession(info)];
        const [found] = await provider.rescue(first);
        const [again] = await provider.rescue(second);
        assert.ok(found !== undefined && again !== undefined, 'both find it');
        const { eventId, ...rest } = lostRecord(found.job, world.clock.now());
        const transition = { to: 'retry', availableAt: world.clock.now() } as const;
        await provider.settle(first, { settlements: [{ job: found.job, transition, record: { eventId, ...rest } }], announced: [] });
        await provider.settle(second, {
          settlements: [{ job: again.job, transition, record: { eventId: `${eventId}-2`, ...rest } }],
          announced: [],
        });
        assert.equal((await provider.attempts(id)).length, 1);
      });
    });

    when('background', 'durableStart')('gives a prefetched job of a dead worker back uncounted', async () => {
      const { job, runs } = waiting({ maxAttempts: 1 });
      await using(await make({ jobs: [job] }), async (world) => {
        const dead = await world.stoppable();
        await dead.redrive.dispatchMany([{ job }, { job }]);
        const provider = await world.provider();
        // As a pool with a prefetch of one that dies before it starts the second.
        if (!('reserve' in provider)) return;
        const pull = provider as PullProvider;
        const session = await pull.openSession({ pool: 'dead', host: 'elsewhere', pid: 1, policies: '{}' });
        const { jobs } = await pull.reserve(session, { queues: ['default'], limit: 2, startNow: 1 });
        assert.equal(jobs.length, 2);
        await world.clock.advance('31s');
        await world.redrive.start();
        await world.until('the unstarted one to run', () => runs.length === 1);
        assert.deepEqual([runs[0]?.id, runs[0]?.attempt], [jobs[1]?.id, 1]);
        assert.equal((await world.failedJob()).jobId, jobs[0]?.id);
        runs[0]?.end();
      });
    });

    it('F24: what a worker recorded and died before telling is told again, once, marked as redelivered', async () => {
      const told: unknown[] = [];
      const job = defineJob({
        name: 'untold',
        handle: () => {
          throw new TypeError('the cause');
        },
        onFailure: (exception) => void told.push(exception),
      });
      await using(await make({ jobs: [job] }), async (world) => {
        const dead = await world.stoppable({ config: { interceptors: [{ onJobException: () => new Promise(() => {}) }] } });
        const id = await dead.redrive.dispatch(job);
        await dead.redrive.start();
        const failed = await world.failedJob();
        assert.equal(told.length, 0);
        await world.redrive.start();
        await world.clock.advance('45s');
        await world.until('the redelivery', () => world.at('onJobFailed').length === 1);
        const [event] = world.at('onJobFailed');
        assert.equal(event?.redelivered, true);
        assert.equal(event?.failedJobId, failed.id);
        assert.equal(event?.job.id, id);
        assert.ok(event?.exception instanceof Error);
        assert.deepEqual([event.exception.name, event.exception.message], ['TypeError', 'the cause']);
        assert.equal(told.length, 1);
        // The dead one told it, and a redelivery does not repeat it.
        assert.equal(world.at('onJobException').length, 1);
        await world.clock.advance('2m');
        assert.equal(world.at('onJobFailed').length, 1);
      });
    });

    it('F27: interceptors that hang while old announcements are told again cost no lease', async () => {
      const job = defineJob({
        name: 'hangs-telling',
        handle: () => {
          throw new Error('no');
        },
      });
      const { job: long, runs } = waiting({ maxAttempts: 5 });
      await using(await make({ jobs: [job, long] }), async (world) => {
        const dead = await world.stoppable({ config: { interceptors: [{ onJobException: () => new Promise(() => {}) }] } });
        await dead.redrive.dispatch(job);
        await dead.redrive.start();
        await world.failedJob();
        const teller = await world.another({
          config: { interceptorTimeout: '10m', interceptors: [{ onJobFailed: () => new Promise(() => {}) }] },
        });
        await teller.dispatch(long);
        await teller.start();
        await world.until('the long job to run', () => runs.length === 1);
        const other = await world.another();
        await other.start();
        await world.clock.advance('3m');
        assert.equal(runs.length, 1);
        assert.equal(runs[0]?.signal.aborted, false);
        runs[0]?.end();
      });
    });

    it('F24: what was told is not told again by the next process', async () => {
      const job = defineJob({
        name: 'told',
        handle: () => {
          throw new Error('no');
        },
      });
      await using(await make({ jobs: [job] }), async (world) => {
        await world.redrive.dispatch(job);
        await world.redrive.start();
        await world.until('it to be told', () => world.at('onJobFailed').length === 1);
        await world.redrive.stop();
        const next = await world.another();
        world.redrive = next;
        await next.start();
        await world.clock.advance('2m');
        assert.equal(world.at('onJobFailed').length, 1);
        assert.deepEqual((await next.health()).connections, { main: { ok: true, untold: 0 } });
      });
    });

    it('F30: on stop a running job may finish, one that is not done in time is aborted and goes back uncounted, and nothing new starts', async () => {
      const aborting = defineJob({
        name: 'aborting',
        maxAttempts: 1,
        timeout: 0,
        handle: (self: Job<{ n: number }>) =>
          new Promise((resolve, reject) => {
            if (self.properties.n === 1) setImmediate(() => resolve('in time'));
            self.signal.addEventListener('abort', () => reject(new Error('aborted')));
          }),
      });
      await using(await make({ jobs: [aborting], pool: { quantity: 2 } }), async (world) => {
        const ids = await world.redrive.dispatchMany([1, 2, 3].map((n) => ({ job: aborting, properties: { n } })));
        let started = 0;
        world.redrive.on('onJobMarshalled', () => void (started === 2 || started++));
        await world.redrive.start();
        await world.until('the first to end', () => world.at('onJobComplete').length === 1);
        await world.until('the third to start', () => world.at('onJobMarshalled').length === 3);
        const stop = world.redrive.stop({ timeout: '10s' });
        await world.clock.advance('11s');
        await stop;
        world.redrive = await world.another();
        const provider = await world.provider();
        const rows = await provider.attempts(ids[1] ?? '');
        assert.deepEqual(
          rows.map(({ attempt, kind, rule }) => [attempt, kind, rule]),
          [[null, 'released', 'shutdown']],
        );
        assert.equal(await world.redrive.failedJobs.count({ status: 'any' }), 0);
        assert.equal((await provider.backlog(['default'])).ready, true);
      });
    });
  });
}

function lostRecord(job: ReservedJob, now: number): FailureRecord {
  const { id: jobId, name, queue, memento, createdAt, run, attempt } = job;
  const exception = { type: 'RedriveError', message: 'lost', stack: '' };
  return {
    eventId: '01890000-0000-7000-8000-00000000e000',
    jobId,
    connection: 'main',
    queue,
    job: name,
    memento,
    properties: {},
    createdAt,
    kind: 'lost',
    rule: 'attempts-left',
    type: exception.type,
    message: exception.message,
    stack: exception.stack,
    detail: null,
    extendedInfo: null,
    exception,
    fingerprint: '0123456789abcdef',
    run,
    attempt,
    maxAttempts: 5,
    startedAt: now,
    endedAt: now,
    retryAt: now,
    worker: { host: 'here', pid: 1, pool: 'rescuer' },
    release: null,
  };
}

interface Run {
  readonly id: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly end: () => void;
  readonly fail: (error: Error) => void;
}
