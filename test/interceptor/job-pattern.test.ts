import { describe, expect, it } from 'vitest';
import { jobPattern, patternFault, patternFor } from '../../src/interceptor/job-pattern.ts';

class NotifyOps {
  @jobPattern(/^payments\./)
  onJobFailed(): void {}

  @jobPattern('^emails\\.')
  onJobException(): void {}

  onJobComplete(): void {}
}

/** Applies a decorator the way the language itself does, without a prototype at hand. */
function decorated(pattern: RegExp | string): new () => { onJobFailed(): void } {
  class Standard {
    onJobFailed(): void {}
  }
  // oxlint-disable-next-line typescript/unbound-method -- a decorator is handed the method as it is
  jobPattern(pattern)(Standard.prototype.onJobFailed, { kind: 'method', name: 'onJobFailed' } as ClassMethodDecoratorContext);
  return Standard;
}

describe('jobPattern', () => {
  it('F23 restricts a method to jobs whose name matches', () => {
    const pattern = patternFor(new NotifyOps(), 'onJobFailed');
    expect(pattern?.test('payments.refund')).toBe(true);
    expect(pattern?.test('emails.welcome')).toBe(false);
  });

  it('F23 makes a RegExp of a string', () => {
    expect(patternFor(new NotifyOps(), 'onJobException')).toEqual(/^emails\./);
  });

  it('leaves methods without it alone', () => {
    expect(patternFor(new NotifyOps(), 'onJobComplete')).toBe(undefined);
    expect(patternFor(new NotifyOps(), 'onAlert')).toBe(undefined);
    expect(patternFor({ onJobFailed() {} }, 'onJobFailed')).toBe(undefined);
  });

  it('is found on the prototype too, before an object is built', () => {
    expect(patternFor(NotifyOps.prototype, 'onJobFailed')).toEqual(/^payments\./);
  });

  it('answers the same each time for a global or sticky RegExp', () => {
    const original = /pay/giy;
    class Global {
      @jobPattern(original)
      onJobFailed(): void {}
    }
    const pattern = patternFor(new Global(), 'onJobFailed');
    expect([1, 2, 3].map(() => pattern?.test('PAYments'))).toEqual([true, true, true]);
    expect(original.lastIndex).toBe(0);
  });

  it('holds for a subclass, until the subclass overrides the method', () => {
    class Heir extends NotifyOps {
      override onJobException(): void {}
    }
    class Restricted extends NotifyOps {
      @jobPattern(/^refunds/)
      override onJobFailed(): void {}
    }
    expect(patternFor(new Heir(), 'onJobFailed')).toEqual(/^payments\./);
    expect(patternFor(new Heir(), 'onJobException')).toBe(undefined);
    expect(patternFor(new Restricted(), 'onJobFailed')).toEqual(/^refunds/);
    expect(patternFor(new NotifyOps(), 'onJobFailed')).toEqual(/^payments\./);
  });

  it('holds for a field that is a function', () => {
    class Fields {
      @jobPattern(/^payments/)
      onJobFailed = (): void => {};
    }
    expect(patternFor(new Fields(), 'onJobFailed')).toEqual(/^payments/);
  });

  it("works as the language's own decorator", () => {
    const Standard = decorated(/^payments/g);
    expect(patternFor(new Standard(), 'onJobFailed')).toEqual(/^payments/);
    expect(patternFor(Standard.prototype, 'onJobFailed')).toEqual(/^payments/);
    expect(patternFault(decorated('').prototype, 'onJobFailed')).toContain('is empty');
  });

  it('works by hand on a plain object', () => {
    const interceptor = { onJobFailed() {} };
    jobPattern(/^payments/)(interceptor, 'onJobFailed');
    expect(patternFor(interceptor, 'onJobFailed')).toEqual(/^payments/);
  });

  it.each([[''], [new RegExp('')], [/(?:)/], [/(?:)/g]])('F23 takes note that %j is empty, and lets nothing through', (pattern) => {
    class Careless {
      @jobPattern(pattern)
      onJobFailed(): void {}
    }
    expect(patternFault(new Careless(), 'onJobFailed')).toContain('is empty and would match every job');
    expect(patternFor(new Careless(), 'onJobFailed')?.test('payments.refund')).toBe(false);
  });

  it('takes note of what is no pattern', () => {
    const broken = { onJobFailed() {}, onJobException() {} };
    jobPattern('(')(broken, 'onJobFailed');
    jobPattern(5 as unknown as string)(broken, 'onJobException');
    expect(patternFault(broken, 'onJobFailed')).toMatch(/no valid RegExp: .*Unterminated group/);
    expect(patternFault(broken, 'onJobException')).toContain('neither a RegExp nor a string');
    expect(patternFault(new NotifyOps(), 'onJobFailed')).toBe(undefined);
  });

  it('refuses to stand on anything but a method', () => {
    expect(() => jobPattern(/x/)(() => {}, { kind: 'getter', name: 'x' } as unknown as ClassMethodDecoratorContext)).toThrow(
      /goes on a method/,
    );
  });
});
