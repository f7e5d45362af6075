import { Container, inject } from 'inversify';
import { InterceptorToken, Job, job, jobPattern, noCapabilities, QueueProvider, Redrive, redriveModule, type Interceptor } from 'redrive';
import { config, refused, refusedAtStart, refusedCall, thrown, type Mistake } from './mistake.ts';

class OneQueue extends QueueProvider {
  readonly capabilities = noCapabilities;
  async push(): Promise<readonly string[]> {
    return [];
  }
  async startWorker(): Promise<() => Promise<void>> {
    return async () => {};
  }
}

class Unlicensed extends OneQueue {
  // oxlint-disable-next-line typescript/no-misused-promises -- the hook may be async, although it need not be
  override async init(): Promise<void> {
    throw new Error('no licence key');
  }
}

@job('emails.reminder')
class Reminder extends Job {
  constructor(@inject('Calendar') readonly calendar: unknown) {
    super();
  }
  handle(): void {}
}

class Half {
  init(): void {}
  push(): void {}
}

class Misspelt {
  onJobFaild(): void {}
}

class EmptyPattern {
  @jobPattern('')
  onJobFailed(): void {}
}

class BadPattern {
  @jobPattern('payments.(')
  onJobFailed(): void {}
}

/** An app's own container, with what it bound. */
const startIn =
  (bind: (container: Container) => void, changes: object = {}): Mistake =>
  () =>
    thrown(async () => {
      const container = new Container();
      bind(container);
      container.load(redriveModule(config(changes as Readonly<Record<string, unknown>>)));
      await container.get(Redrive).start();
    });

/** Mistakes in providers and interceptors, and in the container that builds them. */
export const serviceMistakes: Readonly<Record<string, Mistake>> = {
  'provider-missing': refused({ connections: { default: { properties: { client: 'better-sqlite3' } } } }),
  'provider-lacks-a-method': refused({ connections: { default: { provider: Half } } }),
  'provider-cannot': refusedAtStart({
    connections: { default: { provider: OneQueue } },
    workerPools: { mail: { connection: 'default', queues: ['high', 'low'] } },
  }),
  'provider-cannot-delay': refusedCall((redrive) => redrive.dispatch('some.job', {}, { delay: '5m' }), {
    connections: { default: { provider: OneQueue } },
    logFailedJobs: false,
  }),
  'init-rejects': refusedAtStart({ connections: { default: { provider: Unlicensed } }, jobs: [Reminder] }),
  'unbound-provider': startIn(() => undefined, { connections: { default: { provider: 'JobStore' } } }),
  'interceptor-misspelt': refused({ interceptors: [Misspelt] }),
  'listener-misspelt': refusedCall((redrive) => redrive.on('onJobFaild' as 'onJobFailed', () => undefined)),
  'no-listener': refusedCall((redrive) => redrive.on('onJobFailed', undefined as never)),
  'interceptor-without-points': refused({ interceptors: [class Silent {}] }),
  'interceptor-function': refused({ interceptors: [() => undefined] }),
  'empty-pattern': refused({ interceptors: [EmptyPattern] }),
  'bad-pattern': refused({ interceptors: [BadPattern] }),
  'pattern-on-a-class': () => thrown(() => (jobPattern(/^payments/) as unknown as (target: unknown) => void)(Misspelt)),
  'bound-interceptor-misspelt': startIn((container) =>
    container.bind(InterceptorToken).toConstantValue({ onJobFaild() {} } as Interceptor),
  ),
  // What `load` of a container of InversifyJS 6 calls.
  'old-container': () => thrown(() => (redriveModule(config()) as unknown as { registry: () => void }).registry()),
};
