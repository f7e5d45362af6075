import { describe, expectTypeOf, it } from 'vitest';
import { inject } from 'inversify';
import {
  defineJob,
  job,
  Job,
  type DispatchOptions,
  type JobArguments,
  type JobClass,
  type Json,
  type JsonObject,
  type PendingJob,
  type PropertiesOf,
  type Redrive,
} from 'redrive';

// Checked by the compiler (npm run typecheck); nothing in here is run.

class Mailer {}

@job('emails.welcome')
class SendWelcomeEmail extends Job<{ userId: number; note?: string }> {
  constructor(@inject(Mailer) readonly mailer: Mailer) {
    super();
  }
  async handle(): Promise<string> {
    return 'sent';
  }
}

@job('reports.nightly')
class Nightly extends Job<{ day?: string }> {
  handle(): number {
    return 1;
  }
}

@job('ping')
class Ping extends Job {
  handle(): void {}
}

interface Order {
  readonly id: number;
}

@job('orders.ship')
class Ship extends Job<Order> {
  handle(): void {}
}

function using(_use: (redrive: Redrive) => unknown): void {}

describe('dispatch', () => {
  it('takes the properties of the job class', () => {
    using((redrive) => {
      expectTypeOf(redrive.dispatch(SendWelcomeEmail, { userId: 1 })).resolves.toEqualTypeOf<string>();
      void redrive.dispatch(SendWelcomeEmail, { userId: 1, note: 'x' }, { queue: 'high', delay: '5m' });
      void redrive.dispatch(Ship, { id: 1 });
    });
  });

  it('refuses properties that are wrong, missing or unknown', () => {
    using((redrive) => {
      // @ts-expect-error -- userId is a number
      void redrive.dispatch(SendWelcomeEmail, { userId: 'x' });
      // @ts-expect-error -- userId is missing
      void redrive.dispatch(SendWelcomeEmail, { note: 'x' });
      // @ts-expect-error -- there is no such property
      void redrive.dispatch(SendWelcomeEmail, { userId: 1, nota: 'x' });
      // @ts-expect-error -- properties are required
      void redrive.dispatch(SendWelcomeEmail);
      // @ts-expect-error -- properties are required
      void redrive.dispatch(SendWelcomeEmail, undefined, { queue: 'high' });
      // @ts-expect-error -- a job without a type of its own takes JSON
      void redrive.dispatch(Ping, { at: new Date() });
    });
  });

  it('needs no properties where none is required', () => {
    using((redrive) => {
      void redrive.dispatch(Nightly);
      void redrive.dispatch(Nightly, {});
      void redrive.dispatch(Nightly, undefined, { queue: 'low' });
      void redrive.dispatch(Ping);
      void redrive.dispatch(Ping, { anything: [1, null] });
    });
  });

  it('takes any object by name', () => {
    using((redrive) => {
      void redrive.dispatch('emails.welcome');
      void redrive.dispatch('emails.welcome', { userId: 'anything', at: new Date() }, { maxAttempts: 3 });
      // @ts-expect-error -- no object
      void redrive.dispatch('emails.welcome', 5);
    });
  });

  it('refuses options it does not know', () => {
    using((redrive) => {
      // @ts-expect-error -- there is no such option
      void redrive.dispatch(Nightly, {}, { quue: 'high' });
      // @ts-expect-error -- a class that is no job
      void redrive.dispatch(Mailer, {});
      // @ts-expect-error -- an instance is no job class
      void redrive.dispatch(new Ping());
    });
  });

  it('can be wrapped by a function that knows no more of the job than its caller', () => {
    using((redrive) => {
      const later = <J extends JobClass>(jobClass: J, properties: PropertiesOf<J>): Promise<string> =>
        redrive.dispatch(jobClass, properties, { delay: '1h' });
      const soon = <J extends JobClass>(jobClass: J, ...given: JobArguments<J, [options?: DispatchOptions]>): Promise<string> =>
        redrive.dispatch(jobClass, ...given);
      const either = (what: JobClass | string, properties: object): Promise<string> => redrive.dispatch(what, properties);
      void later(SendWelcomeEmail, { userId: 1 });
      void soon(Nightly);
      void either('ping', {});
      // @ts-expect-error -- userId is a number
      void later(SendWelcomeEmail, { userId: 'x' });
      // @ts-expect-error -- properties are required
      void soon(SendWelcomeEmail);
    });
  });
});

describe('job', () => {
  it('takes the properties of the job class, and requires them where one is required', () => {
    using((redrive) => {
      expectTypeOf(redrive.job(SendWelcomeEmail, { userId: 1 })).toEqualTypeOf<PendingJob>();
      redrive.job(Nightly);
      redrive.job('ping', { at: new Date() });
      // @ts-expect-error -- properties are required
      redrive.job(SendWelcomeEmail);
      // @ts-expect-error -- userId is a number
      redrive.job(SendWelcomeEmail, { userId: 'x' });
    });
  });
});

describe('PropertiesOf', () => {
  it('are those that the class works on', () => {
    expectTypeOf<PropertiesOf<typeof SendWelcomeEmail>>().toEqualTypeOf<{ userId: number; note?: string }>();
    expectTypeOf<PropertiesOf<typeof Ship>>().toEqualTypeOf<Order>();
    expectTypeOf<PropertiesOf<typeof Ping>>().toEqualTypeOf<JsonObject>();
    expectTypeOf<PropertiesOf<typeof Mailer>>().toEqualTypeOf<never>();
  });

  it('are what the job sees as its own', () => {
    expectTypeOf<InstanceType<typeof SendWelcomeEmail>['properties']>().toEqualTypeOf<{ userId: number; note?: string }>();
    expectTypeOf<InstanceType<typeof Ping>['properties'][string]>().toEqualTypeOf<Json>();
  });
});

describe('a job class', () => {
  it('may inject what it likes, and stands wherever a job class is asked for', () => {
    expectTypeOf<typeof SendWelcomeEmail>().toExtend<JobClass>();
    expectTypeOf<typeof SendWelcomeEmail>().toExtend<JobClass<{ userId: number; note?: string }>>();
    expectTypeOf<typeof Mailer>().not.toExtend<JobClass>();
  });
});

describe('defineJob', () => {
  it('infers the properties from the parameter of its handler, and the result from what that returns', () => {
    const fetchPage = defineJob({ name: 'pages.fetch', handle: async (self: Job<{ url: string }>) => self.properties.url.length });
    expectTypeOf(fetchPage).toEqualTypeOf<JobClass<{ url: string }, number>>();
    using((redrive) => {
      void redrive.dispatch(fetchPage, { url: 'x' });
      // @ts-expect-error -- url is a string
      void redrive.dispatch(fetchPage, { url: 1 });
      // @ts-expect-error -- properties are required
      void redrive.dispatch(fetchPage);
    });
  });

  it('gives the hooks the same job, and after the result', () => {
    defineJob({
      name: 'pages.fetch',
      before: (self) => expectTypeOf(self.properties).toEqualTypeOf<{ url: string }>(),
      handle: async (self: Job<{ url: string }>) => self.properties.url.length,
      after: (result, self) => {
        expectTypeOf(result).toEqualTypeOf<number>();
        expectTypeOf(self.properties).toEqualTypeOf<{ url: string }>();
      },
      onFailure: (exception, self) => {
        expectTypeOf(exception).toEqualTypeOf<unknown>();
        expectTypeOf(self.properties.url).toEqualTypeOf<string>();
      },
    });
  });

  it('works on any JSON where the handler says nothing', () => {
    const loose = defineJob({ name: 'loose', handle: (self) => self.attempt });
    expectTypeOf(loose).toEqualTypeOf<JobClass<JsonObject, number>>();
    const explicit = defineJob<{ url: string }>({ name: 'explicit', handle: (self) => self.properties.url });
    expectTypeOf<PropertiesOf<typeof explicit>>().toEqualTypeOf<{ url: string }>();
  });
});
