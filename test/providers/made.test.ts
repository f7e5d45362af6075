import { Container } from 'inversify';
import { afterEach, describe, expect, it } from 'vitest';
import { AsyncProvider } from '../../providers/async/index.ts';
import { DatabaseProvider } from '../../providers/database/index.ts';
import {
  createRedrive,
  defineJob,
  noCapabilities,
  QueueProvider,
  Redrive,
  redriveModule,
  type JobEnvelope,
  type ProviderContext,
  type RedriveConfig,
  type StopWorker,
} from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

const open: Redrive[] = [];

async function setup(config: RedriveConfig): Promise<Redrive> {
  const redrive = await createRedrive({ logger: new RecordingLogger(), ...config });
  open.push(redrive);
  return redrive;
}

afterEach(async () => {
  for (const redrive of open.splice(0)) await redrive.stop({ timeout: 0 });
});

/** What hands its jobs to workers of its own, by itself: nothing is fetched from it, and nobody can ask it anything. */
class Pushing extends QueueProvider {
  readonly capabilities = noCapabilities;
  stopped = 0;
  isThere = true;

  override async connect(): Promise<void> {
    if (!this.isThere) throw new Error('the broker is gone');
  }
  async push(_queue: string, jobs: readonly JobEnvelope[]): Promise<readonly string[]> {
    return jobs.map(({ id }) => id);
  }
  async startWorker(): Promise<StopWorker> {
    return async () => void (this.stopped += 1);
  }
}

/** A provider whose init rejects as long as it is told to. */
function licensed(faults: { left: number }): typeof AsyncProvider {
  return class extends AsyncProvider {
    // oxlint-disable-next-line typescript/no-misused-promises -- the hook may be async, although it need not be
    override async init(context: ProviderContext): Promise<void> {
      await Promise.resolve();
      if (faults.left-- > 0) throw new Error('no licence key');
      super.init(context);
    }
  };
}

const job = defineJob({ name: 'some.job', handle: () => 1 });

describe('the health of a provider that jobs are not fetched from', () => {
  it('is that of its connection: its pool is well while it is started, and never waits for a lease', async () => {
    const provider = new Pushing();
    const redrive = await setup({
      connections: { mine: { provider } },
      workerPools: { pushed: { connection: 'mine' } },
      jobs: [job],
    });
    await redrive.start();
    const pool = { ok: true, running: 0, prefetched: 0, ignoringTheirSignal: [], lastRenewalAt: null, heartbeat: false };
    expect(await redrive.health()).toEqual({ ok: true, connections: { mine: { ok: true, untold: 0 } }, pools: { pushed: pool } });
    provider.isThere = false;
    expect(await redrive.health()).toEqual({
      ok: false,
      connections: { mine: { ok: false, untold: 0, error: 'the broker is gone' } },
      pools: { pushed: pool },
    });
    await redrive.stop();
    expect(provider.stopped).toBe(1);
  });
});

describe('a connection that is closed', () => {
  class Sticky extends AsyncProvider {
    closed = 0;
    constructor(private readonly end: () => Promise<void> = async () => undefined) {
      super();
    }
    override async close(): Promise<void> {
      this.closed += 1;
      await this.end();
      await super.close();
    }
  }

  it('holds up a stop for no longer than defaultConnectionShutdownTimeout, and keeps no other open', async () => {
    const logger = new RecordingLogger();
    const clock = new VirtualClock();
    const [hangs, other] = [new Sticky(() => new Promise(() => undefined)), new Sticky()];
    const config = { connections: { first: { provider: hangs }, second: { provider: other } }, defaultConnectionShutdownTimeout: '5s' };
    const redrive = await createRedrive(config, { clock, logger });
    await redrive.start();
    let isStopped = false;
    const stopping = redrive.stop().then(() => (isStopped = true));
    await clock.advance('4s');
    expect([hangs.closed, other.closed, isStopped]).toEqual([1, 1, false]);
    await clock.advance('1s');
    await stopping;
    expect(logger.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'Closing connection "first" took longer than 5s and was left behind',
    ]);
  });

  it('and fails says so once all are closed', async () => {
    const fails = new Sticky(async () => {
      throw new Error('the broker is gone');
    });
    const other = new Sticky();
    const redrive = await createRedrive(
      { connections: { first: { provider: fails }, second: { provider: other } } },
      { logger: new RecordingLogger() },
    );
    await redrive.start();
    await expect(redrive.stop()).rejects.toThrow('the broker is gone');
    expect(other.closed).toBe(1);
  });
});

describe('a provider is made', () => {
  it('once, and only used after an async init has ended', async () => {
    const calls: string[] = [];
    class Slow extends AsyncProvider {
      // oxlint-disable-next-line typescript/no-misused-promises -- the hook may be async, although it need not be
      override async init(context: ProviderContext): Promise<void> {
        calls.push('init begins');
        await new Promise((resolve) => setImmediate(resolve));
        super.init(context);
        calls.push('init ends');
      }
      override async connect(): Promise<void> {
        calls.push('connect');
        await super.connect();
      }
    }
    const redrive = await setup({ connections: { main: { provider: Slow } }, jobs: [job] });
    await Promise.all([redrive.dispatch(job), redrive.dispatch(job)]);
    expect(calls.slice(0, 3)).toEqual(['init begins', 'init ends', 'connect']);
    expect(calls.filter((call) => call === 'init begins')).toHaveLength(1);
  });

  it('anew at the next call, where its init rejected, which the first call tells with a code', async () => {
    const redrive = await setup({ connections: { main: { provider: licensed({ left: 1 }) } }, jobs: [job] });
    await expect(redrive.dispatch(job)).rejects.toMatchObject({
      code: 'JOB_UNRESOLVABLE',
      faults: ['connections.main: the init of its provider failed: no licence key'],
      cause: { message: 'no licence key' },
    });
    await expect(redrive.dispatch(job)).resolves.toEqual(expect.any(String));
  });

  it('and all that is wrong with several is told by start at once', async () => {
    const redrive = await setup({
      connections: {
        first: { provider: licensed({ left: 9 }) },
        second: { provider: AsyncProvider, properties: { prefetsh: 1, lease: '1ms' } },
        third: { provider: DatabaseProvider },
      },
    });
    const error = await redrive.start().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'JOB_UNRESOLVABLE' });
    expect((error as { faults: readonly string[] }).faults).toEqual([
      'connections.first: the init of its provider failed: no licence key',
      expect.stringMatching(/^connections\.second\.properties\.prefetsh: unknown key/) as string,
      'connections.second.properties.lease: must be at least 1 second',
      expect.stringMatching(/^connections\.third\.properties\.client: is missing/) as string,
    ]);
  });

  it('and faults of the config alone, of several connections, are one CONFIG_INVALID', async () => {
    const redrive = await setup({
      connections: { first: { provider: AsyncProvider, properties: { lease: '1ms' } }, second: { provider: DatabaseProvider } },
    });
    await expect(redrive.start()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      faults: [expect.stringContaining('connections.first'), expect.stringContaining('connections.second')],
    });
  });

  it('from what a service identifier stands for: no provider is told by a dispatch as well', async () => {
    const container = new Container();
    container.bind('Jobs').toConstantValue({ push() {} });
    container.load(redriveModule({ connections: { main: { provider: 'Jobs' } }, logger: new RecordingLogger() }));
    const redrive = container.get(Redrive);
    open.push(redrive);
    await expect(redrive.dispatch('some.job')).rejects.toMatchObject({
      code: 'JOB_UNRESOLVABLE',
      faults: [expect.stringContaining('connections.main: its provider an object is no provider: it lacks init(), startWorker()')],
    });
  });
});
