import { describe, expect, it } from 'vitest';
import type { AlertRule } from '../../src/config/alert-rule.ts';
import { resolveConfig } from '../../src/config/resolve.ts';
import { faultsOf } from './faults-of.ts';

const when = { failures: 100, within: '1h' };

describe('alerts in a config', () => {
  it('have defaults', () => {
    const notify = (): void => undefined;
    const alerts: AlertRule[] = [
      { name: 'many', when },
      { name: 'new', when: { fingerprint: 'new' }, notify },
      {
        name: 'mail',
        when: { ...when, queue: 'mail', job: 'send', kind: 'timeout', fingerprint: 'abc' },
        cooldown: 60,
        notify: [notify, notify],
      },
    ];
    const open = { queue: undefined, job: undefined, kind: undefined, fingerprint: undefined };
    expect(resolveConfig({ alerts, logFailedJobs: true }, {}).alerts).toEqual([
      { ...open, name: 'many', failures: 100, withinMs: 3_600_000, cooldownMs: 3_600_000, notifiers: [] },
      { ...open, name: 'new', failures: 0, withinMs: 3_600_000, cooldownMs: 3_600_000, fingerprint: 'new', notifiers: [notify] },
      {
        name: 'mail',
        failures: 100,
        withinMs: 3_600_000,
        cooldownMs: 60_000,
        queue: 'mail',
        job: 'send',
        kind: 'timeout',
        fingerprint: 'abc',
        notifiers: [notify, notify],
      },
    ]);
  });

  it.each<[unknown, string]>([
    [{ many: when }, 'alerts: must be a list of rules, not an object'],
    [['many'], 'alerts[0]: must be an object with name, when, cooldown, notify, not a string'],
    [[{ when }], 'alerts[0].name: is missing; give the rule a name of its own'],
    [[{ name: 'a'.repeat(201), when }], 'alerts[0].name: is 201 characters long; 200 are allowed'],
    [[{ name: 'a' }], 'alerts[0].when: must be an object with failures, within, queue, job, kind, fingerprint, not undefined'],
    [[{ name: 'a', when: {} }], 'alerts[0].when.failures: is missing; a rule is { failures: 100, within: "1h" }'],
    [[{ name: 'a', when: { failures: 1 } }], 'alerts[0].when.within: is missing; a rule is { failures: 100, within: "1h" }'],
    [
      [{ name: 'a', when: { ...when, failures: -1 } }],
      'alerts[0].when.failures: must be a whole number from 0 to 1000000 (more failures than this raise the alert), not -1',
    ],
    [[{ name: 'a', when: { ...when, within: '10ms' } }], 'alerts[0].when.within: "10ms" is too short; give a second at least'],
    [[{ name: 'a', when, cooldown: 0 }], 'alerts[0].cooldown: 0 is too short; give a second at least'],
    [[{ name: 'a', when: { ...when, kind: 'timeuot' } }], '(did you mean "timeout"?)'],
    [[{ name: 'a', when: { ...when, fingerprnt: 'new' } }], 'alerts[0].when.fingerprnt: unknown key (did you mean "fingerprint"?)'],
    [
      [{ name: 'a', when, notify: 'https://hooks.example' }],
      'alerts[0].notify: must be a function, such as webhook({ url }), or a list of them, not a string',
    ],
    [
      [
        { name: 'a', when },
        { name: 'a', when },
      ],
      'alerts[1].name: "a" is the name of alerts[0] already',
    ],
  ])('are refused: %j', (alerts, fault) => {
    const faults = faultsOf({ alerts, logFailedJobs: true });
    expect(faults.join('\n')).toContain(fault);
  });

  it('need the failed-jobs log', () => {
    expect(faultsOf({ alerts: [{ name: 'a', when }] })).toEqual([
      'alerts: count in the failed-jobs log, which is off; set logFailedJobs: true',
    ]);
    expect(resolveConfig({ alerts: [] }, {}).alerts).toEqual([]);
  });
});
