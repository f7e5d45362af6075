import { afterEach, describe, expect, it } from 'vitest';
import { SyncProvider } from '../../../providers/sync/index.ts';
import { createRedrive, defineJob, RetryAfter, type Job, type JobClass, type Redrive, type RedriveConfig } from '../../../src/index.ts';
import { RecordingLogger } from '../../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

interface Scene {
  readonly redrive: Redrive;
  readonly clock: VirtualClock;
  readonly logger: RecordingLogger;
}

const open: Scene[] = [];

/** A Redrive that is never started, unless a test does it. */
async function setup(jobs: readonly JobClass[], config: RedriveConfig = {}): Promise<Scene> {
  const clock = new VirtualClock();
  const logger = new RecordingLogger();
  const connections = { default: { provider: SyncProvider } };
  const redrive = await createRedrive({ connections, jobs, logFailedJobs: true, logAttempts: false, ...config }, { clock, logger });
  const scene = { redrive, clock, logger };
  open.push(scene);
  return scene;
}

afterEach(async () => {
  for (const { redrive } of open.splice(0)) await redrive.stop({ timeout: 0 });
});

/** How a promise has ended; undefined while it has not. */
function watch(promise: Promise<unknown>): { readonly end: () => { value?: unknown; error?: unknown } | undefined } {
  let end: { value?: unknown; error?: unknown } | undefined;
  promise.then(
    (value) => (end = { value }),
    (error: unknown) => (end = { error }),
  );
  return { end: () => end };
}

describe('SyncProvider', () => {
  it('runs the job before dispatch returns, without a pool and without a start', async () => {
    const seen: unknown[] = [];
    const job = defineJob({
      name: 'adds',
      handle: (self: Job<{ a: number; b: number }>) => {
        seen.push([self.id, self.attempt, self.queue, self.connection]);
        return self.properties.a + self.properties.b;
      },
    });
    const { redrive } = await setup([job], { registerWorkers: false });
    const id = await redrive.dispatch(job, { a: 1, b: 2 });
    expect(seen).toEqual([[id, 1, 'default', 'default']]);
    expect(await redrive.status(id)).toMatchObject({ status: 'successful', result: 3 });
  });

  it('rejects with the very exception, once the failure is recorded and told', async () => {
    const told: string[] = [];
    const thrown = new TypeError('no such account');
    const job = defineJob({
      name: 'fails',
      handle: () => {
        throw thrown;
      },
    });
    const { redrive } = await setup([job]);
    redrive.on('onJobFailed', ({ exception }) => void told.push(String(exception)));
    await expect(redrive.dispatch(job)).rejects.toBe(thrown);
    expect(told).toEqual(['TypeError: no such account']);
    const { items } = await redrive.failedJobs.list();
    expect(items).toMatchObject([{ job: 'fails', type: 'TypeError', message: 'no such account', attempts: 1, status: 'failed' }]);
  });

  it.each([undefined, null, 'text', 0])('rejects with %s where that is what was thrown', async (thrown) => {
    const job = defineJob({
      name: 'fails',
      handle: () => Promise.reject(thrown as unknown as Error),
    });
    const { redrive } = await setup([job]);
    const { end } = watch(redrive.dispatch(job));
    await expect.poll(end).toEqual({ error: thrown });
  });

  it('rejects also while the failed-jobs log is off', async () => {
    const job = defineJob({ name: 'fails', handle: () => Promise.reject(new Error('no')) });
    const { redrive } = await setup([job], { logFailedJobs: false });
    await expect(redrive.dispatch(job)).rejects.toThrow('no');
  });

  it('lets delay, attempts and backoff pass by the clock before dispatch returns', async () => {
    const at: number[] = [];
    const job = defineJob({
      name: 'third-time-lucky',
      maxAttempts: 3,
      backoff: '1m',
      handle: ({ attempt }) => {
        at.push(clock.now() - start);
        if (attempt === 1) throw new RetryAfter('30s');
        if (attempt === 2) throw new Error('again');
        return 'done';
      },
    });
    const { redrive, clock } = await setup([job]);
    const start = clock.now();
    const { end } = watch(redrive.dispatch(job, {}, { delay: '10s' }));
    await clock.advance('9s');
    expect(at).toEqual([]);
    await clock.advance('31s');
    expect(at).toEqual([10_000, 40_000]);
    expect(end()).toBeUndefined();
    await clock.advance('1m');
    expect(at).toEqual([10_000, 40_000, 100_000]);
    expect(end()).toEqual({ value: expect.any(String) as string });
  });

  it('goes by the pool that serves the queue, else by the defaults of the config', async () => {
    const seen: unknown[] = [];
    const job = defineJob({
      name: 'fails',
      handle: ({ queue, maxAttempts }) => {
        seen.push([queue, maxAttempts]);
        throw new Error('no');
      },
    });
    const pools = { workerPools: { main: { connection: 'default', queues: ['default', 'high'], maxAttempts: 2 } } };
    const { redrive } = await setup([job], pools);
    await expect(redrive.dispatch(job, {}, { queue: 'high' })).rejects.toThrow('no');
    const { redrive: without } = await setup([job], { defaultWorkerMaxAttempts: 3 });
    await expect(without.dispatch(job)).rejects.toThrow('no');
    expect(seen).toEqual([
      ['high', 2],
      ['high', 2],
      ['default', 3],
      ['default', 3],
      ['default', 3],
    ]);
    const workers = [await redrive.failedJobs.list(), await without.failedJobs.list()]
      .flatMap(({ items }) => items)
      .map(({ worker }) => worker);
    expect(workers).toMatchObject([{ pool: 'main' }, { pool: 'default' }]);
  });

  it('tells that a job was added before it tells that it runs', async () => {
    const told: string[] = [];
    const job = defineJob({ name: 'tells', handle: () => void told.push('handle') });
    const { redrive } = await setup([job]);
    redrive.on('onJobMarshalled', () => void told.push('onJobMarshalled'));
    redrive.on('onJobAdded', () => void told.push('onJobAdded'));
    redrive.on('onJobComplete', () => void told.push('onJobComplete'));
    await redrive.job(job, {}).dispatch();
    expect(told).toEqual(['onJobAdded', 'onJobMarshalled', 'handle', 'onJobComplete']);
  });

  it('runs all of dispatchMany, whatever one throws, and rejects with what was thrown', async () => {
    const ran: number[] = [];
    const failing = new Set([2, 5]);
    const errors = new Map([2, 5].map((n) => [n, new Error(`number ${n}`)]));
    const job = defineJob({
      name: 'many',
      handle: ({ properties: { n } }: Job<{ n: number }>) => {
        ran.push(n);
        if (failing.has(n)) throw errors.get(n);
      },
    });
    const { redrive } = await setup([job], { connections: { default: { provider: SyncProvider }, other: { provider: SyncProvider } } });
    const all = [1, 2, 3, 4, 5, 6].map((n) => ({ job, properties: { n }, options: n > 3 ? { connection: 'other' } : {} }));
    await expect(redrive.dispatchMany(all)).rejects.toMatchObject({
      name: 'AggregateError',
      message: '2 of the jobs failed',
      errors: [errors.get(2), errors.get(5)],
    });
    expect(ran).toEqual([1, 2, 3, 4, 5, 6]);
    failing.delete(5);
    await expect(redrive.dispatchMany(all)).rejects.toBe(errors.get(2));
    failing.clear();
    const ids = await redrive.dispatchMany(all);
    expect(new Set(ids).size).toBe(6);
    expect(ran).toHaveLength(18);
  });

  it('lets a job dispatch another and wait for it', async () => {
    const told: string[] = [];
    const inner = defineJob({ name: 'inner', handle: () => void told.push('inner') });
    const outer = defineJob({
      name: 'outer',
      handle: async () => {
        await redrive.dispatch(inner);
        told.push('outer');
      },
    });
    const { redrive } = await setup([inner, outer], { workerPools: { main: { connection: 'default', quantity: 1 } } });
    await redrive.dispatch(outer);
    expect(told).toEqual(['inner', 'outer']);
  });

  it('does not wait for a handler that ignores its signal once the timeout is recorded', async () => {
    let wake = (): void => undefined;
    const job = defineJob({ name: 'hangs', timeout: '1s', handle: () => new Promise<void>((resolve) => (wake = resolve)) });
    const { redrive, clock } = await setup([job]);
    const { end } = watch(redrive.dispatch(job));
    await clock.advance('1s');
    expect(end()).toMatchObject({ error: { code: 'JOB_TIMEOUT' } });
    expect((await redrive.failedJobs.list()).items).toMatchObject([{ kind: 'timeout' }]);
    const stopped = watch(redrive.stop({ timeout: '2s' }));
    await clock.advance('1s');
    expect(stopped.end()).toBeUndefined();
    wake();
    await expect.poll(stopped.end).toEqual({ value: undefined });
  });

  it('runs a failed job that is put back before retry returns: resolved, or failed again, which is requeued all the same', async () => {
    let broken = true;
    const job = defineJob({
      name: 'mendable',
      handle: ({ run }) => {
        if (broken) throw new Error(`broken in run ${run}`);
      },
    });
    const { redrive } = await setup([job]);
    await expect(redrive.dispatch(job)).rejects.toThrow('broken in run 1');
    const [failed] = (await redrive.failedJobs.list()).items;
    const id = failed?.jobId ?? '';
    expect(await redrive.failedJobs.retry(id)).toEqual({ requeued: 1, outcomes: [{ id, status: 'requeued' }] });
    expect(await redrive.failedJobs.find(id)).toMatchObject({ id: failed?.id, status: 'failed', run: 2, message: 'broken in run 2' });
    broken = false;
    expect(await redrive.failedJobs.retry({ job: 'mendable' })).toMatchObject({ requeued: 1 });
    expect(await redrive.failedJobs.find(id)).toMatchObject({ status: 'resolved', run: 3 });
  });

  it('rejects the dispatch of a job that is cancelled, or failed by hand, while it waits for its time', async () => {
    const job = defineJob({ name: 'never', handle: () => 'ran' });
    const { redrive } = await setup([job]);
    const ids: string[] = [];
    redrive.on('onJobAdded', ({ job: { id } }) => void ids.push(id));
    const cancelled = watch(redrive.dispatch(job, {}, { delay: '1h' }));
    const failed = watch(redrive.dispatch(job, {}, { delay: '1h' }));
    await expect.poll(() => ids.length).toBe(2);
    expect(await redrive.cancel(ids[0] ?? '')).toBe('canceled');
    expect((await redrive.failedJobs.markFailed(ids[1] ?? '', { reason: 'bad data' })).moved).toEqual([ids[1]]);
    await expect.poll(cancelled.end).toMatchObject({ error: { code: 'JOB_CANCELLED' } });
    await expect.poll(failed.end).toMatchObject({ error: { name: 'MarkedAsFailed', message: 'bad data' } });
  });

  it('rejects with STOPPED, when Redrive stops, what waits; what runs is aborted after the timeout, uncounted', async () => {
    const waits = defineJob({ name: 'waits', handle: () => 'ran' });
    let reason: unknown;
    const runs = defineJob({
      name: 'runs',
      timeout: 0,
      handle: ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(new Error('aborted'));
          });
        }),
    });
    const { redrive, clock } = await setup([waits, runs]);
    const waiting = watch(redrive.dispatch(waits, {}, { delay: '1h' }));
    const running = watch(redrive.dispatch(runs));
    await clock.advance('1s');
    const stopped = watch(redrive.stop({ timeout: '10s' }));
    await clock.advance('9s');
    expect(waiting.end()).toMatchObject({ error: { code: 'STOPPED' } });
    expect([running.end(), stopped.end()]).toEqual([undefined, undefined]);
    await clock.advance('1s');
    expect(reason).toMatchObject({ code: 'STOPPED' });
    expect(running.end()).toMatchObject({ error: { code: 'STOPPED' } });
    expect(stopped.end()).toEqual({ value: undefined });
  });

  it('hands no job to workOnce, and takes part in no transaction', async () => {
    const job = defineJob({ name: 'never', handle: () => 'ran' });
    const { redrive } = await setup([job], { workerPools: { main: { connection: 'default' } } });
    await expect(redrive.workOnce()).rejects.toMatchObject({ code: 'CAPABILITY_MISSING' });
    await expect(redrive.dispatch(job, {}, { transaction: {} as never })).rejects.toMatchObject({ code: 'CAPABILITY_MISSING' });
  });

  it('keeps a completed job as long as it is told to', async () => {
    const job = defineJob({ name: 'kept', handle: () => 'ran' });
    const properties = { keepCompleted: '1m' };
    const { redrive, clock } = await setup([job], { connections: { default: { provider: SyncProvider, properties } } });
    const id = await redrive.dispatch(job);
    await clock.advance('59s');
    expect(await redrive.status(id)).toBeDefined();
    await clock.advance('1s');
    expect(await redrive.status(id)).toBeUndefined();
    expect(await redrive.stats('default')).toMatchObject({ completed: 1, ready: 0, reserved: 0 });
  });

  it('refuses properties that only a worker needs', async () => {
    const { redrive } = await setup([], { connections: { default: { provider: SyncProvider, properties: { lease: '30s' } } } });
    await expect(redrive.start()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      faults: ['connections.default.properties.lease: unknown key; known are memory, keepCompleted'],
    });
  });
});
