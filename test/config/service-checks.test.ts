import { describe, expect, it } from 'vitest';
import { jobPattern } from '../../src/interceptor/job-pattern.ts';
import { faultsOf } from './faults-of.ts';

describe('faults of interceptors, logger and redact', () => {
  it('an interceptor without a point, with the nearest', () => {
    class Silent {
      notify(): void {}
    }
    const none = 'has no method named after an interception point, such as onJobFailed';
    expect(faultsOf({ interceptors: [Silent, new Silent(), {}] })).toEqual([
      `interceptors[0]: the class Silent ${none}`,
      `interceptors[1]: a Silent ${none}`,
      `interceptors[2]: an object ${none}`,
    ]);
    expect(faultsOf({ interceptors: [{ onjobfaild() {} }] })).toEqual([`interceptors[0]: an object ${none} (did you mean "onJobFailed"?)`]);
  });

  it('a method near a point, also beside a right one', () => {
    class Mistyped {
      onJobFaild(): void {}
      onJobExceptions(): void {}
      onJobFailed(): void {}
      onlyHere(): void {}
      onStartup(): void {}
    }
    expect(faultsOf({ interceptors: [Mistyped] })).toEqual([
      'interceptors[0].onJobFaild: is no interception point (did you mean "onJobFailed"?)',
      'interceptors[0].onJobExceptions: is no interception point (did you mean "onJobException"?)',
    ]);
    expect(faultsOf({ interceptors: [{ onJobFailure() {} }] })).toEqual([
      'interceptors[0].onJobFailure: is no interception point (did you mean "onJobFailed"?)',
    ]);
  });

  it('F23 an empty jobPattern, in a class or an object', () => {
    class Careless {
      @jobPattern('')
      onJobFailed(): void {}
      @jobPattern(new RegExp(''))
      onJobException(): void {}
    }
    const empty = 'its jobPattern is empty and would match every job; give a pattern such as /^payments\\./, or remove it';
    expect(faultsOf({ interceptors: [Careless, new Careless()] })).toEqual(
      [0, 1].flatMap((index) => ['onJobFailed', 'onJobException'].map((point) => `interceptors[${index}].${point}: ${empty}`)),
    );
  });

  it('an entry that can be no interceptor', () => {
    expect(faultsOf({ interceptors: [() => {}, 5, undefined] })).toEqual([
      'interceptors[0]: must be an interceptor class, a service identifier bound in the container, or an instance, not a function; for a single function use redrive.on(point, listener)',
      'interceptors[1]: must be an interceptor class, a service identifier bound in the container, or an instance, not a number',
      'interceptors[2]: is missing; give an interceptor class, a service identifier bound in the container, or an instance (a class is undefined where imports run in a circle)',
    ]);
    expect(faultsOf({ interceptors: {} })).toEqual(['interceptors: must be a list of interceptors, such as [NotifyOps], not an object']);
  });

  it('a hostile Proxy', () => {
    const hostile = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('no');
        },
      },
    );
    expect(faultsOf({ interceptors: [hostile] })).toEqual(['interceptors[0]: a Proxy cannot be inspected: no']);
  });

  it('a logger that lacks methods', () => {
    expect(faultsOf({ logger: { debug() {}, info() {}, warn() {}, error() {} } })).toEqual([
      "logger: must be a logger of pino's shape; an object lacks fatal, child",
    ]);
    expect(faultsOf({ logger: 'pino' })[0]).toContain('lacks debug, info, warn, error, fatal, child');
  });

  it('rules of redact that would hide nothing, or everything', () => {
    expect(faultsOf({ redact: ['a..b', '', new RegExp(''), 5, 'ok.*', /ok/] })).toEqual([
      'redact[0]: "a..b" is no dot path; write it like "properties.card.number" or "*.password"',
      'redact[1]: "" is no dot path; write it like "properties.card.number" or "*.password"',
      'redact[2]: is an empty RegExp, which matches everywhere; give a pattern',
      'redact[3]: must be a dot path such as "*.password" or a RegExp, not a number',
    ]);
    expect(faultsOf({ redact: '*.password' })).toEqual(['redact: must be a list of dot paths and RegExps, not a string']);
  });
});
