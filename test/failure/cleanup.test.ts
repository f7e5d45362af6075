import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AsyncProvider, Memory } from '../../providers/async/index.ts';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { parseCron } from '../../src/config/cron.ts';
import { createRedrive, defineJob, type LogFailedJobsProperties, type Redrive } from '../../src/index.ts';
import type { FailureLog } from '../../src/record/failure-log.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { faultsOf } from '../config/faults-of.ts';
import { failureRecord } from '../providers/memory/records.ts';
import { onEachEngineBySize } from '../support/engines.ts';

const start = new Date('2026-01-01T00:30:00Z');

function fleet(cleanup: LogFailedJobsProperties['cleanup'] = {}) {
  const clock = new VirtualClock(start);
  const logger = new RecordingLogger();
  const memory = new Memory();
  const fails = defineJob({
    name: 'fails',
    handle: () => {
      throw new Error('no');
    },
  });
  const make = async (): Promise<Redrive> => {
    const redrive = await createRedrive(
      {
        connections: { main: { provider: AsyncProvider, properties: { memory, lease: '1h' } } },
        workerPools: { pool: { connection: 'main' } },
        jobs: [fails],
        logFailedJobs: true,
        logAttempts: false,
        logFailedJobsProperties: { cleanup: { enabled: true, frequency: '0 * * * *', criteria: { olderThan: '30m' }, ...cleanup } },
      },
      { clock, logger },
    );
    onTestFinished(() => redrive.stop({ timeout: 0 }));
    return redrive;
  };
  const pass = async (minutes: number): Promise<void> => {
    for (let minute = 0; minute < minutes; minute += 1) await clock.advance('1m');
  };
  return { clock, logger, make, pass, fails };
}

describe('scheduled clean-up', () => {
  it('F48: removes what is old at each time of the schedule, once in the whole fleet, and says so first', async () => {
    const { logger, make, pass, fails } = fleet();
    const processes = [await make(), await make(), await make()];
    const [first] = processes as [Redrive, ...Redrive[]];
    for (const redrive of processes) await redrive.start();
    await first.dispatch(fails);
    await pass(1);
    expect(logger.lines.filter(({ level, message }) => level === 'warn' && message.startsWith('Scheduled clean-up is on'))).toHaveLength(1);
    await pass(28);
    expect(await first.failedJobs.count()).toBe(1);
    // At 01:00 it is 30 minutes old, and not older.
    await pass(2);
    expect(await first.failedJobs.count()).toBe(1);
    await pass(60);
    expect(await first.failedJobs.count()).toBe(0);
    const done = logger.lines.filter(({ message }) => message.startsWith('Scheduled clean-up removed'));
    expect(done.map(({ fields }) => fields['removed'])).toEqual([0, 1]);
    expect((await first.audit()).items).toMatchObject([{ by: 'cleanup', action: 'deleted', count: 1 }]);
  });

  it('F48: makes up once for what was missed while nobody ran', async () => {
    const { logger, clock, make, pass, fails } = fleet();
    const before = await make();
    await before.start();
    await before.dispatch(fails);
    await pass(1);
    await before.stop({ timeout: 0 });
    await clock.advance('10h');
    const after = await make();
    await after.start();
    await pass(1);
    expect(await after.failedJobs.count()).toBe(0);
    expect(logger.lines.filter(({ message }) => message.startsWith('Scheduled clean-up removed'))).toHaveLength(1);
  });

  it('lists what is wrong with a schedule', () => {
    for (const frequency of ['daily', '61 * * * *', '0 0 30 2 *', '* * * * * *'])
      expect(faultsOf({ logFailedJobsProperties: { cleanup: { frequency } } }).join()).toContain(
        'logFailedJobsProperties.cleanup.frequency',
      );
  });

  it('knows the times of a schedule, in UTC', () => {
    const schedule = parseCron('0 2 * * *');
    const at = Date.UTC(2026, 0, 2, 2);
    expect(schedule.latest(at)).toBe(at);
    expect(schedule.latest(at - 1)).toBe(at - 86_400_000);
    expect(schedule.next(at)).toBe(at + 86_400_000);
    expect(schedule.next(at - 1)).toBe(at);
  });
});

/** An error whose stack is the same each time: a real one also shows through which turn of the event loop its job was reached. */
function alike(error: Error, place: string): Error {
  error.stack = `${error.name}: ${error.message}\n    at handle (/app/jobs/${place}.ts:1:1)`;
  return error;
}

await onEachEngineBySize(({ shareGround }) => {
  /** Processes on one database, whose jobs fail at two places of the code. */
  async function fleetOnStore(cleanup: LogFailedJobsProperties['cleanup'] = {}) {
    const ground = await shareGround();
    const clock = new VirtualClock(start, ground);
    const logger = new RecordingLogger();
    const fails = defineJob({
      name: 'fails',
      handle: () => {
        throw alike(new Error('no'), 'fails');
      },
    });
    const breaks = defineJob({
      name: 'breaks',
      handle: () => {
        throw alike(new TypeError('broken'), 'breaks');
      },
    });
    const make = async (): Promise<Redrive> => {
      const redrive = await createRedrive(
        {
          connections: { main: { provider: DatabaseProvider, properties: { ...ground.properties, lease: '5h', pollInterval: '20m' } } },
          workerPools: { pool: { connection: 'main' } },
          jobs: [fails, breaks],
          logFailedJobs: true,
          logAttempts: false,
          logFailedJobsProperties: { cleanup: { enabled: true, frequency: '40 * * * *', criteria: { olderThan: '5m' }, ...cleanup } },
        },
        { clock, logger },
      );
      onTestFinished(() => redrive.stop({ timeout: 0 }));
      return redrive;
    };
    /** Lets time pass until something holds, but no longer than so many minutes; what is under way by then may take its time. */
    const until = async (minutes: number, holds: () => boolean | Promise<boolean>): Promise<void> => {
      for (let minute = 0; minute < minutes && !(await holds()); minute += 1) await clock.advance('1m');
      await vi.waitFor(async () => expect(await holds(), holds.toString()).toBe(true), { timeout: 20_000, interval: 5 });
    };
    const at = async (time: string): Promise<void> => {
      const end = Date.parse(`2026-01-01T${time}:00Z`);
      while (clock.now() < end) await clock.advance(Math.min(end - clock.now(), 300_000) / 1_000);
    };
    const removals = (): readonly unknown[] =>
      logger.lines.filter(({ message }) => message.startsWith('Scheduled clean-up removed')).map(({ fields }) => fields['removed']);
    /** Once one of them has written down when clean-up began; before, a time of the schedule that passes is none of it. */
    const begun = (): Promise<void> => until(0, () => logger.lines.some(({ message }) => message.startsWith('Scheduled clean-up is on')));
    const logOf = (redrive: Redrive): Promise<FailureLog> =>
      (redrive as unknown as { works: { connections: { failureLog(): Promise<FailureLog> } } }).works.connections.failureLog();
    const count = async (from: string): Promise<number> =>
      (await ground.rows<{ n: number }>(`SELECT count(*) AS n FROM ${from}`))[0]?.n ?? -1;
    /** Attempts whose stack is gone, and stacks that nobody refers to. */
    const strays = async (): Promise<readonly number[]> => [
      await count('redrive_attempts WHERE stack_hash NOT IN (SELECT hash FROM redrive_stacks)'),
      await count('redrive_stacks WHERE hash NOT IN (SELECT stack_hash FROM redrive_attempts)'),
    ];
    return { ground, clock, logger, make, begun, until, at, removals, logOf, count, strays, fails, breaks };
  }

  it('F48: clean-up is done by one process of several, once at each time, and tells how much; a stack goes with the last attempt that refers to it', async () => {
    const { make, begun, until, at, removals, count, strays, fails, breaks } = await fleetOnStore({ frequency: '40,50 * * * *' });
    const processes = [await make(), await make(), await make()];
    const [first] = processes as [Redrive, ...Redrive[]];
    for (const redrive of processes) await redrive.start();
    await begun();
    for (const job of [fails, fails, breaks]) await first.dispatch(job);
    await until(5, async () => (await first.failedJobs.count()) === 3);
    await at('00:41');
    await until(1, () => removals().length === 1);
    expect(removals()).toEqual([3]);
    expect(await count('redrive_stacks')).toBe(0);
    const old = [await first.dispatch(fails), await first.dispatch(breaks)];
    await until(5, async () => (await first.failedJobs.count()) === 2);
    await at('00:47');
    const young = await first.dispatch(breaks);
    await until(5, async () => (await first.failedJobs.count()) === 3);
    expect(await count('redrive_stacks')).toBe(2);
    await at('00:50');
    await until(5, () => removals().length === 2);
    expect(removals()).toEqual([3, 2]);
    expect((await first.failedJobs.list()).items.map(({ jobId }) => jobId)).toEqual([young]);
    expect([await count('redrive_stacks'), ...(await strays())]).toEqual([1, 0, 0]);
    expect(await first.status(old[0]!)).toBeUndefined();
    expect((await first.audit()).items).toMatchObject([
      { by: 'cleanup', action: 'deleted', count: 2 },
      { by: 'cleanup', action: 'deleted', count: 3 },
    ]);
  });

  it('F48, F51: removes what a function says and nothing else, and passes over what is being retried', async () => {
    const seen: Date[] = [];
    const { make, begun, until, at, removals, fails, breaks } = await fleetOnStore({
      criteria: (query, now) => {
        seen.push(now);
        query.where('mapping', 'fails').where('failed_at', '<', now.getTime() - 60_000);
      },
    });
    const redrive = await make();
    await redrive.start();
    await begun();
    const [, , other] = [await redrive.dispatch(fails), await redrive.dispatch(fails), await redrive.dispatch(breaks)];
    await until(5, async () => (await redrive.failedJobs.count()) === 3);
    const retried = (await redrive.failedJobs.list({ job: 'fails' })).items[0]!.jobId!;
    await redrive.failedJobs.retry(retried, { delay: '1d' });
    await at('00:41');
    await until(5, () => removals().length === 1);
    expect(removals()).toEqual([1]);
    expect(seen.every((now) => now.getTime() >= Date.parse('2026-01-01T00:40:00Z'))).toBe(true);
    const left = (await redrive.failedJobs.list({ status: 'any' })).items.map(({ jobId, status }) => [jobId, status]);
    expect(new Set(left.map(String))).toEqual(new Set([`${retried},retrying`, `${other},failed`]));
    expect((await redrive.status(retried))?.status).toBe('queued');
  });

  it('F48: is taken over once the lease of a process that died over it has ended, and not before', async () => {
    const { clock, make, begun, at, until, removals, logOf, fails } = await fleetOnStore();
    const redrive = await make();
    await redrive.start();
    await begun();
    await redrive.dispatch(fails);
    await until(5, async () => (await redrive.failedJobs.count()) === 1);
    await at('00:39');
    const { claims } = await logOf(redrive);
    const seen = await claims.find('cleanup');
    expect(seen).toBeDefined();
    // The one that took it up at this time is never heard of again.
    const leaseUntil = Date.parse('2026-01-01T00:47:00Z');
    expect(await claims.swap('cleanup', seen, { ...seen!, leaseUntil })).toBeDefined();
    await at('00:46');
    expect([removals(), await redrive.failedJobs.count()]).toEqual([[], 1]);
    await until(5, () => removals().length === 1);
    expect(removals()).toEqual([1]);
    expect(clock.now()).toBeGreaterThanOrEqual(leaseUntil);
    // It lets go of it after it has told what it removed.
    await expect.poll(() => claims.find('cleanup')).toMatchObject({ at: Date.parse('2026-01-01T00:40:00Z'), leaseUntil: null });
  });

  it('F48: that is stopped in the middle ends between two steps, and another process goes on at once; both tell what they removed', async () => {
    let stop = (): void => undefined;
    const { clock, make, until, at, removals, logOf, count } = await fleetOnStore({
      criteria: (query) => {
        query.where('mapping', 'deliver');
        stop();
      },
    });
    const [first, second] = [await make(), await make()];
    await first.start();
    const log = await logOf(first);
    const records = Array.from({ length: 1_300 }, (_, n) =>
      failureRecord({ jobId: `job-${n}`, eventId: `event-${n}`, endedAt: clock.now() }),
    );
    for (let from = 0; from < records.length; from += 100) await log.append(records.slice(from, from + 100));
    let stopped: Promise<void> | undefined;
    // It is asked for its criteria when it has begun.
    stop = () => void (stopped ??= first.stop({ timeout: 0 }));
    await at('00:41');
    await until(5, () => removals().length === 1);
    await stopped;
    expect(removals()).toEqual([1_000]);
    expect(await count('cbq_failed_jobs')).toBe(300);
    await second.start();
    await until(5, () => removals().length === 2);
    expect(removals()).toEqual([1_000, 300]);
    expect(await count('cbq_failed_jobs')).toBe(0);
    expect((await second.audit()).items.map(({ by, count: removed }) => [by, removed])).toEqual([
      ['cleanup', 300],
      ['cleanup', 1_000],
    ]);
  });

  it('F48, F49: forget and prune remove a stack that no attempt refers to any more, and leave one that another does', async () => {
    const { make, until, count, strays, fails, breaks } = await fleetOnStore({ enabled: false });
    const redrive = await make();
    await redrive.start();
    const [one, another] = [await redrive.dispatch(fails), await redrive.dispatch(breaks)];
    await until(5, async () => (await redrive.failedJobs.count()) === 2);
    const [, sharing] = [await redrive.dispatch(fails), await redrive.dispatch(breaks)];
    await until(5, async () => (await redrive.failedJobs.count()) === 4);
    expect([await count('redrive_stacks'), ...(await strays())]).toEqual([2, 0, 0]);
    await redrive.failedJobs.forget([one, another]);
    expect([await count('redrive_stacks'), ...(await strays())]).toEqual([2, 0, 0]);
    await redrive.failedJobs.forget(sharing);
    expect([await count('redrive_stacks'), ...(await strays())]).toEqual([1, 0, 0]);
    await redrive.failedJobs.prune({ keep: 0 });
    expect([await count('redrive_stacks'), await count('redrive_attempts')]).toEqual([0, 0]);
  });
});
