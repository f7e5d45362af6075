import { describe, expect, it } from 'vitest';
import { FailureAlerts, logAlerts } from '../../../interceptors/failure-alerts/index.ts';
import type { AlertEvent } from '../../../src/interceptor/points.ts';
import { RecordingLogger } from '../../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

function alertOf(rule: Partial<AlertEvent['rule']>, groups: AlertEvent['groups'] = []): AlertEvent {
  const at = new Date('2026-01-01T00:00:00Z');
  return {
    eventId: 'event-1',
    at,
    rule: { name: 'many', failures: 100, within: 5_400, cooldown: 3_600, ...rule },
    count: 101,
    window: { from: at, to: at },
    groups,
    silentUntil: at,
    redelivered: false,
  };
}

describe('FailureAlerts', () => {
  it('tells the notifiers of the rule; where it has none, the log', async () => {
    const logger = new RecordingLogger();
    const told: string[] = [];
    const rules = [
      { name: 'many', notifiers: [() => told.push('first'), () => told.push('second')] },
      { name: 'quiet', notifiers: [] },
      { name: 'other', notifiers: [() => told.push('other')] },
    ];
    const interceptor = new FailureAlerts({ rules, logger, clock: new VirtualClock(), patienceMs: 30_000 });
    await interceptor.onAlert(alertOf({}));
    expect(told).toEqual(['first', 'second']);
    expect(logger.lines).toEqual([]);
    await interceptor.onAlert(alertOf({ name: 'quiet' }));
    expect(told).toHaveLength(2);
    expect(logger.lines).toMatchObject([{ level: 'error', fields: { alert: 'quiet', eventId: 'event-1', count: 101 } }]);
  });

  it('is done in time although a notifier hangs and another throws, and says which rule it was', async () => {
    const logger = new RecordingLogger();
    const clock = new VirtualClock();
    const notifiers = [
      () => new Promise<never>(() => undefined),
      () => {
        throw new Error('no');
      },
    ];
    const interceptor = new FailureAlerts({ rules: [{ name: 'many', notifiers }], logger, clock, patienceMs: 30_000 });
    const told = interceptor.onAlert(alertOf({}));
    await clock.advance('30s');
    await told;
    expect(logger.lines.map(({ message }) => message)).toEqual([
      'notify of the alert "many" failed; the job is not affected',
      'notify of the alert "many" failed; the job is not affected',
    ]);
  });
});

describe('logAlerts', () => {
  it('says in one line what failed, and most of what', () => {
    const logger = new RecordingLogger();
    const group = { fingerprint: 'f', job: 'mail', type: 'TypeError', message: 'no\nsecond line', count: 90 };
    void logAlerts(logger)(alertOf({ queue: 'high', kind: 'timeout' }, [group]));
    expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
      ['error', 'Alert "many": 101 failure(s) of queue high of kind timeout within 1h 30m; most of them mail: TypeError: no'],
    ]);
  });
});
