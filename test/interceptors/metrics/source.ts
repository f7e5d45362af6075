import { makeMetrics } from '../../../interceptors/metrics/metrics.ts';
import type { ConnectionDepth, Metrics, MetricsSource } from '../../../src/interceptor/metrics.ts';
import type { InterceptorEvents, JobInfo } from '../../../src/interceptor/points.ts';
import { createRedactor } from '../../../src/record/redaction.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

export interface Scene extends Metrics {
  readonly clock: VirtualClock;
  /** The lines of one metric, without comments. */
  readonly lines: (name: string) => Promise<readonly string[]>;
  /** How many series there are in all. */
  readonly series: () => Promise<number>;
}

/** Metrics of a Redrive that there is not: what it would tell is up to the test. */
export function makeScene(
  given: Partial<Omit<MetricsSource, 'redactor'>> & { readonly redact?: readonly (string | RegExp)[] } = {},
): Scene {
  const clock = new VirtualClock();
  const { redact = [], ...rest } = given;
  const noDepth = async (): Promise<ConnectionDepth> => ({ queues: [], untold: 0 });
  const metrics = makeMetrics({
    clock,
    redactor: createRedactor(redact),
    jobNames: ['mail'],
    queues: ['default'],
    connections: ['main'],
    depth: noDepth,
    ...rest,
  });
  const all = async (): Promise<readonly string[]> =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return {
    ...metrics,
    clock,
    lines: async (name) => (await all()).filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)),
    series: async () => (await all()).length,
  };
}

export function depthOf(queue: string, numbers: Partial<ConnectionDepth['queues'][number]> = {}): ConnectionDepth {
  return { queues: [{ queue, ready: 0, delayed: 0, reserved: 0, failed: 0, completed: 0, oldestReadyAge: null, ...numbers }], untold: 0 };
}

const at = new Date(0);
let lastEvent = 0;

export function completed(job: Partial<JobInfo>, duration = 10): InterceptorEvents['onJobComplete'] {
  return { ...base(job), result: undefined, duration };
}

/** The event of a failed attempt that took a second. */
export function threw(
  job: Partial<JobInfo>,
  how: Partial<Pick<InterceptorEvents['onJobException'], 'kind' | 'willRetry'>> & { readonly pid?: number } = {},
): InterceptorEvents['onJobException'] {
  const { kind = 'exception', willRetry = false, pid = 1 } = how;
  const failure = { startedAt: 0, endedAt: 1_000, worker: { host: 'host', pid, pool: 'pool' } };
  return {
    ...base(job),
    exception: new Error('no'),
    failure: failure as InterceptorEvents['onJobException']['failure'],
    kind,
    attempt: 1,
    maxAttempts: 1,
    willRetry,
    retryAt: null,
  };
}

export function failed(job: Partial<JobInfo>): InterceptorEvents['onJobFailed'] {
  return { ...threw(job), attempts: 1, failedJobId: 1, redelivered: false };
}

function base(job: Partial<JobInfo>) {
  const info: JobInfo = {
    id: 'id',
    name: 'mail',
    queue: 'default',
    connection: 'main',
    properties: {},
    attempt: 1,
    maxAttempts: 1,
    run: 1,
    createdAt: at,
    ...job,
  };
  return { at, eventId: String(++lastEvent), job: info, pool: { name: 'pool', connection: info.connection } };
}
