import { ContainerModule, inject, injectable } from 'inversify';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  ClockToken,
  defineJob,
  exponential,
  FailedJobs,
  InterceptorToken,
  isRedriveError,
  job,
  Job,
  jobPattern,
  Redrive,
  RetryAfter,
  Unrecoverable,
  type Clock,
  type Interceptor,
  type JobFailedEvent,
} from 'redrive';
import { createFakeRedrive, runJob, VirtualClock, type RunJobOptions } from 'redrive/testing';

class Mailer {
  async welcome(userId: number): Promise<string> {
    throw new Error(`the real mailer was asked to write to ${userId}`);
  }
}

@job('emails.welcome', { maxAttempts: 3, backoff: ['1m', '1h'] })
class SendWelcomeEmail extends Job<{ userId: number }> {
  constructor(@inject(Mailer) private readonly mailer: Mailer) {
    super();
  }

  async handle(): Promise<string> {
    return this.mailer.welcome(this.properties.userId);
  }
}

function setup(outcomes: readonly (string | Error)[] = ['sent']) {
  const left = [...outcomes];
  const mailer = {
    asked: [] as number[],
    async welcome(userId: number): Promise<string> {
      this.asked.push(userId);
      const outcome = left.length > 1 ? left.shift() : left[0];
      if (outcome instanceof Error) throw outcome;
      return outcome ?? '';
    },
  };
  return { mailer, services: [[Mailer, mailer]] as const };
}

const rejection = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail('it did not reject'),
    (error: unknown) => error as Error,
  );

describe('runJob', () => {
  it('runs a job with the services it is given, and returns what it returned', async () => {
    const { mailer, services } = setup();
    const run = await runJob(SendWelcomeEmail, { userId: 7 }, { services });
    expect(run).toMatchObject({ status: 'successful', result: 'sent', logs: [] });
    expect([run.exception, run.failedJob, run.retryAt]).toEqual([undefined, undefined, undefined]);
    expect(run.attempts).toEqual([
      { attempt: 1, status: 'successful', startedAt: new Date('2026-01-01'), endedAt: new Date('2026-01-01'), result: 'sent' },
    ]);
    expect(mailer.asked).toEqual([7]);
  });

  it('tries again until it succeeds, and moves the clock through each backoff', async () => {
    const clock = new VirtualClock();
    const { services } = setup([new Error('down'), new Error('still down'), 'sent']);
    const run = await runJob(SendWelcomeEmail, { userId: 7 }, { services, clock });
    expect(run.status).toBe('successful');
    expect(run.attempts.map(({ attempt, status, rule, waitMs }) => [attempt, status, rule, waitMs])).toEqual([
      [1, 'exception', 'attempts-left', 60_000],
      [2, 'exception', 'attempts-left', 3_600_000],
      [3, 'successful', undefined, undefined],
    ]);
    expect(new Date(clock.now())).toEqual(new Date('2026-01-01T01:01:00Z'));
  });

  it('returns the failed job, with every attempt, and the very exception', async () => {
    const declined = new Error('no such mailbox');
    const run = await runJob(SendWelcomeEmail, { userId: 7 }, { services: setup([new Error('down'), declined]).services });
    expect(run.status).toBe('failed');
    expect(run.exception).toBe(declined);
    expect(run.failedJob).toMatchObject({
      jobId: run.id,
      job: 'emails.welcome',
      kind: 'exception',
      message: 'no such mailbox',
      attempts: 3,
      properties: { userId: 7 },
    });
    expect(run.failedJob?.history?.map(({ attempt, rule }) => [attempt, rule])).toEqual([
      [1, 'attempts-left'],
      [2, 'attempts-left'],
      [3, 'max-attempts'],
    ]);
  });

  it('stops after the attempts it is to run, and says when the next one would begin', async () => {
    const run = await runJob(SendWelcomeEmail, { userId: 7 }, { services: setup([new Error('down')]).services, attempts: 1 });
    expect(run).toMatchObject({ status: 'retrying', retryAt: new Date('2026-01-01T00:01:00Z') });
    expect(run.exception).toEqual(new Error('down'));
    expect(run.attempts).toHaveLength(1);
    expect(
      (await runJob(SendWelcomeEmail, { userId: 7 }, { services: setup([new Error('down')]).services, attempts: 2 })).attempts,
    ).toHaveLength(2);
  });

  it('says of a job that put itself back that it was released', async () => {
    const releases = defineJob({ name: 'releases', maxAttempts: 2, handle: (self) => self.release('10s') });
    const run = await runJob(releases, {}, { attempts: 1 });
    expect(run).toMatchObject({ status: 'released', retryAt: new Date('2026-01-01T00:00:10Z') });
    expect(run.exception).toBeUndefined();
    expect(run.attempts).toMatchObject([{ status: 'released', rule: 'released', waitMs: 10_000 }]);
    const whole = await runJob(releases);
    expect(whole.status).toBe('failed');
    expect(whole.failedJob).toMatchObject({ kind: 'released', attempts: 2, exception: { code: 'MAX_ATTEMPTS_REACHED' } });
  });

  it.each<[string, (self: Job) => void, { readonly rule: string; readonly kind: string }]>([
    [
      'Unrecoverable',
      () => {
        throw new Unrecoverable('never');
      },
      { rule: 'unrecoverable', kind: 'exception' },
    ],
    ['fail()', (self) => self.fail('enough'), { rule: 'fail', kind: 'exception' }],
    ['cancel()', (self) => self.cancel('no longer wanted'), { rule: 'cancelled', kind: 'cancelled' }],
  ])('ends at once on %s, by the rule that a worker goes by', async (_, act, expected) => {
    const run = await runJob(defineJob({ name: 'ends', maxAttempts: 5, handle: act }));
    expect(run).toMatchObject({ status: 'failed', attempts: [expected], failedJob: { kind: expected.kind } });
  });

  it('takes the options of a dispatch, which win over those of the job', async () => {
    const seen: unknown[] = [];
    const probe = defineJob({
      name: 'probe',
      maxAttempts: 5,
      backoff: '1h',
      handle: (self) => {
        seen.push([self.attempt, self.maxAttempts, self.queue]);
        throw new Error('no');
      },
    });
    const run = await runJob(probe, {}, { maxAttempts: 2, backoff: '1s', queue: 'high', delay: '5m', priority: 3 });
    expect(seen).toEqual([
      [1, 2, 'high'],
      [2, 2, 'high'],
    ]);
    expect(run.attempts.map(({ startedAt }) => startedAt?.toISOString())).toEqual(['2026-01-01T00:05:00.000Z', '2026-01-01T00:05:01.000Z']);
  });

  it('takes what a config says where the job says nothing', async () => {
    const silent = defineJob({
      name: 'silent',
      handle: () => {
        throw new Error('no');
      },
    });
    expect((await runJob(silent)).attempts).toHaveLength(1);
    const run = await runJob(silent, {}, { defaultWorkerMaxAttempts: 4, defaultWorkerBackoff: exponential({ base: '1s' }), release: 'v7' });
    expect(run.attempts.map(({ waitMs }) => waitMs)).toEqual([1_000, 2_000, 4_000, undefined]);
    expect(run.failedJob?.release).toBe('v7');
  });

  it('redacts what is recorded', async () => {
    const leaks = defineJob({
      name: 'leaks',
      handle: (self: Job<{ token: string }>) => {
        throw new Error(`bad token ${self.properties.token}`);
      },
    });
    const run = await runJob(leaks, { token: 'hunter2-hunter2' }, { redact: ['properties.token'] });
    expect(JSON.stringify([run.failedJob, run.logs])).not.toContain('hunter2');
  });

  it('hands the job its own copy of the properties, each attempt', async () => {
    const seen: unknown[] = [];
    const mutates = defineJob({
      name: 'mutates',
      maxAttempts: 2,
      handle: (self: Job<{ list: number[] }>) => {
        seen.push([...self.properties.list]);
        self.properties.list.push(2);
        throw new Error('again');
      },
    });
    const properties = { list: [1] };
    await runJob(mutates, properties);
    expect([seen, properties]).toEqual([[[1], [1]], { list: [1] }]);
  });

  it('runs before, after and onFailure as a worker does', async () => {
    const order: string[] = [];
    const hooked = defineJob({
      name: 'hooked',
      maxAttempts: 2,
      before: () => void order.push('before'),
      handle: (self) => {
        order.push('handle');
        if (self.attempt === 1) throw new Error('no');
        return 5;
      },
      after: (result) => {
        order.push(`after ${result}`);
        throw new Error('after');
      },
      onFailure: (exception) => void order.push(`onFailure ${(exception as Error).message}`),
    });
    expect((await runJob(hooked)).status).toBe('failed');
    expect(order).toEqual(['before', 'handle', 'before', 'handle', 'after 5', 'onFailure after']);
  });

  it('records the events of the whole life, and what the job logged', async () => {
    const logs = defineJob({
      name: 'logs',
      maxAttempts: 2,
      handle: (self) => {
        self.log.info({ n: self.attempt }, 'working');
        throw new RetryAfter('30s');
      },
    });
    const run = await runJob(logs, {}, { logAttempts: false });
    run.events.assertEvents([
      'onJobAdded',
      'onJobMarshalled',
      'onJobException',
      'onJobReleased',
      'onJobMarshalled',
      'onJobException',
      'onJobFailed',
    ]);
    expect(run.events.at('onJobFailed')).toMatchObject([{ failedJobId: run.failedJob?.id, attempts: 2 }]);
    expect(run.logs).toEqual(
      [1, 2].map((n) => ({ level: 'info', message: 'working', fields: { job: 'logs', id: run.id, attempt: n, n } })),
    );
  });
});

describe('the time in which runJob runs a job', () => {
  it('stands still unless it is told, so that a hanging job is no timeout', async () => {
    const hangs = defineJob({ name: 'hangs', timeout: '1s', handle: () => new Promise<never>(() => {}) });
    const error = await rejection(runJob(hangs, {}, { patience: '50ms' }));
    expect(error.name).toBe('AssertionError');
    expect(error.message).toBe(
      'runJob: attempt 1 of job "hangs" has not ended after 50ms of real time. The virtual clock stands still: to let the timeout come, pass elapse, such as elapse: \'60s\'. If the job is merely slow, pass patience.',
    );
    expect(error.stack).toContain('run-job.test.ts');
    expect(error.stack).not.toContain('src/testing');
  });

  it('lets the timeout come in an attempt, also of a job that ignores its signal', async () => {
    let aborted = 0;
    const hangs = defineJob({
      name: 'hangs',
      timeout: '20s',
      maxAttempts: 2,
      backoff: '1m',
      handle: (self) => {
        self.signal.addEventListener('abort', () => {
          aborted += 1;
        });
        return new Promise<never>(() => {});
      },
    });
    const run = await runJob(hangs, {}, { elapse: '30s' });
    expect(run).toMatchObject({ status: 'failed', failedJob: { kind: 'timeout', attempts: 2 }, exception: { code: 'JOB_TIMEOUT' } });
    expect(aborted).toBe(2);
    expect(run.attempts.map(({ startedAt, endedAt }) => endedAt.getTime() - (startedAt?.getTime() ?? 0))).toEqual([20_000, 20_000]);
  });

  it('waits for what a job does once its signal has aborted', async () => {
    let cleanedUp = false;
    const polite = defineJob({
      name: 'polite',
      timeout: '20s',
      handle: async (self) => {
        await new Promise<void>((resolve) => self.signal.addEventListener('abort', () => resolve()));
        cleanedUp = true;
        throw self.signal.reason;
      },
    });
    expect((await runJob(polite, {}, { elapse: '20s' })).failedJob?.kind).toBe('timeout');
    expect(cleanedUp).toBe(true);
  });

  it('is that of a clock which the job may inject', async () => {
    @job('sleeps')
    class Sleeps extends Job {
      constructor(@inject(ClockToken) private readonly clock: Clock) {
        super();
      }
      async handle(): Promise<number> {
        await new Promise<void>((resolve) => void this.clock.after(1_500, resolve));
        return this.clock.now();
      }
    }
    const clock = new VirtualClock(new Date('2030-05-05'));
    expect((await runJob(Sleeps, {}, { elapse: '2s', clock })).result).toBe(Date.parse('2030-05-05T00:00:01.500Z'));
    expect(clock.now()).toBe(Date.parse('2030-05-05T00:00:02Z'));
  });

  it('does not end for a job without a limit, so it gives up on it', async () => {
    const endless = defineJob({
      name: 'endless',
      maxAttempts: 0,
      handle: () => {
        throw new Error('no');
      },
    });
    expect((await rejection(runJob(endless, {}, { logAttempts: false }))).message).toContain(
      'has no limit of attempts, and has not ended after 100; say how many are to be run',
    );
    expect((await runJob(endless, {}, { attempts: 105, logAttempts: false })).status).toBe('retrying');
  });
});

describe('what a job is given by runJob', () => {
  @job('orders.ship')
  class Ship extends Job<{ order: number }> {
    constructor(@inject(Redrive) private readonly redrive: Redrive) {
      super();
    }
    async handle(): Promise<string> {
      return this.redrive.dispatch('emails.shipped', { order: this.properties.order }, { queue: 'mails' });
    }
  }

  it('is a fake Redrive: what the job dispatches is remembered and not run', async () => {
    const run = await runJob(Ship, { order: 5 });
    expect(run.status).toBe('successful');
    expect(run.dispatched).toEqual([
      {
        id: run.result,
        name: 'emails.shipped',
        properties: { order: 5 },
        options: { queue: 'mails' },
        connection: 'default',
        queue: 'mails',
      },
    ]);
    expect(run.events.at('onJobAdded').map((event) => event.job.name)).toEqual(['orders.ship']);
  });

  it('is the Redrive of a pair, where there is one', async () => {
    const redrive = createFakeRedrive();
    const run = await runJob(Ship, { order: 5 }, { services: new Map([[Redrive, redrive]]) });
    redrive.assertDispatched('emails.shipped', { order: 5 });
    expect(run.dispatched).toEqual([]);
  });

  it('comes from container modules too, and pairs win over them', async () => {
    const appModule = new ContainerModule(({ bind }) => {
      bind(Mailer).toSelf();
      bind(Redrive).toConstantValue(undefined as never);
    });
    expect((await runJob(SendWelcomeEmail, { userId: 7 }, { services: appModule, attempts: 1 })).exception).toEqual(
      new Error('the real mailer was asked to write to 7'),
    );
    expect((await runJob(SendWelcomeEmail, { userId: 7 }, { services: [...setup().services, appModule] })).result).toBe('sent');
    expect((await runJob(Ship, { order: 5 }, { services: appModule })).dispatched).toHaveLength(1);
  });

  it('reaches interceptors: classes, instances, bound ones, with their patterns', async () => {
    const told: string[] = [];
    class Pager {
      page(text: string): void {
        told.push(text);
      }
    }
    @injectable()
    class NotifyOps implements Interceptor {
      constructor(
        @inject(Pager) private readonly pager: Pager,
        @inject(Redrive) private readonly redrive: Redrive,
        @inject(FailedJobs) private readonly failedJobs: FailedJobs,
      ) {}
      @jobPattern(/^emails\./)
      async onJobFailed({ job: { name }, failedJobId }: JobFailedEvent): Promise<void> {
        const failed = await this.redrive.failedJobs.find(failedJobId ?? -1);
        expect(await this.failedJobs.find(failedJobId ?? -1)).toEqual(failed);
        this.pager.page(`${name}: ${failed?.message}`);
        await this.redrive.dispatch('ops.notify', { name });
      }
    }
    const bound: Interceptor = { onJobComplete: ({ job: { name } }) => void told.push(`bound: ${name}`) };
    const instance: Interceptor = { onJobException: ({ attempt }) => void told.push(`attempt ${attempt}`) };
    const services = [[Pager, new Pager()], [InterceptorToken, bound], ...setup([new Error('down')]).services] as const;
    const run = await runJob(SendWelcomeEmail, { userId: 7 }, { services, interceptors: [NotifyOps, instance], maxAttempts: 1 });
    expect(told).toEqual(['attempt 1', 'emails.welcome: down']);
    expect(run.dispatched).toMatchObject([{ name: 'ops.notify', properties: { name: 'emails.welcome' } }]);
    await runJob(defineJob({ name: 'other', handle: () => 1 }), {}, { services, interceptors: [NotifyOps] });
    expect(told.at(-1)).toBe('bound: other');
  });
});

describe('an interceptor that is a service identifier', () => {
  it('is looked up among the services', async () => {
    const told: string[] = [];
    const services = [['ops', { onJobComplete: ({ result }) => void told.push(String(result)) } satisfies Interceptor]] as const;
    await runJob(defineJob({ name: 'other', handle: () => 7 }), {}, { services, interceptors: ['ops'] });
    expect(told).toEqual(['7']);
  });
});

describe('runJob refuses', () => {
  const fails = async (promise: Promise<unknown>): Promise<[string, string]> => {
    const error = await rejection(promise);
    return isRedriveError(error) ? [error.code, error.message] : expect.fail(`${error.name}: ${error.message}`);
  };

  it.each<[string, unknown, string, string]>([
    ['a class that is no job', class Nothing {}, 'JOB_UNNAMED', "Class Nothing is no job; give the class a name with @job('some.name')"],
    ['a name', 'emails.welcome', 'JOB_UNNAMED', 'runJob takes the job class itself, not its name "emails.welcome"'],
    ['nothing', undefined, 'JOB_UNNAMED', 'is no job'],
    ['a job whose options do not hold', defineJob({ name: 'bad', maxAttempts: -1, handle: () => 1 }), 'CONFIG_INVALID', 'maxAttempts'],
  ])('%s', async (_, given, code, text) => {
    expect(await fails(runJob(given as never))).toEqual([code, expect.stringContaining(text)]);
  });

  it('a job whose services are missing, and says where they come from', async () => {
    const [code, message] = await fails(runJob(SendWelcomeEmail, { userId: 7 }));
    expect(code).toBe('JOB_UNRESOLVABLE');
    expect(message).toMatch(/job "emails\.welcome".*Mailer[\s\S]*services: \[\[Mailer, fakeMailer\]\]/);
  });

  it('properties that the real dispatch refuses', async () => {
    const strict = defineJob({
      name: 'strict',
      schema: z.object({ n: z.number() }),
      handle: (self: Job<{ n: number }>) => self.properties.n,
    });
    expect(await fails(runJob(strict, { n: 'x' as never }))).toEqual(['PROPERTIES_INVALID', expect.stringContaining('properties.n')]);
    expect(await fails(runJob(strict, { n: new Date() as never }))).toEqual(['PROPERTIES_INVALID', expect.stringContaining('toISOString')]);
  });

  const ok = defineJob({ name: 'ok', handle: () => 1 });
  it.each<[string, unknown, string, string]>([
    ['an option it does not know', { atempts: 1 }, 'OPTIONS_INVALID', 'runJob: atempts: no such option (did you mean "attempts"?)'],
    ['a connection of its own', { connections: {} }, 'OPTIONS_INVALID', 'connections: no such option'],
    ['no attempts at all', { attempts: 0 }, 'OPTIONS_INVALID', "attempts: must be an integer of at least 1, or 'all', not 0"],
    [
      'a clock that cannot be moved',
      { clock: { now: () => 0, after: () => ({ cancel: vi.fn() }) } },
      'OPTIONS_INVALID',
      'clock: must be a VirtualClock',
    ],
    ['an elapse that is no duration', { elapse: 'soon' }, 'DURATION_INVALID', 'elapse'],
    ['a backoff function, which no dispatch can store', { backoff: () => 1 }, 'OPTIONS_INVALID', 'backoff'],
    ['services that are no list', { services: { Mailer } }, 'OPTIONS_INVALID', 'services: must be pairs such as [[Mailer, fakeMailer]]'],
    [
      'a service that is no pair',
      { services: [Mailer, {}] },
      'OPTIONS_INVALID',
      'services[0]: must be a pair such as [Mailer, fakeMailer], or a container module, not the class Mailer',
    ],
    [
      'a service without an identifier',
      { services: [[undefined, {}]] },
      'OPTIONS_INVALID',
      'services[0]: its identifier is undefined (a class is undefined where imports run in a circle)',
    ],
    ['redaction rules that are none', { redact: 'token' }, 'CONFIG_INVALID', 'redact'],
  ])('%s', async (_, options, code, text) => {
    expect(await fails(runJob(ok, {}, options as RunJobOptions))).toEqual([code, expect.stringContaining(text)]);
  });

  it('to say how a job failed that an interceptor forgot', async () => {
    @injectable()
    class Forgets implements Interceptor {
      constructor(@inject(FailedJobs) private readonly failedJobs: FailedJobs) {}
      onJobFailed({ job: { id } }: JobFailedEvent): Promise<unknown> {
        return this.failedJobs.forget(id);
      }
    }
    const again = defineJob({
      name: 'again',
      handle: () => {
        throw new Error('no');
      },
    });
    expect((await rejection(runJob(again, {}, { interceptors: [Forgets] }))).message).toContain('Did an interceptor forget it?');
  });
});
