import assert from 'node:assert/strict';
import type { AlertRule } from '../../config/alert-rule.ts';
import { defineJob, type JobClass } from '../../job/define.ts';
import type { Job } from '../../job/job.ts';
import type { Suite } from './suite.ts';
import { using, type World } from './world.ts';

/** F50: alerts. */
export function alerts({ describe, it, when, make }: Suite): void {
  /** Fails with the message it is given. */
  const fails: JobClass<{ message: string }> = defineJob({
    name: 'fails',
    handle: (self: Job<{ message: string }>) => {
      throw new Error(self.properties.message);
    },
  });

  const works = defineJob({ name: 'works', handle: () => 'done' });

  function world(rules: readonly AlertRule[], queues: readonly string[] = ['default']): Promise<World> {
    return make({ jobs: [fails, works], pool: { quantity: 10, queues: [...queues] }, config: { alerts: rules } });
  }

  /** Fails this many jobs and waits until that is told and looked at. */
  async function fail(one: World, count: number, { message = 'down', queue = 'default' } = {}): Promise<void> {
    const before = one.at('onJobFailed').length;
    const spec = { job: fails, properties: { message }, options: { queue } };
    await one.dispatchMany(Array.from({ length: count }, () => spec));
    await one.until(`${count} more failures`, () => one.at('onJobFailed').length === before + count);
    // The store is asked no more often than every second.
    await one.clock.advance('1s');
    await one.rest();
  }

  const raised = (one: World): number => one.at('onAlert').length;

  describe('alerts', () => {
    it('F50: threshold 100 an hour: quiet at 100, one alert at 101, silent until the cool-down ends', async () => {
      const rule = { name: 'many', when: { failures: 100, within: '1h' }, cooldown: '2m', notify: () => undefined };
      await using(await world([rule]), async (one) => {
        await one.redrive.start();
        await fail(one, 100);
        assert.equal(raised(one), 0);
        await fail(one, 1);
        await one.until('the alert', () => raised(one) === 1);
        const [alert] = one.at('onAlert');
        assert.equal(alert?.count, 101);
        assert.deepEqual(alert?.rule, { name: 'many', failures: 100, within: 3_600, cooldown: 120 });
        assert.deepEqual(
          alert?.groups.map(({ job, type, message, count }) => [job, type, message, count]),
          [['fails', 'Error', 'down', 101]],
        );
        const { from, to } = alert?.window ?? {};
        assert.equal(Number(to) - Number(from), 3_600_000);
        assert.equal(alert?.redelivered, false);
        await fail(one, 50);
        await one.clock.advance('1m');
        await fail(one, 1);
        assert.equal(raised(one), 1, 'in the cool-down');
        await one.clock.advance('2m');
        await fail(one, 1);
        await one.until('the next alert', () => raised(one) === 2);
        assert.equal(one.at('onAlert')[1]?.count, 153);
      });
    });

    it('F50: what failed longer ago than the window does not count', async () => {
      const rule = { name: 'many', when: { failures: 3, within: '1m' }, notify: () => undefined };
      await using(await world([rule]), async (one) => {
        await one.redrive.start();
        await fail(one, 3);
        await one.clock.advance('1m');
        await fail(one, 3);
        assert.equal(raised(one), 0);
        await fail(one, 1);
        await one.until('the alert', () => raised(one) === 1);
        assert.equal(one.at('onAlert')[0]?.count, 4);
      });
    });

    when('background')('F50: several processes together raise one alert', async () => {
      const rule = { name: 'many', when: { failures: 9, within: '1h' }, notify: () => undefined };
      await using(await world([rule]), async (one) => {
        const fleet = [one.redrive, await one.another(), await one.another()];
        for (const redrive of fleet) await redrive.start();
        await fail(one, 30);
        await one.until('the alert', () => raised(one) >= 1);
        for (let second = 0; second < 5; second++) {
          await one.clock.advance('1s');
          await one.rest();
        }
        assert.equal(raised(one), 1);
      });
    });

    it('F50: a notifier that throws or hangs affects no job', async () => {
      const heard: string[] = [];
      const notify = [
        () => {
          throw new Error('no');
        },
        () => new Promise<never>(() => undefined),
        () => void heard.push('told'),
      ];
      await using(await world([{ name: 'any', when: { failures: 0, within: '1h' }, notify }]), async (one) => {
        await one.redrive.start();
        await fail(one, 1);
        await one.until('the notifiers to be called', () => heard.length === 1);
        await one.dispatch(works);
        await one.until('a job to run meanwhile', () => one.at('onJobComplete').length === 1);
        await fail(one, 3);
        assert.equal(await one.redrive.failedJobs.count(), 4);
        assert.ok(one.logger.says('notify of the alert "any" failed'));
        assert.equal(heard.length, 1);
      });
    });

    when('multipleQueues')('F50: a rule counts what it names alone: queue, job, kind, group', async () => {
      const threshold = { failures: 1, within: '1h' };
      const silent = { notify: () => undefined };
      const rules: AlertRule[] = [
        { name: 'queue', when: { ...threshold, queue: 'mail' }, ...silent },
        { name: 'job', when: { ...threshold, job: 'other' }, ...silent },
        { name: 'kind', when: { ...threshold, kind: 'timeout' }, ...silent },
        { name: 'group', when: { ...threshold, fingerprint: 'ffffffffffffffff' }, ...silent },
      ];
      await using(await world(rules, ['default', 'mail']), async (one) => {
        await one.redrive.start();
        await fail(one, 5);
        await fail(one, 1, { queue: 'mail' });
        assert.equal(raised(one), 0);
        await fail(one, 1, { queue: 'mail' });
        await one.until('the alert', () => raised(one) === 1);
        assert.deepEqual([one.at('onAlert')[0]?.rule.name, one.at('onAlert')[0]?.count], ['queue', 2]);
      });
    });

    it('F50: a group that was never seen before is told of once; one that is new in the cool-down when that is over', async () => {
      await using(await world([{ name: 'new', when: { fingerprint: 'new' }, cooldown: '1m', notify: () => undefined }]), async (one) => {
        await one.redrive.start();
        await fail(one, 1, { message: 'first' });
        await one.until('the alert', () => raised(one) === 1);
        await one.clock.advance('2m');
        await fail(one, 3, { message: 'first' });
        assert.equal(raised(one), 1, 'it is not new any more');
        await fail(one, 2, { message: 'second' });
        await one.until('the alert of the second', () => raised(one) === 2);
        await fail(one, 1, { message: 'third' });
        assert.equal(raised(one), 2, 'in the cool-down');
        await one.clock.advance('1m');
        await one.until('the alert of the third', () => raised(one) === 3);
        assert.deepEqual(
          one.at('onAlert').map(({ groups }) => groups.map(({ message, count }) => [message, count])),
          [[['first', 1]], [['second', 2]], [['third', 1]]],
        );
      });
    });

    when('background')('F50: an alert whose process died before it had told everybody is told by another', async () => {
      const rule = { name: 'any', when: { failures: 0, within: '1h' }, notify: () => undefined };
      await using(await world([rule]), async (one) => {
        const dying = await one.stoppable();
        dying.redrive.on('onAlert', () => new Promise<never>(() => undefined));
        await dying.redrive.start();
        await dying.redrive.dispatch(fails, { message: 'down' });
        await one.until('the failure', () => one.at('onJobFailed').length === 1);
        await dying.clock.advance('1s');
        await one.until('the first process to begin telling', () => raised(one) === 1);
        await one.redrive.start();
        await one.clock.advance('4m');
        await one.rest();
        assert.equal(raised(one), 1, 'it may still be telling');
        await one.clock.advance('2m');
        await one.until('the alert to be told again', () => raised(one) === 2);
        const [first, again] = one.at('onAlert');
        assert.deepEqual([again?.eventId, again?.count, again?.redelivered], [first?.eventId, 1, true]);
        await one.clock.advance('2m');
        await one.rest();
        assert.equal(raised(one), 2);
      });
    });

    when('background')('F50: failures that their process did not live to count are counted when one starts', async () => {
      const rule = { name: 'many', when: { failures: 1, within: '1h' }, notify: () => undefined };
      await using(await world([rule]), async (one) => {
        // Without rules it raises nothing.
        const blind = await one.another({ config: { alerts: [] } });
        await blind.start();
        for (let failure = 0; failure < 2; failure++) await blind.dispatch(fails, { message: 'down' });
        await one.until('both failures', () => one.at('onJobFailed').length === 2);
        await blind.stop();
        assert.equal(raised(one), 0);
        await one.redrive.start();
        await one.until('the alert', () => raised(one) === 1);
      });
    });
  });
}
