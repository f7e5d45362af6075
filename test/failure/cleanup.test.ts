import { describe, expect, it, onTestFinished } from 'vitest';
import { AsyncProvider, Memory } from '../../providers/async/index.ts';
import { parseCron } from '../../src/config/cron.ts';
import { createRedrive, defineJob, type LogFailedJobsProperties, type Redrive } from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { faultsOf } from '../config/faults-of.ts';

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
