import { inject } from 'inversify';
import { defineJob, exponential, Job, job, RetryAfter, type DefineJobSpec, type JobClass } from 'redrive';
import { refused, refusedAtStart, thrown, type Mistake } from './mistake.ts';

@job('emails.welcome')
class Welcome extends Job {
  handle(): void {}
}

@job('emails.welcome')
class AnotherWelcome extends Job {
  handle(): void {}
}

class Unnamed extends Job {
  handle(): void {}
}

abstract class WithoutHandle extends Job {}
job('reports.nightly')(WithoutHandle as unknown as JobClass);

@job('emails.reminder')
class Reminder extends Job {
  constructor(@inject('Calendar') readonly calendar: unknown) {
    super();
  }
  handle(): void {}
}

@job('emails.invoice')
class Hasty extends Job<{ userId: number }> {
  readonly userId = this.properties.userId;
  handle(): void {}
}

const withOptions = (options: object): Mistake => refused({ jobs: [defineJob({ name: 'emails.welcome', handle: () => 1, ...options })] });

/** Mistakes in jobs and their options. */
export const jobMistakes: Readonly<Record<string, Mistake>> = {
  'job-without-decorator': refused({ jobs: [Unnamed] }),
  'job-without-handle': refused({ jobs: [WithoutHandle] }),
  'job-twice': refused({ jobs: [Welcome, Welcome] }),
  'job-name-taken': refused({ jobs: [Welcome, AnotherWelcome] }),
  'job-instance': refused({ jobs: [new Welcome()] }),
  'job-function': refused({ jobs: [async function sendWelcome() {}] }),
  'job-undefined': refused({ jobs: [undefined] }),
  'job-not-in-a-list': refused({ jobs: Welcome }),
  'job-without-a-name': () => thrown(() => job('')(Unnamed)),
  'define-nothing': () => thrown(() => (defineJob as () => unknown)()),
  'define-job-without-name': () => thrown(() => defineJob({ handle: () => 1 } as never)),
  'define-job-without-handle': () => thrown(() => defineJob({ name: 'ping' } as unknown as DefineJobSpec<object, unknown>)),
  'unknown-job-option': withOptions({ maxAttemps: 3 }),
  'hook-as-option': refused({ jobs: [withHookAsOption()] }),
  'fail-on-a-name': withOptions({ failOn: ['TypeError'] }),
  'no-standard-schema': withOptions({ schema: { userId: 'number' } }),
  isolate: withOptions({ isolate: 'thread' }),
  'growing-slower': () => thrown(() => exponential({ factor: 0.5 })),
  'retry-after-nothing': () => thrown(() => new RetryAfter('soon')),
  'unbound-service': refusedAtStart({ jobs: [Reminder] }),
  'properties-in-constructor': refusedAtStart({ jobs: [Hasty] }),
};

function withHookAsOption(): unknown {
  @job('emails.hasty', { onFailure: () => undefined } as object)
  class Hooked extends Job {
    handle(): void {}
  }
  return Hooked;
}
