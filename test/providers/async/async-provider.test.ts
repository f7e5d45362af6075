import type { Knex } from 'knex';
import { describe, expect, it } from 'vitest';
import { AsyncProvider, Memory } from '../../../providers/async/index.ts';
import { JobRegistry } from '../../../src/job/registry.ts';
import type { ReservedJob, Session } from '../../../src/provider/pull-provider.ts';
import type { ProviderContext } from '../../../src/provider/queue-provider.ts';
import { RecordingLogger } from '../../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { failureRecord } from '../memory/records.ts';

const info = { pool: 'pool', host: 'host', pid: 7, policies: '{}' };

interface Setup {
  readonly provider: AsyncProvider;
  readonly clock: VirtualClock;
  readonly memory: Memory;
  readonly context: (properties?: Record<string, unknown>) => ProviderContext;
  readonly push: (...ids: readonly string[]) => Promise<void>;
  readonly take: (session: Session, limit: number) => Promise<readonly ReservedJob[]>;
}

function setup(properties: Record<string, unknown> = {}): Setup {
  const clock = new VirtualClock();
  const memory = new Memory();
  const provider = new AsyncProvider();
  const stores = { open: () => Promise.reject(new Error('There is no database')) };
  const rest = {
    name: 'main',
    clock,
    logger: new RecordingLogger(),
    registry: new JobRegistry([]),
    stores,
    access: 'create',
    failureLog: async () => memory.failureLog,
    workHere: async () => [],
  } as const;
  const context = (given: Record<string, unknown> = {}): ProviderContext => ({ ...rest, properties: { memory, ...given } });
  provider.init(context(properties));
  return {
    provider,
    clock,
    memory,
    context,
    push: async (...ids) => {
      await provider.push(
        'default',
        ids.map((id) => ({ id, name: 'job', memento: '{}', priority: 0, delayMs: 0 })),
        {},
      );
    },
    take: async (session, limit) => (await provider.reserve(session, { queues: ['default'], limit, startNow: limit })).jobs,
  };
}

describe('AsyncProvider', () => {
  it('refuses bad properties, all at once, and names the nearest key', () => {
    const { context } = setup();
    expect(() => new AsyncProvider().init(context({ prefetsh: 1, lease: '10ms', memory: {} }))).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        faults: [
          'connections.main.properties.prefetsh: unknown key (did you mean "prefetch"?)',
          expect.stringContaining('connections.main.properties.memory: must be a Memory'),
          'connections.main.properties.lease: must be at least 1 second',
        ],
      }),
    );
  });

  it('serves one connection at a time; once it was closed it may serve another, and has its jobs still', async () => {
    const { provider, context, push } = setup();
    expect(() => provider.init(context())).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    await push('a');
    await provider.close();
    provider.init({ ...context(), properties: {} });
    expect((await provider.find('a'))?.state).toBe('ready');
  });

  it('takes part in no transaction', async () => {
    const { provider } = setup();
    const pushing = provider.push('default', [], { transaction: {} as Knex.Transaction });
    await expect(pushing).rejects.toMatchObject({ code: 'CAPABILITY_MISSING' });
  });

  it('stores all jobs of a push, or none', async () => {
    const { provider, push } = setup();
    await push('a');
    await expect(push('b', 'a')).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    await expect(push('c', 'c')).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
    expect([await provider.find('b'), await provider.find('c')]).toEqual([undefined, undefined]);
    expect((await provider.backlog(['*'])).ready).toBe(true);
  });

  it('what is done to a record, before or after it was read, changes nothing on record', async () => {
    const { provider, memory, push, take } = setup();
    await push('a');
    const session = await provider.openSession(info);
    const [job] = await take(session, 1);
    const record = failureRecord({ jobId: 'a', properties: { list: [1] }, extendedInfo: { code: 7 } });
    await provider.settle(session, { settlements: [{ job: job!, transition: { to: 'failed' }, record }], announced: [] });
    const spoil = ({ properties, exception }: { readonly properties?: unknown; readonly exception: object }): void => {
      Object.assign(exception, { message: 'spoiled' });
      Object.assign(properties ?? {}, { list: [] });
    };
    spoil(record);
    spoil((await memory.failureLog.find('a'))!);
    spoil((await provider.attempts('a'))[0]!);
    expect(await memory.failureLog.find('a')).toMatchObject({
      message: 'refused',
      properties: { list: [1] },
      exception: { message: 'refused' },
    });
    expect(await provider.attempts('a')).toMatchObject([{ message: 'refused', exception: { message: 'refused' } }]);
  });

  it('a settlement whose record cannot be kept changes nothing, so that it can be tried again', async () => {
    const { provider, memory, push, take } = setup();
    await push('a', 'b');
    const session = await provider.openSession(info);
    const jobs = await take(session, 2);
    const record = failureRecord({ jobId: 'b', properties: 1n as never });
    const settlements = [
      { job: jobs[0]!, transition: { to: 'completed', result: undefined } as const },
      { job: jobs[1]!, transition: { to: 'failed' } as const, record },
    ];
    await expect(provider.settle(session, { settlements, announced: [] })).rejects.toThrow(TypeError);
    expect([(await provider.find('a'))?.state, (await provider.find('b'))?.state]).toEqual(['reserved', 'reserved']);
    await provider.settle(session, {
      settlements: [settlements[0]!, { ...settlements[1]!, record: failureRecord({ jobId: 'b' }) }],
      announced: [],
    });
    expect([(await provider.find('a'))?.state, (await provider.find('b'))?.state]).toEqual(['completed', 'failed']);
    expect(await memory.failureLog.count({})).toBe(1);
  });

  it('F27: of sessions that all slept too long, one that renews in the same turn of the event loop is not declared dead', async () => {
    const { provider, clock, push, take } = setup();
    await push('a');
    const [asleep, rescuer] = [await provider.openSession(info), await provider.openSession(info)];
    await take(asleep, 1);
    await clock.advance('10m');
    // As the timers of a process that was suspended: all overdue, and the rescuer's goes first.
    const rescuing = provider.renew(rescuer, { seqs: new Set(), through: 0 }).then(() => provider.rescue(rescuer));
    const renewing = provider.renew(asleep, { seqs: new Set([1]), through: 1 });
    expect(await rescuing).toEqual([]);
    await renewing;
    await clock.advance('31s');
    expect((await provider.rescue(await provider.openSession(info))).map(({ job }) => job.id)).toEqual(['a']);
  });

  it('puts failed jobs at the front where it is asked to, in the order of the call', async () => {
    const { provider, push, take } = setup();
    await push('a', 'b');
    const session = await provider.openSession(info);
    const settlements = (await take(session, 2)).map((job) => ({
      job,
      transition: { to: 'failed' } as const,
      record: failureRecord({ jobId: job.id }),
    }));
    await provider.settle(session, { settlements, announced: [] });
    await push('c');
    const request = { run: 1, queue: 'default', name: 'job', delayMs: 0, priority: 0, atFront: true, memento: '{}' };
    expect(
      await provider.requeue([
        { ...request, jobId: 'a' },
        { ...request, jobId: 'b' },
      ]),
    ).toEqual(['requeued', 'requeued']);
    expect((await take(session, 3)).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('keeps completed jobs for their time, and no more of them than a process can hold', async () => {
    const { provider, clock, take } = setup({ keepCompleted: '1h' });
    const session = await provider.openSession(info);
    const many = 100_100;
    const ids = Array.from({ length: many }, (_, n) => `job ${n}`);
    await provider.push(
      'default',
      ids.map((id) => ({ id, name: 'job', memento: '{}', priority: 0, delayMs: 0 })),
      {},
    );
    for (let left = many; left > 0; left -= 500) {
      const jobs = await take(session, 500);
      await provider.settle(session, {
        settlements: jobs.map((job) => ({ job, transition: { to: 'completed', result: undefined } })),
        announced: [],
      });
    }
    expect([await provider.find('job 0'), (await provider.find('job 200'))?.state]).toEqual([undefined, 'completed']);
    await clock.advance('1h');
    for (let n = 0; n <= many; n += 1_000) await provider.maintain();
    expect(await provider.find('job 100099')).toBeUndefined();
    expect((await provider.stats('default'))[0]?.completed).toBe(many);
  });
});
