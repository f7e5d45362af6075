import { register } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { mostPlaces, mostQueues } from '../../../interceptors/metrics/job-labels.ts';
import { AsyncProvider, Memory } from '../../../providers/async/index.ts';
import { createRedrive, defineJob, RetryAfter, type Redrive } from '../../../src/index.ts';
import { RecordingLogger } from '../../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { completed, depthOf, failed, makeScene, threw } from './source.ts';

const mail = `connection="main",pool="pool",queue="default",job="mail"`;

describe('the metrics of jobs', () => {
  it('count attempts, retries and failures by kind, and how long attempts took', async () => {
    const { interceptor, lines } = makeScene();
    interceptor.onJobComplete?.(completed({}, 30));
    interceptor.onJobComplete?.(completed({}, 70));
    interceptor.onJobException?.(threw({}, { willRetry: true }));
    interceptor.onJobException?.(threw({}, { kind: 'timeout' }));
    interceptor.onJobFailed?.({ ...failed({}), kind: 'timeout' });
    interceptor.onJobRetried?.({ ...failed({}), by: 'ops', run: 2 });
    expect(await lines('redrive_attempts_total')).toEqual([
      `redrive_attempts_total{${mail},outcome="completed"} 2`,
      `redrive_attempts_total{${mail},outcome="failed"} 2`,
    ]);
    expect(await lines('redrive_failed_attempts_total')).toEqual([
      `redrive_failed_attempts_total{${mail},kind="exception"} 1`,
      `redrive_failed_attempts_total{${mail},kind="timeout"} 1`,
    ]);
    expect(await lines('redrive_retries_total')).toEqual([`redrive_retries_total{${mail}} 1`]);
    expect(await lines('redrive_failed_jobs_total')).toEqual([`redrive_failed_jobs_total{${mail},kind="timeout"} 1`]);
    expect(await lines('redrive_retried_jobs_total')).toEqual([
      'redrive_retried_jobs_total{connection="main",queue="default",job="mail"} 1',
    ]);
    const buckets = await lines('redrive_attempt_duration_seconds_bucket');
    expect(buckets).toContain(`redrive_attempt_duration_seconds_bucket{le="0.025",${mail},outcome="completed"} 0`);
    expect(buckets).toContain(`redrive_attempt_duration_seconds_bucket{le="0.1",${mail},outcome="completed"} 2`);
    expect(await lines('redrive_attempt_duration_seconds_sum')).toEqual([
      `redrive_attempt_duration_seconds_sum{${mail},outcome="completed"} 0.1`,
      `redrive_attempt_duration_seconds_sum{${mail},outcome="failed"} 2`,
    ]);
  });

  it('count a dead worker once, however many of its jobs are rescued, and no durations of attempts that were lost', async () => {
    const { interceptor, lines } = makeScene();
    for (const pid of [7, 7, 8]) interceptor.onJobException?.(threw({}, { kind: 'lost', pid }));
    expect(await lines('redrive_lost_workers_total')).toEqual(['redrive_lost_workers_total{connection="main"} 2']);
    expect(await lines('redrive_failed_attempts_total')).toEqual([`redrive_failed_attempts_total{${mail},kind="lost"} 3`]);
    expect(await lines('redrive_attempt_duration_seconds_count')).toEqual([]);
  });

  it('count a released attempt, but neither a retry, which failed, nor a shutdown, which costs none', async () => {
    const { interceptor, lines } = makeScene();
    for (const reason of ['released', 'attempts-left', 'shutdown'])
      interceptor.onJobReleased?.({ ...completed({}), availableAt: new Date(0), reason });
    expect(await lines('redrive_attempts_total')).toEqual([`redrive_attempts_total{${mail},outcome="released"} 1`]);
  });

  it('have no more series after 10,000 random jobs and queues than a bound says', async () => {
    const { interceptor, lines, series } = makeScene({ jobNames: ['mail', ...Array.from({ length: 2_000 }, (_, n) => `known.${n}`)] });
    const random = (): string => Math.random().toString(36);
    for (let n = 0; n < 10_000; n++) {
      const job = { name: n % 2 === 0 ? random() : `known.${n % 2_000}`, queue: random() };
      interceptor.onJobComplete?.(completed(job));
      interceptor.onJobException?.(threw(job, { willRetry: true }));
      interceptor.onJobFailed?.(failed(job));
      interceptor.onJobRetried?.({ ...failed(job), by: random(), run: 2 });
    }
    // Buckets, sum and count of two outcomes; two outcomes, one kind twice, retries by policy and by hand.
    const perPlace = 2 * 15 + 6;
    expect(await series()).toBeLessThan((mostPlaces + 2) * perPlace);
    const count = (line: string): number => Number(line.slice(line.lastIndexOf(' ')));
    const failures = await lines('redrive_failed_jobs_total');
    expect(failures.reduce((sum, line) => sum + count(line), 0)).toBe(10_000);
    expect(failures.some((line) => line.includes('queue="other",job="other"'))).toBe(true);
    const queues = new Set(failures.map((line) => /queue="([^"]*)"/.exec(line)?.[1]));
    expect(queues.size).toBeLessThanOrEqual(mostQueues + 1);
  });

  it('name a job only where this process has its class, and never by id, message or type', async () => {
    const { interceptor, registry } = makeScene();
    interceptor.onJobFailed?.(failed({ id: 'the-id', name: 'unheard.of' }));
    const text = await registry.metrics();
    expect(text).toContain('job="other"');
    expect(text).not.toMatch(/the-id|unheard\.of|Error/);
  });

  it('F18: hold nothing that a redact rule names', async () => {
    const depth = async () => depthOf('tenant-acme', { ready: 1 });
    const { interceptor, registry } = makeScene({ redact: [/acme/], jobNames: ['acme.mail'], queues: ['tenant-acme'], depth });
    interceptor.onJobComplete?.(completed({ name: 'acme.mail', queue: 'tenant-acme' }));
    const text = await registry.metrics();
    expect(text).toContain('queue="tenant-');
    expect(text).not.toContain('acme');
  });
});

describe('the metrics of queues', () => {
  it('are read when somebody scrapes', async () => {
    const depth = async () => ({
      queues: [
        ...depthOf('default', { ready: 3, delayed: 2, reserved: 1, failed: 4, oldestReadyAge: 12.5 }).queues,
        ...depthOf('idle').queues,
      ],
      untold: 5,
    });
    const { lines } = makeScene({ depth });
    expect((await lines('redrive_queue_jobs')).slice(0, 4)).toEqual([
      'redrive_queue_jobs{connection="main",queue="default",state="ready"} 3',
      'redrive_queue_jobs{connection="main",queue="default",state="delayed"} 2',
      'redrive_queue_jobs{connection="main",queue="default",state="reserved"} 1',
      'redrive_queue_jobs{connection="main",queue="default",state="failed"} 4',
    ]);
    expect(await lines('redrive_queue_oldest_ready_age_seconds')).toEqual([
      'redrive_queue_oldest_ready_age_seconds{connection="main",queue="default"} 12.5',
      'redrive_queue_oldest_ready_age_seconds{connection="main",queue="idle"} 0',
    ]);
    expect(await lines('redrive_untold_announcements')).toEqual(['redrive_untold_announcements{connection="main"} 5']);
    expect(await lines('redrive_connection_up')).toEqual(['redrive_connection_up{connection="main"} 1']);
  });

  it('of 10,000 queues are as many as a bound says, and their jobs all counted', async () => {
    const queues = Array.from({ length: 10_000 }, (_, n) => depthOf(`q${n}`, { ready: 1, oldestReadyAge: n }).queues[0]!);
    const { lines } = makeScene({ depth: async () => ({ queues, untold: 0 }) });
    const ready = (await lines('redrive_queue_jobs')).filter((line) => line.includes('state="ready"'));
    expect(ready).toHaveLength(mostQueues);
    // `default` is known before any of them.
    expect(ready).toContain(`redrive_queue_jobs{connection="main",queue="other",state="ready"} ${10_000 - mostQueues + 1}`);
    expect(await lines('redrive_queue_oldest_ready_age_seconds')).toContain(
      'redrive_queue_oldest_ready_age_seconds{connection="main",queue="other"} 9999',
    );
  });

  it('are read once for a storm of scrapes, and again once they are old', async () => {
    let readings = 0;
    const { clock, registry } = makeScene({ depth: async () => depthOf('default', { ready: ++readings }) });
    await Promise.all(Array.from({ length: 100 }, () => registry.metrics()));
    expect(readings).toBe(1);
    await clock.advance('4s');
    await registry.metrics();
    expect(readings).toBe(1);
    await clock.advance('1s');
    expect(await registry.metrics()).toContain('state="ready"} 2');
  });

  it('that take long to read are read the less often', async () => {
    let readings = 0;
    const { clock, registry } = makeScene({
      depth: () => new Promise((resolve) => void clock.after(1_000, () => resolve(depthOf('default', { ready: ++readings })))),
    });
    const scrape = async (): Promise<string> => {
      const text = registry.metrics();
      await clock.advance('1s');
      return text;
    };
    expect(await scrape()).toContain('state="ready"} 1');
    await clock.advance('19s');
    expect(await scrape()).toContain('state="ready"} 1');
    expect(await scrape()).toContain('state="ready"} 2');
  });

  it('of a store that hangs hold up no scrape, are not asked for again meanwhile, and do not hide others', async () => {
    let readings = 0;
    const depth = (connection: string) => {
      if (connection === 'main') return Promise.resolve(depthOf('default'));
      readings += 1;
      return new Promise<never>(() => undefined);
    };
    const { clock, registry } = makeScene({ connections: ['hangs', 'main'], depth });
    for (let n = 0; n < 3; n++) {
      const text = registry.metrics();
      await clock.advance('2s');
      expect(await text).toContain('redrive_connection_up{connection="hangs"} 0');
      expect(await text).toContain('redrive_connection_up{connection="main"} 1');
      expect(await text).not.toContain('redrive_untold_announcements{connection="hangs"}');
      await clock.advance('1m');
    }
    expect(readings).toBe(1);
  });

  it('of a store that is gone are not those of yesterday', async () => {
    let gone = false;
    const depth = () => (gone ? Promise.reject(new Error('gone')) : Promise.resolve(depthOf('default', { ready: 1 })));
    const { clock, lines } = makeScene({ depth });
    expect(await lines('redrive_queue_jobs')).toHaveLength(4);
    gone = true;
    await clock.advance('10s');
    expect(await lines('redrive_queue_jobs')).toEqual([]);
    expect(await lines('redrive_connection_up')).toEqual(['redrive_connection_up{connection="main"} 0']);
    gone = false;
    await clock.advance('10s');
    expect(await lines('redrive_queue_jobs')).toHaveLength(4);
  });
});

describe('redrive.metrics', () => {
  async function make(clock = new VirtualClock()): Promise<Redrive> {
    let calls = 0;
    const job = defineJob({
      name: 'mail',
      maxAttempts: 2,
      handle: () => {
        if (++calls === 1) throw new RetryAfter('10s');
        if (calls === 2) throw new Error('for good');
      },
    });
    const redrive = await createRedrive(
      {
        connections: { main: { provider: AsyncProvider, properties: { memory: new Memory() } } },
        workerPools: { pool: { connection: 'main' } },
        jobs: [job],
        logFailedJobs: true,
        logAttempts: false,
      },
      { clock, logger: new RecordingLogger() },
    );
    onTestFinished(() => redrive.stop({ timeout: 0 }));
    return redrive;
  }

  it('counts what really happens, from the first call on', async () => {
    const clock = new VirtualClock();
    const redrive = await make(clock);
    await redrive.metrics();
    await redrive.start();
    const id = await redrive.dispatch('mail');
    await clock.advance('10s');
    await redrive.failedJobs.retry(id);
    await clock.advance('10s');
    const text = await redrive.metricsText();
    for (const line of [
      `redrive_attempts_total{${mail},outcome="failed"} 2`,
      `redrive_attempts_total{${mail},outcome="completed"} 1`,
      `redrive_retries_total{${mail}} 1`,
      `redrive_failed_jobs_total{${mail},kind="exception"} 1`,
      'redrive_retried_jobs_total{connection="main",queue="default",job="mail"} 1',
      'redrive_queue_jobs{connection="main",queue="default",state="ready"} 0',
      'redrive_untold_announcements{connection="main"} 0',
    ])
      expect(text.split('\n')).toContain(line);
  });

  it('is one registry, and not the default one of the process', async () => {
    const redrive = await make();
    const registry = await redrive.metrics();
    expect(await redrive.metrics()).toBe(registry);
    expect(registry).not.toBe(register);
    expect(register.getMetricsAsArray()).toEqual([]);
    const other = await make();
    expect(await other.metrics()).not.toBe(registry);
  });
});
