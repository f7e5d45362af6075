import { AssertionError } from 'node:assert';
import { onTestFinished, describe, expect, it } from 'vitest';
import { createRedrive, defineJob, interceptionPoints, type InterceptionPoint, type Redrive } from 'redrive';
import { AsyncProvider } from 'redrive/providers/async';
import { createFakeRedrive, recordEvents, RecordingLogger } from 'redrive/testing';

const fails = defineJob({
  name: 'fails',
  maxAttempts: 2,
  handle: () => {
    throw new TypeError('no');
  },
});
const works = defineJob({ name: 'works', handle: () => 'done' });

async function setup() {
  const redrive = await createRedrive({
    connections: { main: { provider: AsyncProvider } },
    workerPools: { pool: { connection: 'main' } },
    jobs: [fails, works],
    logFailedJobs: true,
    logger: new RecordingLogger(),
  });
  onTestFinished(() => redrive.stop());
  return { redrive, events: recordEvents(redrive) };
}

async function failure(act: () => unknown): Promise<AssertionError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof AssertionError) return error;
    throw error;
  }
  return expect.fail('it held');
}

const lifeOfAFailure: readonly InterceptionPoint[] = [
  'onJobAdded',
  'onJobMarshalled',
  'onJobException',
  'onJobReleased',
  'onJobMarshalled',
  'onJobException',
  'onJobFailed',
];

describe('recordEvents', () => {
  it('records every point, in order', async () => {
    const { redrive, events } = await setup();
    const id = await redrive.dispatch(fails);
    await redrive.start();
    const { failedJobId, job } = await events.waitFor('onJobFailed');
    expect(job.id).toBe(id);
    expect((await redrive.failedJobs.find(failedJobId ?? -1))?.jobId).toBe(id);
    expect(events.points).toEqual(lifeOfAFailure);
    expect(events.at('onJobException').map(({ attempt, willRetry }) => [attempt, willRetry])).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(events.all.map(({ event }) => event.at instanceof Date)).toEqual(lifeOfAFailure.map(() => true));
  });

  it('listens at every point there is', () => {
    const heard: string[] = [];
    const on: Redrive['on'] = (point) => {
      heard.push(point);
      return () => undefined;
    };
    recordEvents({ on });
    expect(heard).toEqual(interceptionPoints);
  });

  it('refuses what is no Redrive', () => {
    expect(() => recordEvents(undefined as never)).toThrow('recordEvents takes a Redrive');
  });
});

describe('waitFor', () => {
  it('resolves with an event that was told before, and with one that is yet to come', async () => {
    const { redrive, events } = await setup();
    await redrive.dispatch(works);
    await events.waitFor('onJobAdded');
    const coming = events.waitFor('onJobComplete', ({ result }) => result === 'done');
    await redrive.start();
    expect((await coming).job.name).toBe('works');
    expect(await events.waitFor('onJobComplete')).toBe(await coming);
  });

  it('resolves with the first event for which the function holds', async () => {
    const { redrive, events } = await setup();
    await redrive.dispatch(fails);
    await redrive.start();
    expect((await events.waitFor('onJobException', ({ attempt }) => attempt === 2)).willRetry).toBe(false);
  });

  it('rejects after its timeout, and says what was told instead', async () => {
    const redrive = createFakeRedrive();
    const events = recordEvents(redrive);
    await redrive.dispatch(works);
    const error = await failure(() => events.waitFor('onJobFailed', () => true, { timeout: '10ms' }));
    expect(error.message).toBe('There was no onJobFailed within 10ms.\nTold:\n  1. onJobAdded works');
    expect(error.stack).toContain('event-recorder.test.ts');
    expect((await failure(() => events.waitFor('onJobAdded', () => false, { timeout: '10ms' }))).message).toContain(
      'There was no onJobAdded for which the function holds within 10ms.',
    );
  });

  it('rejects when the function throws, and when the recorder is stopped', async () => {
    const redrive = createFakeRedrive();
    const events = recordEvents(redrive);
    await redrive.dispatch(works);
    await expect(
      events.waitFor('onJobAdded', () => {
        throw new Error('mistake');
      }),
    ).rejects.toThrow('mistake');
    const waiting = failure(() => events.waitFor('onJobFailed'));
    events.stop();
    expect((await waiting).message).toContain('before the recorder was stopped');
  });

  it('refuses points that there are not, and timeouts that are none', async () => {
    const events = recordEvents(createFakeRedrive());
    await expect(events.waitFor('onJobFaild' as never)).rejects.toThrow(
      'There is no interception point "onJobFaild" (did you mean "onJobFailed"?)',
    );
    await expect(events.waitFor('onJobFailed', undefined, { timeout: 'soon' })).rejects.toThrow('timeout: "soon" is no duration');
    expect(() => events.at('failed' as never)).toThrow('points: onJobAdded');
  });
});

describe('assertEvents', () => {
  it('holds for exactly what was told, of all jobs or of one', async () => {
    const { redrive, events } = await setup();
    const id = await redrive.dispatch(fails);
    await redrive.dispatch(works);
    await redrive.start();
    await events.waitFor('onJobFailed');
    await events.waitFor('onJobComplete');
    const lifeOfASuccess: readonly InterceptionPoint[] = ['onJobAdded', 'onJobMarshalled', 'onJobComplete'];
    for (const job of [id, fails, 'fails']) events.assertEvents(lifeOfAFailure, { job });
    events.assertEvents(lifeOfASuccess, { job: works });
    await failure(() => events.assertEvents(lifeOfASuccess));
  });

  it('says where it differs, and what was told', async () => {
    const { redrive, events } = await setup();
    await redrive.dispatch(fails);
    await redrive.start();
    await events.waitFor('onJobFailed');
    const error = await failure(() => events.assertEvents(['onJobAdded', 'onJobMarshalled', 'onJobComplete']));
    expect(error.message).toBe(
      [
        'Event 3 is onJobException; expected onJobComplete.',
        'Told:',
        '  1. onJobAdded fails',
        '  2. onJobMarshalled fails, attempt 1',
        '  3. onJobException fails, attempt 1: TypeError: no',
        '  4. onJobReleased fails, attempt 1',
        '  5. onJobMarshalled fails, attempt 2',
        '  6. onJobException fails, attempt 2: TypeError: no',
        '  7. onJobFailed fails, attempt 2: TypeError: no',
      ].join('\n'),
    );
    expect([error.actual, error.expected]).toEqual([lifeOfAFailure, ['onJobAdded', 'onJobMarshalled', 'onJobComplete']]);
    expect((await failure(() => events.assertEvents([...lifeOfAFailure, 'onJobRetried']))).message).toContain(
      'Event 8 is missing; expected onJobRetried.',
    );
    expect((await failure(() => events.assertEvents(lifeOfAFailure.slice(0, -1)))).message).toContain(
      'Event 7 is onJobFailed; expected no more events.',
    );
  });

  it('begins anew after clear, and hears nothing after stop', async () => {
    const redrive = createFakeRedrive();
    const events = recordEvents(redrive);
    await redrive.dispatch(works);
    events.clear();
    events.assertEvents([]);
    await redrive.dispatch(works);
    events.stop();
    await redrive.dispatch(works);
    events.assertEvents(['onJobAdded']);
    expect((await failure(() => recordEvents(redrive).assertEvents(['onAlert']))).message).toContain('Nothing was told.');
  });
});
