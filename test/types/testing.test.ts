import { ContainerModule, inject } from 'inversify';
import { describe, expectTypeOf, it } from 'vitest';
import { defineJob, job, Job, Redrive, type FailedJob, type JobCompleteEvent, type JobFailedEvent, type JsonObject } from 'redrive';
import { createFakeRedrive, recordEvents, runJob, VirtualClock, type FakeRedrive, type JobRun } from 'redrive/testing';

// Checked by the compiler (npm run typecheck); nothing in here is run.

class Mailer {}

@job('emails.welcome')
class SendWelcomeEmail extends Job<{ userId: number; note?: string }> {
  constructor(@inject(Mailer) readonly mailer: Mailer) {
    super();
  }
  async handle(): Promise<{ messageId: string }> {
    return { messageId: 'x' };
  }
}

const count = defineJob({ name: 'count', handle: (self: Job<{ n?: number }>) => self.properties.n ?? 0 });

const never = (_act: () => unknown): void => undefined;

describe('runJob', () => {
  it('takes the properties of the job and returns the result of its handle', () => {
    never(async () => {
      const run = await runJob(SendWelcomeEmail, { userId: 1 }, { services: [[Mailer, {}]] });
      expectTypeOf(run).toEqualTypeOf<JobRun<{ messageId: string }>>();
      expectTypeOf(run.result).toEqualTypeOf<{ messageId: string } | undefined>();
      expectTypeOf(run.failedJob).toEqualTypeOf<FailedJob | undefined>();
      expectTypeOf((await runJob(count)).result).toEqualTypeOf<number | undefined>();
      await runJob(count, undefined, { attempts: 'all' });
    });
  });

  it('narrows by status', () => {
    never(async () => {
      const run = await runJob(count);
      if (run.status === 'successful') expectTypeOf(run.result).toEqualTypeOf<number>();
      if (run.status === 'failed') expectTypeOf(run.failedJob).toEqualTypeOf<FailedJob>();
      if (run.status === 'retrying' || run.status === 'released') expectTypeOf(run.retryAt).toEqualTypeOf<Date>();
    });
  });

  it('refuses wrong properties, missing ones, and what is no option', () => {
    never(async () => {
      // @ts-expect-error -- userId is a number
      await runJob(SendWelcomeEmail, { userId: 'x' });
      // @ts-expect-error -- properties are required
      await runJob(SendWelcomeEmail);
      // @ts-expect-error -- attempts is meant
      await runJob(count, {}, { atempts: 1 });
      // @ts-expect-error -- a name is no class
      await runJob('count', {});
    });
  });

  it('takes services as pairs, as a Map, as a module, or as a list of both', () => {
    never(async () => {
      const module = new ContainerModule(() => undefined);
      await runJob(
        count,
        {},
        {
          services: [
            [Mailer, { send: () => 1 }],
            ['token', 5],
            [Symbol('token'), null],
          ],
          clock: new VirtualClock(),
        },
      );
      await runJob(count, {}, { services: new Map<typeof Mailer, object>([[Mailer, {}]]) });
      await runJob(count, {}, { services: module });
      await runJob(count, {}, { services: [module, [Redrive, createFakeRedrive()]] });
    });
  });
});

describe('a fake Redrive', () => {
  it('stands wherever a Redrive does', () => {
    expectTypeOf<FakeRedrive>().toExtend<Redrive>();
  });

  it('types what was dispatched by the job', () => {
    never(() => {
      const redrive = createFakeRedrive();
      expectTypeOf(redrive.dispatched(SendWelcomeEmail)[0]?.properties).toEqualTypeOf<{ userId: number; note?: string } | undefined>();
      expectTypeOf(redrive.dispatched('by.name')[0]?.properties).toEqualTypeOf<JsonObject | undefined>();
      expectTypeOf(redrive.dispatched()[0]?.properties).toEqualTypeOf<JsonObject | undefined>();
      redrive.assertDispatched(SendWelcomeEmail, (properties, dispatched) => {
        expectTypeOf(properties).toEqualTypeOf<{ userId: number; note?: string }>();
        expectTypeOf(dispatched.properties).toEqualTypeOf<{ userId: number; note?: string }>();
        return properties.userId === 1;
      });
      redrive.assertDispatched('by.name', ({ userId }) => userId === 1, 2);
    });
  });

  it('refuses to dispatch, and to expect, properties that the job does not have', () => {
    never(() => {
      const redrive = createFakeRedrive();
      // @ts-expect-error -- properties are required
      void redrive.dispatch(SendWelcomeEmail);
      // @ts-expect-error -- userId is a number
      void redrive.dispatch(SendWelcomeEmail, { userId: 'x' });
      // @ts-expect-error -- userId is a number
      redrive.assertDispatched(SendWelcomeEmail, { userId: 'x' });
      // @ts-expect-error -- there is no such property
      redrive.assertNotDispatched(SendWelcomeEmail, { userId: 1, name: 'x' });
      // @ts-expect-error -- userId is missing
      redrive.assertDispatchedOn('high', SendWelcomeEmail, { note: 'x' });
      redrive.assertDispatchedOn('high', 'by.name', { anything: true });
    });
  });
});

describe('an event recorder', () => {
  it('types events by their point', () => {
    never(async () => {
      const events = recordEvents(createFakeRedrive());
      expectTypeOf(events.at('onJobFailed')).toEqualTypeOf<readonly JobFailedEvent[]>();
      expectTypeOf(events.waitFor('onJobComplete', ({ result }) => result === 1)).resolves.toEqualTypeOf<JobCompleteEvent>();
      const [first] = events.all;
      if (first?.point === 'onJobFailed') expectTypeOf(first.event).toEqualTypeOf<JobFailedEvent>();
      // @ts-expect-error -- onJobFailed is meant
      events.at('onJobFaild');
      // @ts-expect-error -- onJobFailed is meant
      events.assertEvents(['onJobFaild']);
    });
  });
});
