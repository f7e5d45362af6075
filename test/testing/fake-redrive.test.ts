import { AssertionError } from 'node:assert';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createRedrive, defineJob, errorCodes, isRedriveError, job, Job, Redrive, type DispatchOptions, type RedriveConfig } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';
import { createFakeRedrive, type FakeRedrive, recordEvents, RecordingLogger, VirtualClock } from 'redrive/testing';

@job('emails.welcome', { schema: z.object({ userId: z.number().positive(), tags: z.array(z.string()).optional() }) })
class SendWelcomeEmail extends Job<{ userId: number; tags?: string[] }> {
  handle(): never {
    throw new Error('a fake runs no job');
  }
}

const nightly = defineJob({ name: 'reports.nightly', handle: () => expect.fail('a fake runs no job') });

/** A service such as an app has. */
class SignUp {
  constructor(private readonly redrive: Redrive) {}
  async register(userId: number): Promise<string> {
    return this.redrive.job(SendWelcomeEmail, { userId }).onQueue('mails').delay('5m').dispatch();
  }
}

const setup = (config?: RedriveConfig): FakeRedrive => createFakeRedrive(config);

function failure(assertion: () => void): AssertionError {
  try {
    assertion();
  } catch (error) {
    if (error instanceof AssertionError) return error;
    throw error;
  }
  return expect.fail('the assertion held');
}

const refusal = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('it was taken'),
    (error: unknown) => (isRedriveError(error) ? { code: error.code, message: error.message } : error),
  );

describe('a fake Redrive', () => {
  it('is a Redrive, and remembers what a service dispatches', async () => {
    const redrive = setup();
    expect(redrive).toBeInstanceOf(Redrive);
    const id = await new SignUp(redrive).register(7);
    expect(redrive.dispatched(SendWelcomeEmail)).toEqual([
      {
        id,
        name: 'emails.welcome',
        properties: { userId: 7 },
        options: { queue: 'mails', delay: '5m' },
        connection: 'default',
        queue: 'mails',
      },
    ]);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it('remembers every way to dispatch, oldest first', async () => {
    const redrive = setup();
    const first = await redrive.dispatch(SendWelcomeEmail, { userId: 1 }, { priority: 2 });
    const second = await redrive.dispatch('by.name', { at: 'noon' });
    const [third, fourth] = await redrive.dispatchMany([{ job: nightly, options: { delay: '1h' } }, redrive.job('by.name').maxAttempts(3)]);
    const fifth = await redrive.dispatch(nightly);
    expect(redrive.dispatched().map(({ id, name, options }) => [id, name, options])).toEqual([
      [first, 'emails.welcome', { priority: 2 }],
      [second, 'by.name', {}],
      [third, 'reports.nightly', { delay: '1h' }],
      [fourth, 'by.name', { maxAttempts: 3 }],
      [fifth, 'reports.nightly', {}],
    ]);
    expect(redrive.dispatched('by.name').map(({ properties }) => properties)).toEqual([{ at: 'noon' }, {}]);
    expect(redrive.dispatched(nightly)).toHaveLength(2);
    expect(redrive.dispatched('nobody')).toEqual([]);
  });

  it('remembers the properties as they were, without fields that are undefined', async () => {
    const redrive = setup();
    const properties: { list: number[]; gone?: string | undefined } = { list: [1], gone: undefined };
    await redrive.dispatch('by.name', properties);
    properties.list.push(2);
    expect(redrive.dispatched()[0]?.properties).toStrictEqual({ list: [1] });
  });

  it('forgets what was dispatched when it is told to', async () => {
    const redrive = setup();
    await redrive.dispatch(nightly);
    redrive.clearDispatched();
    expect(redrive.dispatched()).toEqual([]);
    redrive.assertNothingDispatched();
  });

  it('gives out the id of the job that holds a unique key, and remembers only that job', async () => {
    const once = defineJob({
      name: 'once',
      unique: (properties: { n: number }) => String(properties.n),
      handle: (self: Job<{ n: number }>) => self.properties.n,
    });
    const redrive = setup();
    const id = await redrive.dispatch(once, { n: 1 }, { delay: 5 });
    expect(await redrive.dispatch(once, { n: 1 }, { delay: 9 })).toBe(id);
    expect(await redrive.dispatch(once, { n: 2 })).not.toBe(id);
    expect(redrive.dispatched(once).map(({ properties, options }) => [properties.n, options])).toEqual([
      [1, { delay: 5 }],
      [2, {}],
    ]);
  });

  it('takes a transaction, and does not wait for it', async () => {
    const redrive = setup();
    const transaction = { isTransaction: true } as unknown as NonNullable<DispatchOptions['transaction']>;
    await redrive.dispatch(nightly, {}, { transaction });
    expect(redrive.dispatched()[0]?.options.transaction).toBe(transaction);
  });

  it('answers like a Redrive whose jobs nobody takes up', async () => {
    const redrive = setup();
    const events = recordEvents(redrive);
    const id = await redrive.dispatch(nightly, { n: 1 }, { queue: 'late' });
    await redrive.start();
    expect(await redrive.workOnce()).toBe(false);
    expect(await redrive.idle()).toBe(true);
    expect(await redrive.status(id)).toMatchObject({ id, status: 'queued', queue: 'late', attempt: 0 });
    expect(await redrive.stats('late')).toMatchObject({ ready: 1 });
    expect((await redrive.health()).ok).toBe(true);
    expect(await redrive.cancel(id)).toBe('canceled');
    expect(await redrive.failedJobs.list()).toEqual({ items: [] });
    expect(await redrive.failedJobs.retry([id, 7])).toMatchObject({ requeued: 0 });
    events.assertEvents(['onJobAdded', 'onJobCancelled']);
    await redrive.stop();
    expect(await refusal(redrive.dispatch(nightly))).toMatchObject({ code: 'STOPPED' });
  });

  it('goes by the clock and the logger it is given', async () => {
    const logger = new RecordingLogger();
    const redrive = createFakeRedrive({}, { clock: new VirtualClock(), logger });
    const id = await redrive.dispatch(nightly);
    expect((await redrive.status(id))?.createdAt).toEqual(new Date('2026-01-01'));
    expect(logger.lines).toEqual([]);
  });
});

describe('a fake Redrive refuses what the real one does', () => {
  const config: RedriveConfig = {
    connections: {
      main: {
        provider: DatabaseProvider,
        properties: { client: 'better-sqlite3', connection: { filename: ':memory:' } },
        defaultQueue: 'inbox',
      },
      audit: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: ':memory:' } } },
    },
    workerPools: { pool: { connection: 'main', queues: ['inbox', 'mails'] } },
    jobs: [SendWelcomeEmail],
  };
  const attempts: readonly [string, (redrive: Redrive) => Promise<unknown>][] = [
    ['properties that the schema refuses', (redrive) => redrive.dispatch(SendWelcomeEmail, { userId: -1 })],
    ['the same by name', (redrive) => redrive.dispatch('emails.welcome', { userId: -1 })],
    ['properties that JSON cannot carry', (redrive) => redrive.dispatch('x', { at: new Date(0) })],
    ['an option it does not know', (redrive) => redrive.dispatch('x', {}, { quue: 'mails' } as object)],
    ['a delay that is none', (redrive) => redrive.job('x').delay('soon').dispatch()],
    ['a backoff function', (redrive) => redrive.dispatch('x', {}, { backoff: () => 1 })],
    ['a queue that no pool serves', (redrive) => redrive.dispatch('x', {}, { queue: 'mail' })],
    ['a connection it does not have', (redrive) => redrive.dispatch('x', {}, { connection: 'audti' })],
    ['a class that is no job', (redrive) => redrive.dispatch(class Nothing {} as never)],
    ['a bad entry of a list', (redrive) => redrive.dispatchMany([{ job: 'x' }, { job: 'x', properties: { n: 1n } }])],
  ];

  it.each(attempts)('%s, in the same words', async (_, act) => {
    const fake = setup(config);
    const real = await createRedrive(config, { logger: new RecordingLogger() });
    const refused = await refusal(act(fake));
    expect(refused).toEqual(await refusal(act(real)));
    expect(errorCodes).toHaveProperty((refused as { code: string }).code);
    fake.assertNothingDispatched();
    await real.stop();
  });

  it('and knows the default connection and queue of its config', async () => {
    const redrive = setup(config);
    await redrive.dispatch(nightly);
    await redrive.dispatch(nightly, {}, { connection: 'audit' });
    expect(redrive.dispatched().map(({ connection, queue }) => [connection, queue])).toEqual([
      ['main', 'inbox'],
      ['audit', 'default'],
    ]);
  });

  it('a config with faults', () => {
    expect(() => setup({ conections: {} } as object)).toThrow('did you mean "connections"?');
  });

  it('to look at failed jobs while the log is off in its config', async () => {
    expect(await refusal(setup(config).failedJobs.list())).toMatchObject({ code: 'FAILED_JOBS_OFF' });
    expect(
      await setup({ ...config, logFailedJobs: true, logFailedJobsProperties: { datasource: { client: 'pg' } } }).failedJobs.count(),
    ).toBe(0);
  });

  it('and without a config takes any connection and any queue', async () => {
    const redrive = setup();
    await redrive.dispatch(nightly, {}, { connection: 'anywhere', queue: 'any' });
    redrive.assertDispatchedOn('any', nightly);
    expect((await redrive.stats()).map(({ queue }) => queue)).toEqual(['any']);
  });
});

describe('the assertions of a fake Redrive', () => {
  async function dispatched(): Promise<FakeRedrive> {
    const redrive = setup();
    await redrive.dispatch(SendWelcomeEmail, { userId: 1 });
    await redrive.dispatch(SendWelcomeEmail, { userId: 2, tags: ['new'] }, { queue: 'mails', delay: '5m' });
    await redrive.dispatch(nightly, { day: 'monday' });
    return redrive;
  }

  it('hold for what was dispatched', async () => {
    const redrive = await dispatched();
    redrive.assertDispatched(SendWelcomeEmail);
    redrive.assertDispatched('emails.welcome', { userId: 1 });
    redrive.assertDispatched(SendWelcomeEmail, { userId: 2, tags: ['new'] }, 1);
    redrive.assertDispatched(SendWelcomeEmail, { userId: 1, tags: undefined });
    redrive.assertDispatched(SendWelcomeEmail, { userId: expect.any(Number), tags: expect.arrayContaining(['new']) });
    redrive.assertDispatched(SendWelcomeEmail, ({ userId }) => userId > 0, 2);
    redrive.assertDispatched(SendWelcomeEmail, (_, { options }) => options.delay === '5m', 1);
    redrive.assertDispatchedTimes(SendWelcomeEmail, 2);
    redrive.assertDispatchedTimes('nobody', 0);
    redrive.assertDispatchedOn('mails', SendWelcomeEmail);
    redrive.assertDispatchedOn('default', 'emails.welcome', { userId: 1 });
    redrive.assertNotDispatched('nobody');
    redrive.assertNotDispatched(SendWelcomeEmail, { userId: 3 });
    redrive.assertNotDispatched(SendWelcomeEmail, ({ userId }) => userId > 2);
    setup().assertNothingDispatched();
  });

  it('say what was dispatched, and what is different about it', async () => {
    const redrive = await dispatched();
    const error = failure(() => redrive.assertDispatched(SendWelcomeEmail, { userId: 2, tags: ['old'] }));
    expect(error.message).toBe(
      [
        'Expected job "emails.welcome" with { userId: 2, tags: [ \'old\' ] } to be dispatched.',
        'Dispatched:',
        '  1. emails.welcome { userId: 1 } on default/default',
        '       properties.userId is 1; expected 2',
        "       properties.tags is missing; expected [ 'old' ]",
        "  2. emails.welcome { userId: 2, tags: [ 'new' ] } on default/mails { delay: '5m' }",
        "       properties.tags[0] is 'new'; expected 'old'",
        "  3. reports.nightly { day: 'monday' } on default/default",
      ].join('\n'),
    );
    // The nearest one, for a runner that shows a diff of its own.
    expect([error.actual, error.expected, error.operator]).toEqual([
      { userId: 2, tags: ['new'] },
      { userId: 2, tags: ['old'] },
      'assertDispatched',
    ]);
  });

  it('begin their stack where they are called', async () => {
    const redrive = await dispatched();
    expect(
      failure(() => redrive.assertNotDispatched(nightly))
        .stack?.split('\n')
        .find((line) => line.includes('    at ')),
    ).toContain('fake-redrive.test.ts');
  });

  it.each<[string, (redrive: FakeRedrive) => void, string]>([
    [
      'assertDispatched',
      (redrive) => redrive.assertDispatched('emails.welcom'),
      'Expected job "emails.welcom" to be dispatched (did you mean "emails.welcome"?).\nDispatched:\n  1. emails.welcome',
    ],
    [
      'assertDispatched with a number of times',
      (redrive) => redrive.assertDispatched(SendWelcomeEmail, { userId: 1 }, 2),
      'Expected job "emails.welcome" with { userId: 1 } to be dispatched 2 times; it was dispatched once.',
    ],
    [
      'assertDispatched with a function',
      (redrive) => redrive.assertDispatched(SendWelcomeEmail, () => false),
      'with properties that the given function takes to be dispatched.\nDispatched:\n  1. emails.welcome { userId: 1 } on default/default\n       properties are refused by the function that was given',
    ],
    [
      'assertDispatched with a matcher',
      (redrive) => redrive.assertDispatched(nightly, { day: expect.stringMatching(/^tues/) }),
      'with { day: StringMatching</^tues/> } to be dispatched.',
    ],
    [
      'assertDispatchedTimes',
      (redrive) => redrive.assertDispatchedTimes(nightly, 3),
      'Expected job "reports.nightly" to be dispatched 3 times; it was dispatched once.',
    ],
    [
      'assertDispatchedOn',
      (redrive) => redrive.assertDispatchedOn('low', nightly),
      'Expected job "reports.nightly" on queue "low" to be dispatched.\nDispatched:\n  1. emails.welcome { userId: 1 } on default/default\n',
    ],
    [
      'assertDispatchedOn, of the job itself',
      (redrive) => redrive.assertDispatchedOn('low', nightly),
      "  3. reports.nightly { day: 'monday' } on default/default\n       queue is 'default'; expected 'low'",
    ],
    [
      'assertNotDispatched',
      (redrive) => redrive.assertNotDispatched(SendWelcomeEmail),
      'Expected job "emails.welcome" not to be dispatched; it was dispatched 2 times.',
    ],
    [
      'assertNothingDispatched',
      (redrive) => redrive.assertNothingDispatched(),
      'Expected nothing to be dispatched.\nDispatched:\n  1. emails.welcome',
    ],
    [
      'assertDispatched of nothing',
      () => setup().assertDispatched(nightly),
      'Expected job "reports.nightly" to be dispatched.\nNothing was dispatched.',
    ],
  ])('%s fails with a message that shows it', async (_, assertion, text) => {
    const redrive = await dispatched();
    expect(failure(() => assertion(redrive)).message).toContain(text);
  });

  it('list no more jobs, and no more of each, than one can read', async () => {
    const redrive = setup();
    await redrive.dispatchMany(Array.from({ length: 30 }, (_, n) => ({ job: nightly, properties: { n, text: 'x'.repeat(10_000) } })));
    const { message } = failure(() => redrive.assertNotDispatched(nightly));
    expect(message).toContain('... and 10 more');
    expect(message.length).toBeLessThan(10_000);
  });

  it.each<[string, (redrive: FakeRedrive) => void, string]>([
    [
      'a number for properties',
      (redrive) => redrive.assertDispatched(nightly, 2 as never),
      'to count jobs use assertDispatchedTimes(job, times)',
    ],
    ['half a time', (redrive) => redrive.assertDispatchedTimes(nightly, 0.5), 'times: must be an integer'],
    ['a class that is no job', (redrive) => redrive.assertDispatched(class Nothing {} as never), 'Class Nothing is no job'],
  ])('refuse %s', (_, act, text) => {
    expect(() => act(setup())).toThrow(text);
  });
});
