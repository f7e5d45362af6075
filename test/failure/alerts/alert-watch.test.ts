import { describe, expect, it } from 'vitest';
import { MemoryFailureLog } from '../../../providers/memory/memory-failure-log.ts';
import type { AlertRule } from '../../../src/config/alert-rule.ts';
import { resolveConfig } from '../../../src/config/resolve.ts';
import { AlertWatch } from '../../../src/failure/alerts/alert-watch.ts';
import { InterceptorBus } from '../../../src/interceptor/bus.ts';
import type { AlertEvent, JobFailedEvent } from '../../../src/interceptor/points.ts';
import type { FailureLog } from '../../../src/record/failure-log.ts';
import { createRedactor } from '../../../src/record/redaction.ts';
import type { FailureRecord } from '../../../src/record/types.ts';
import { RecordingLogger } from '../../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { failureRecord } from '../../providers/memory/records.ts';

interface Scene {
  readonly clock: VirtualClock;
  readonly log: MemoryFailureLog;
  readonly logger: RecordingLogger;
  readonly watch: AlertWatch;
  readonly alerts: AlertEvent[];
  /** Calls that were made of the store, by name. */
  readonly asked: Record<string, number>;
  /** Every call of the store rejects. */
  breakStore: (broken: boolean) => void;
  /** A failure is recorded and told. */
  readonly fail: (given?: Partial<FailureRecord>) => Promise<void>;
  readonly tell: (record: FailureRecord) => void;
}

function makeScene(
  rules: readonly AlertRule[],
  { redact = [], log = new MemoryFailureLog() }: { redact?: RegExp[]; log?: MemoryFailureLog } = {},
): Scene {
  const clock = new VirtualClock();
  const logger = new RecordingLogger();
  const bus = new InterceptorBus({ clock, logger, patienceMs: 30_000 });
  const alerts: AlertEvent[] = [];
  bus.on('onAlert', (alert) => void alerts.push(alert));
  const asked: Record<string, number> = {};
  let isBroken = false;
  const counted = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(of, name: string) {
        const value: unknown = Reflect.get(of, name);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown => {
          asked[name] = (asked[name] ?? 0) + 1;
          return isBroken ? Promise.reject(new Error('the store is gone')) : (value as (...all: unknown[]) => unknown).apply(of, given);
        };
      },
    });
  const seen = { claims: counted(log.claims), recent: counted(log.recent) } as unknown as FailureLog;
  const { alerts: resolved } = resolveConfig({ alerts: rules, logFailedJobs: true }, {});
  const watch = new AlertWatch(resolved, { clock, logger, bus, redactor: createRedactor(redact), log: async () => seen });
  let number = 0;
  const tell = (record: FailureRecord): void => {
    const { queue, job: name, kind, fingerprint } = record;
    watch.onJobFailed({ job: { queue, name }, kind, failure: { fingerprint } } as unknown as JobFailedEvent);
  };
  const fail: Scene['fail'] = async (given) => {
    const record = failureRecord({ jobId: `job-${++number}`, endedAt: clock.now(), ...given });
    await log.append([record]);
    tell(record);
  };
  return { clock, log, logger, watch, alerts, asked, breakStore: (broken) => (isBroken = broken), fail, tell };
}

describe('alerts', () => {
  it('F50: a million failures send a bounded number of alerts, and ask the store a bounded number of times', async () => {
    const { clock, alerts, asked, fail, tell } = makeScene([{ name: 'many', when: { failures: 100, within: '1h' }, cooldown: '1m' }]);
    for (let n = 0; n < 101; n++) await fail();
    const record = failureRecord({ jobId: 'one of many' });
    const seconds = 200;
    for (let second = 0; second < seconds; second++) {
      for (let n = 0; n < 5_000; n++) tell(record);
      await clock.advance('1s');
    }
    expect(alerts.length).toBeGreaterThanOrEqual(3);
    expect(alerts.length).toBeLessThanOrEqual(4);
    // In the cool-down, which is nearly all of the time, nobody asks.
    for (const [name, times] of Object.entries(asked)) expect(times, name).toBeLessThan(20);
  });

  it('F50: a million failures below the threshold ask the store once a second at most', async () => {
    const { clock, alerts, asked, tell } = makeScene([{ name: 'many', when: { failures: 100, within: '1h' } }]);
    const record = failureRecord({ jobId: 'one' });
    for (let second = 0; second < 100; second++) {
      for (let n = 0; n < 10_000; n++) tell(record);
      await clock.advance('1s');
    }
    expect(alerts).toEqual([]);
    expect(asked['count']).toBeGreaterThan(90);
    expect(asked['count']).toBeLessThanOrEqual(101);
  });

  it('F50: a million failures of groups known by now ask nothing for a rule about new ones', async () => {
    const { clock, alerts, asked, fail, tell } = makeScene([{ name: 'new', when: { fingerprint: 'new' }, cooldown: '10s' }]);
    await fail({ fingerprint: 'a' });
    await clock.advance('2h');
    expect(alerts).toHaveLength(1);
    const before = asked['newFingerprints'] ?? 0;
    const record = failureRecord({ jobId: 'one', fingerprint: 'a' });
    for (let second = 0; second < 100; second++) {
      for (let n = 0; n < 10_000; n++) tell(record);
      await clock.advance('1s');
    }
    expect((asked['newFingerprints'] ?? 0) - before).toBeLessThanOrEqual(1);
    expect(alerts).toHaveLength(1);
  });

  it('a rule about new groups may ask for more than one failure of them', async () => {
    const { clock, alerts, fail } = makeScene([{ name: 'new', when: { fingerprint: 'new', failures: 2, within: '10m' } }]);
    for (let n = 0; n < 2; n++) await fail({ fingerprint: 'a' });
    await clock.advance('1s');
    expect(alerts).toEqual([]);
    await fail({ fingerprint: 'a' });
    await clock.advance('1s');
    expect(alerts).toMatchObject([{ count: 3, rule: { fingerprint: 'new', failures: 2, within: 600 } }]);
  });

  it('groups that were told of as new are not told of again when others are', async () => {
    const { clock, alerts, fail } = makeScene([{ name: 'new', when: { fingerprint: 'new' }, cooldown: '1m' }]);
    for (const fingerprint of ['a', 'b', 'c', 'a', 'b']) {
      await fail({ fingerprint });
      await clock.advance('2m');
    }
    expect(alerts.map(({ groups }) => groups.map((group) => group.fingerprint))).toEqual([['a'], ['b'], ['c']]);
  });

  it('failures that were counted while the store was gone are counted again once it is back', async () => {
    const { clock, logger, alerts, asked, fail, breakStore } = makeScene([{ name: 'any', when: { failures: 0, within: '1h' } }]);
    breakStore(true);
    await fail();
    await clock.advance('5m');
    expect(logger.says('Failures could not be counted for an alert; trying again', 'warn')).toBe(true);
    // Less and less often.
    expect(asked['find']).toBeLessThan(15);
    breakStore(false);
    await clock.advance('1m');
    expect(alerts).toHaveLength(1);
  });

  it('of processes that count at the same time one tells, and the others are silent for the cool-down too', async () => {
    const log = new MemoryFailureLog();
    const rules = [{ name: 'any', when: { failures: 0, within: '1h' }, cooldown: '10m' }];
    const fleet = [makeScene(rules, { log }), makeScene(rules, { log }), makeScene(rules, { log })];
    const [first] = fleet;
    const record = failureRecord({ jobId: 'one', endedAt: first!.clock.now() });
    await log.append([record]);
    const advance = (duration: string): Promise<unknown> => Promise.all(fleet.map(({ clock }) => clock.advance(duration)));
    for (let minute = 0; minute < 9; minute++) {
      for (const { tell } of fleet) tell(record);
      await advance('1m');
    }
    expect(fleet.flatMap(({ alerts }) => alerts)).toHaveLength(1);
  });

  it('a stop looks at the failures of the last second', async () => {
    const { clock, alerts, fail, watch } = makeScene([{ name: 'many', when: { failures: 1, within: '1h' } }]);
    await fail();
    await clock.advance(0);
    await fail();
    await watch.stop(5_000);
    expect(alerts).toHaveLength(1);
    await fail();
    await clock.advance('3h');
    expect(alerts).toHaveLength(1);
  });

  it('a stop does not wait for a store that hangs', async () => {
    const { clock, watch, log, fail } = makeScene([{ name: 'any', when: { failures: 0, within: '1h' } }]);
    log.claims.find = () => new Promise<never>(() => undefined);
    await fail();
    const stopped = watch.stop(5_000);
    await clock.advance('5s');
    await stopped;
  });

  it('F18: what an alert says is redacted, also where the rule is younger than the record, and cut', async () => {
    const { clock, alerts, fail } = makeScene([{ name: 'any', when: { failures: 0, within: '1h' } }], { redact: [/s3cret/] });
    await fail({ message: `s3cret ${'x'.repeat(1_000)}` });
    await clock.advance('1s');
    const [group] = alerts[0]!.groups;
    expect(group!.message).not.toContain('s3cret');
    expect(group!.message.length).toBeLessThanOrEqual(501);
  });
});
