import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AsyncProvider } from '../../providers/async/index.ts';
import { createRedrive, type Redrive } from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';

let redrive: Redrive;

beforeAll(async () => {
  redrive = await createRedrive({
    connections: { main: { provider: AsyncProvider } },
    logFailedJobs: true,
    logger: new RecordingLogger(),
  });
});

afterAll(() => redrive.stop());

/** Every call that takes options, with bad ones in their place. */
const calls: Readonly<Record<string, (options: never) => unknown>> = {
  dispatch: (options) => redrive.dispatch('some.job', {}, options),
  dispatchMany: (options) => redrive.dispatchMany([{ job: 'some.job', options }]),
  status: (options) => redrive.status('some-id', options),
  cancel: (options) => redrive.cancel('some-id', 'reason', options),
  pause: (options) => redrive.pause('default', options),
  resume: (options) => redrive.resume('default', options),
  audit: (options) => redrive.audit(options),
  migrate: (options) => redrive.migrate(options),
  migrationPlan: (options) => redrive.migrationPlan(options),
  start: (options) => redrive.start(options),
  workOnce: (options) => redrive.workOnce(options),
  idle: (options) => redrive.idle(options),
  stop: (options) => redrive.stop(options),
  'failedJobs.list': (options) => redrive.failedJobs.list({}, options),
  'failedJobs.groups': (options) => redrive.failedJobs.groups({}, options),
  'failedJobs.retry': (options) => redrive.failedJobs.retry([1], options),
  'failedJobs.markFailed': (options) => redrive.failedJobs.markFailed(['some-id'], options),
  'failedJobs.resolve': (options) => redrive.failedJobs.resolve([1], options),
  'failedJobs.forget': (options) => redrive.failedJobs.forget([1], options),
};

describe.each(Object.entries(calls))('%s', (_name, call) => {
  it.each([null, 'fast', 5, [], { zzzzzz: 1 }])('refuses %j as its options, with a code and a word on what they are', async (options) => {
    const error: unknown = await Promise.resolve()
      .then(() => call(options as never))
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    expect(error).toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringMatching(/must be an object, not|no such option/) as string,
    });
  });
});

/** Every call that takes ids of jobs, with bad ones in their place. */
const byId: Readonly<Record<string, (id: never) => unknown>> = {
  status: (id) => redrive.status(id),
  cancel: (id) => redrive.cancel(id),
  'failedJobs.find': (id) => redrive.failedJobs.find(id),
  'failedJobs.retry': (id) => redrive.failedJobs.retry([id]),
  'failedJobs.markFailed': (id) => redrive.failedJobs.markFailed([id]),
  'failedJobs.resolve': (id) => redrive.failedJobs.resolve([id]),
  'failedJobs.forget': (id) => redrive.failedJobs.forget([id]),
};

describe.each(Object.entries(byId))('%s', (_name, call) => {
  it.each([undefined, null, '', ' ', {}, Number.NaN])('refuses %j as an id', async (id) => {
    await expect(call(id as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
  });
});
