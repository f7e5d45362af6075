import { describe, expect, it } from 'vitest';
import {
  createRedrive,
  defineJob,
  interceptionPoints,
  type AlertedGroup,
  type AlertRuleInfo,
  type AttemptFailure,
  type InterceptionPoint,
  type Interceptor,
  type InterceptorEvents,
  type JobInfo,
  type PoolInfo,
  type RedactedFailure,
  type RedriveConfig,
  type TerminalFailure,
} from 'redrive';
import { AsyncProvider } from 'redrive/providers/async';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { code, page, section, tableRows } from './markdown.ts';

const text = page('docs/reference/events.md');

type Fields<T> = Readonly<Record<keyof T, true>>;
const common: Fields<InterceptorEvents['onBatchComplete']> = { at: true, eventId: true };

// The compiler holds these lists against the interfaces; the tests hold the page against the lists.
const job: Fields<JobInfo> = {
  id: true,
  name: true,
  queue: true,
  connection: true,
  properties: true,
  attempt: true,
  maxAttempts: true,
  run: true,
  createdAt: true,
};
const pool: Fields<PoolInfo> = { name: true, connection: true };
const failure: Fields<RedactedFailure> = {
  eventId: true,
  jobId: true,
  connection: true,
  queue: true,
  job: true,
  properties: true,
  createdAt: true,
  kind: true,
  rule: true,
  type: true,
  message: true,
  detail: true,
  extendedInfo: true,
  stack: true,
  exception: true,
  fingerprint: true,
  run: true,
  attempt: true,
  maxAttempts: true,
  startedAt: true,
  endedAt: true,
  retryAt: true,
  worker: true,
  release: true,
};
const rule: Fields<AlertRuleInfo> = {
  name: true,
  failures: true,
  within: true,
  cooldown: true,
  queue: true,
  job: true,
  kind: true,
  fingerprint: true,
};
const group: Fields<AlertedGroup> = { fingerprint: true, job: true, type: true, message: true, count: true };
const attemptFailure: Fields<AttemptFailure> = {
  id: true,
  job: true,
  pool: true,
  exception: true,
  attempt: true,
  willRetry: true,
  retryAt: true,
};
const terminalFailure: Fields<TerminalFailure> = { id: true, job: true, pool: true, exception: true, kind: true };
const events: { readonly [P in InterceptionPoint]: Fields<Omit<InterceptorEvents[P], keyof typeof common>> } = {
  onJobAdded: { job: true, connection: true },
  onJobMarshalled: { job: true, pool: true },
  onJobComplete: { job: true, pool: true, result: true, duration: true },
  onJobCancelled: { job: true, by: true, reason: true },
  onJobReleased: { job: true, pool: true, availableAt: true, reason: true },
  onJobException: {
    job: true,
    pool: true,
    exception: true,
    failure: true,
    kind: true,
    attempt: true,
    maxAttempts: true,
    willRetry: true,
    retryAt: true,
  },
  onJobFailed: {
    job: true,
    pool: true,
    exception: true,
    failure: true,
    kind: true,
    attempt: true,
    attempts: true,
    failedJobId: true,
    redelivered: true,
  },
  onJobRetried: { job: true, by: true, run: true },
  onBatchComplete: {},
  onBatchFailed: {},
  onAlert: { rule: true, count: true, window: true, groups: true, silentUntil: true, redelivered: true },
};
const notYet: readonly InterceptionPoint[] = ['onBatchComplete', 'onBatchFailed'];
const hooks = ['beforeJobRun', 'afterJobRun', 'afterJobException', 'afterJobFailed'] as const;

function fieldsOf(heading: string): readonly string[] {
  return tableRows(section(text, heading)).map(([field]) => code(field));
}

function headingsIn(heading: string): readonly string[] {
  return [...section(text, heading).matchAll(/^### (.+)$/gm)].map(([, name]) => name!);
}

describe('the reference of events', () => {
  it('has a section for each interception point, in their order', () => {
    expect(headingsIn('## Interception points')).toEqual(interceptionPoints);
  });

  it.each(interceptionPoints)('lists the fields of %s', (point) => {
    expect(fieldsOf(`### ${point}`)).toEqual(Object.keys(events[point]));
  });

  it('lists what the events hold', () => {
    expect(fieldsOf('### JobInfo')).toEqual(Object.keys(job));
    expect(fieldsOf('### PoolInfo')).toEqual(Object.keys(pool));
    expect(fieldsOf('### RedactedFailure')).toEqual(Object.keys(failure));
    expect(fieldsOf('### AlertRuleInfo')).toEqual(Object.keys(rule));
    expect(fieldsOf('### AlertedGroup')).toEqual(Object.keys(group));
  });

  it('lists the provider hooks, and what they are called with', () => {
    expect(headingsIn('## Provider hooks')).toEqual(hooks);
    expect(fieldsOf('### afterJobException')).toEqual(Object.keys(attemptFailure));
    expect(fieldsOf('### afterJobFailed')).toEqual(Object.keys(terminalFailure));
  });

  it('says of each point that is told, and of no other, what it holds', async () => {
    const { told } = await aDay();
    const points = new Set(told.map(({ name }) => name).filter((name) => name.startsWith('on') && name !== 'onFailure'));
    expect([...points].toSorted()).toEqual(interceptionPoints.filter((point) => !notYet.includes(point)).toSorted());
    for (const point of notYet) expect(section(text, `### ${point}`)).toContain('Not told in this version');
    for (const { name, event } of told) {
      if (!points.has(name)) continue;
      expect(Object.keys(event).toSorted(), name).toEqual(
        [...Object.keys(events[name as InterceptionPoint]), ...Object.keys(common)].toSorted(),
      );
      expect(Object.isFrozen(event), name).toBe(true);
      const held = event as { job?: object; pool?: object; failure?: object; rule?: object; groups?: readonly object[] };
      if (held.job !== undefined) expect(Object.keys(held.job).toSorted(), name).toEqual(Object.keys(job).toSorted());
      if (held.rule !== undefined) expect(Object.keys(held.rule).toSorted()).toEqual(Object.keys(rule).toSorted());
      if (held.groups !== undefined) expect(Object.keys(held.groups[0]!).toSorted()).toEqual(Object.keys(group).toSorted());
      if (held.pool !== undefined) expect(Object.keys(held.pool).toSorted()).toEqual(Object.keys(pool).toSorted());
      if (held.failure !== undefined) expect(Object.keys(held.failure).toSorted()).toEqual(Object.keys(failure).toSorted());
    }
  });

  it('says of the hooks what they are called with', async () => {
    const { told } = await aDay();
    const called = (name: string): object => told.find((one) => one.name === name)!.event;
    expect(Object.keys(called('afterJobException')).toSorted()).toEqual(Object.keys(attemptFailure).toSorted());
    expect(Object.keys(called('afterJobFailed')).toSorted()).toEqual(Object.keys(terminalFailure).toSorted());
  });

  it('says in which order they are called', async () => {
    const { told } = await aDay();
    const begins = ['beforeJobRun', 'onJobMarshalled'];
    const succeeds = [...begins, 'onJobComplete', 'afterJobRun'];
    const failsAnAttempt = [...begins, 'afterJobException', 'onJobException'];
    const terminal = ['onFailure', 'onJobFailed', 'afterJobFailed'];
    expect(namesOf(told, 'fails')).toEqual([
      'onJobAdded',
      ...failsAnAttempt,
      'onJobReleased',
      ...failsAnAttempt,
      ...terminal,
      'onJobRetried',
      ...succeeds,
    ]);
    expect(namesOf(told, 'releases')).toEqual(['onJobAdded', ...begins, 'onJobReleased', ...succeeds]);
    expect(namesOf(told, 'cancelled')).toEqual(['onJobAdded', 'onJobCancelled']);
    expect(namesOf(told, 'unique')).toEqual(['onJobAdded']);
  });

  it('says who tells of a job that was marked as failed', async () => {
    const clock = new VirtualClock();
    const told: InterceptorEvents['onJobFailed'][] = [];
    const marked = defineJob({ name: 'marked', handle: () => 1 });
    const connections = { default: { provider: AsyncProvider, properties: { lease: '30s' } } };
    const redrive = await createRedrive(
      { connections, workerPools: { main: { connection: 'default' } }, jobs: [marked], logFailedJobs: true, logger: new RecordingLogger() },
      { clock },
    );
    redrive.on('onJobFailed', (event) => told.push(event));
    await redrive.start();
    await clock.advance(0);
    await redrive.failedJobs.markFailed(await redrive.dispatch(marked, {}, { delay: '1h' }));
    await clock.advance('9s');
    expect(told).toEqual([]);
    await clock.advance('1s');
    expect(told).toMatchObject([{ kind: 'manual', redelivered: true }]);
    await redrive.stop();
  });
});

interface Told {
  readonly name: string;
  readonly event: object;
}

function namesOf(told: readonly Told[], jobName: string): readonly string[] {
  return told.filter(({ event }) => ((event as { job?: JobInfo }).job ?? (event as JobInfo)).name === jobName).map(({ name }) => name);
}

/** A day on which everything happens that can be told of. */
async function aDay(): Promise<{ readonly told: readonly Told[] }> {
  const told: Told[] = [];
  const tell = (name: string, event: object): void => void told.push({ name, event });
  class Watching extends AsyncProvider {
    override beforeJobRun = (info: JobInfo): void => tell('beforeJobRun', info);
    override afterJobRun = (info: JobInfo): void => tell('afterJobRun', info);
    override afterJobException = (event: AttemptFailure): void => tell('afterJobException', event);
    override afterJobFailed = (event: TerminalFailure): void => tell('afterJobFailed', event);
  }
  const interceptor: Interceptor = Object.fromEntries(interceptionPoints.map((point) => [point, (event: object) => tell(point, event)]));
  let broken = true;
  const fails = defineJob({
    name: 'fails',
    maxAttempts: 2,
    handle: () => (broken ? Promise.reject(new Error('broken')) : 'mended'),
    onFailure: (_exception, { name }) => tell('onFailure', { name }),
  });
  const releases = defineJob({ name: 'releases', maxAttempts: 2, handle: (self) => (self.attempt === 1 ? self.release() : undefined) });
  const unique = defineJob({ name: 'unique', unique: () => 'one', handle: () => 1 });
  const config: RedriveConfig = {
    connections: { default: { provider: Watching } },
    workerPools: { main: { connection: 'default' } },
    jobs: [fails, releases, unique],
    interceptors: [interceptor],
    alerts: [{ name: 'any', when: { queue: 'default', job: 'fails', kind: 'exception', fingerprint: 'new' }, notify: () => undefined }],
    logFailedJobs: true,
    logger: new RecordingLogger(),
  };
  const redrive = await createRedrive(config);
  await redrive.start();
  const id = await redrive.dispatch(fails);
  await redrive.dispatch(releases);
  await redrive.idle();
  await redrive.cancel(await redrive.dispatch('cancelled', {}, { delay: '1h' }));
  await redrive.dispatch(unique, {}, { delay: '1h' });
  await redrive.dispatch(unique, {}, { delay: '1h' });
  broken = false;
  await redrive.failedJobs.retry(id);
  await redrive.idle();
  await redrive.stop();
  return { told };
}
