import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/config/resolve.ts';
import { defineJob, job, type JobOptions } from '../../src/job/define.ts';
import { Job } from '../../src/job/job.ts';
import { faultsOf } from './faults-of.ts';

function jobWith(options: object): unknown {
  return { jobs: [defineJob({ name: 'ping', handle: () => {}, ...(options as JobOptions) })] };
}

describe('faults of jobs', () => {
  @job('emails.welcome')
  class SendWelcomeEmail extends Job {
    handle(): void {}
  }

  it.each([
    ['SendWelcomeEmail', 'is a service identifier; pass the job class itself'],
    [Symbol('job'), 'is a service identifier; pass the job class itself'],
    [new SendWelcomeEmail(), 'is an instance (a SendWelcomeEmail); each attempt needs a fresh object, so pass the class'],
    [() => {}, 'is a function, which is no class; write defineJob({ name, handle }) to make a job of a function'],
    [undefined, 'is undefined; pass a job class (a class is undefined where imports run in a circle)'],
    [null, 'is null; pass a job class'],
    [
      class Nameless extends Job {
        handle(): void {}
      },
      "the class Nameless has no name of its own; add @job('name') above it",
    ],
    [class Heir extends SendWelcomeEmail {}, "the class Heir has no name of its own; add @job('name') above it"],
  ])('%#: an entry that is no named class', (entry, fault) => {
    expect(faultsOf({ jobs: [entry] })).toEqual([`jobs[0]: ${fault}`]);
  });

  it('a class without handle', () => {
    class Idle {
      run(): void {}
    }
    job('idle')(Idle as never);
    expect(faultsOf({ jobs: [Idle] })).toEqual(['jobs[0]: the class Idle has no handle method; write one: async handle() { ... }']);
  });

  it('a class whose handle is a field is fine', () => {
    @job('arrow')
    class Arrow extends Job {
      handle = async (): Promise<void> => {};
    }
    expect(resolveConfig({ jobs: [Arrow] }, {}).jobs).toEqual([Arrow]);
  });

  it('a job registered twice', () => {
    @job('emails.welcome')
    class Other extends Job {
      handle(): void {}
    }
    expect(faultsOf({ jobs: [SendWelcomeEmail, Other, SendWelcomeEmail] })).toEqual([
      'jobs[1]: the class Other has the name "emails.welcome" of the class SendWelcomeEmail (jobs[0]); give it another',
      'jobs[2]: the class SendWelcomeEmail is listed twice (see jobs[0]); remove one',
    ]);
  });

  it('a list that is none', () => {
    expect(faultsOf({ jobs: SendWelcomeEmail })).toEqual([
      'jobs: must be a list of job classes, such as [SendWelcomeEmail], not the class SendWelcomeEmail',
    ]);
  });

  it.each([
    [{ maxAttempts: 1.5 }, ['maxAttempts: must be a whole number of at least 0 (0: no limit), not 1.5']],
    [{ maxAttempts: '3' }, ['maxAttempts: must be a whole number of at least 0 (0: no limit), not "3"']],
    [
      { timeout: -1 },
      ['timeout: must be a duration (seconds as a number, or a string such as "250ms", "30s", "5m", "2h" or "7d"), not -1'],
    ],
    [{ backoff: null }, ['backoff: must be a duration, a list of durations, exponential(), linear(), constant(), or a function, not null']],
    [{ failOn: TypeError }, ['failOn: must be a list of error classes, such as [TypeError], not the function TypeError']],
    [
      { failOn: [TypeError, 'RangeError', () => true] },
      ['failOn[1]: must be an error class, not a string', 'failOn[2]: must be an error class, not a function'],
    ],
    [{ markAsFailed: 1 }, ['markAsFailed: must be true or false, not 1']],
    [{ retryOn: TypeError }, ['retryOn: must be a list of error classes, such as [TypeError], not the function TypeError']],
    [{ unique: true }, ['unique: must be a function of the properties that returns a key, or { key, scope }, not a boolean']],
    [
      { unique: { key: 'id', scope: 'alive', scop: 1 } },
      [
        'unique.key: must be a function of the properties that returns a string',
        'unique.scope: must be one of queued, live, failed',
        'unique.scop: unknown key (did you mean "scope"?)',
      ],
    ],
    [{ isolate: 'thread' }, ['isolate: is not available in this version; remove it']],
    [{ schema: { '~standard': {} } }, ['schema: must be a Standard Schema, such as one of zod, valibot or arktype, not an object']],
  ])('%#: an option', (options: object, expected: string[]) => {
    expect(faultsOf(jobWith(options))).toEqual(expected.map((fault) => `jobs[0].${fault}, in the options of the job "ping"`));
  });

  it('a hook among the options of @job', () => {
    @job('ping', { onFailure() {} } as JobOptions)
    class Ping extends Job {
      handle(): void {}
    }
    expect(faultsOf({ jobs: [Ping] })).toEqual([
      'jobs[0].onFailure: is a method of the job class, not an option, in the options of the job "ping"',
    ]);
  });

  it('options that are undefined are not set', () => {
    expect(resolveConfig(jobWith({ maxAttempts: undefined, retryOn: undefined }), {}).jobs).toHaveLength(1);
  });
});
