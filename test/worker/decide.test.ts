import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RedriveError } from '../../src/errors.ts';
import { RetryAfter, Unrecoverable } from '../../src/job/exceptions.ts';
import { decide, lossLimit, needsBackoff, type JudgedPolicy } from '../../src/worker/decide.ts';
import type { Outcome } from '../../src/worker/outcome.ts';

const now = 1_000_000;
const policy: JudgedPolicy = {
  maxAttempts: 5,
  failOn: [],
  retryOn: undefined,
  retryUntilMs: undefined,
  markAsFailed: false,
  backoffMs: 60_000,
};
const threw = (exception: unknown, byFail = false): Outcome => ({ status: 'threw', exception, byFail });
const lost = (lossesBefore: number): Outcome => ({ status: 'lost', exception: new RedriveError('JOB_LOST', 'gone'), lossesBefore });

class CardDeclined extends Error {}

describe('decide', () => {
  it('completes what completed', () => {
    expect(decide({ status: 'completed', result: 7 }, { attempt: 5, firstStartedAt: now }, policy, now)).toEqual({
      action: 'complete',
      result: 7,
    });
  });

  it('retries after the backoff while attempts are left', () => {
    expect(decide(threw(new Error('x')), { attempt: 4, firstStartedAt: now }, policy, now)).toMatchObject({
      action: 'retry',
      rule: 'attempts-left',
      kind: 'exception',
      availableAt: now + 60_000,
    });
  });

  it('F1: fails after the last attempt', () => {
    expect(decide(threw(new Error('x')), { attempt: 5, firstStartedAt: now }, policy, now)).toMatchObject({
      action: 'fail',
      rule: 'max-attempts',
      kind: 'exception',
    });
  });

  it('F2: never fails for its number of attempts where there is no limit', () => {
    expect(decide(threw(new Error('x')), { attempt: 1_000_000, firstStartedAt: now }, { ...policy, maxAttempts: 0 }, now)).toMatchObject({
      action: 'retry',
    });
  });

  it('F6: retries after the delay that RetryAfter asks for, and only while attempts are left', () => {
    const asked = threw(new RetryAfter('30s'));
    expect(decide(asked, { attempt: 1, firstStartedAt: now }, policy, now)).toMatchObject({
      action: 'retry',
      rule: 'retry-after',
      availableAt: now + 30_000,
    });
    expect(decide(asked, { attempt: 5, firstStartedAt: now }, policy, now)).toMatchObject({ action: 'fail', rule: 'max-attempts' });
  });

  it.each<[string, Outcome, Partial<JudgedPolicy>, string]>([
    ['Unrecoverable', threw(new Unrecoverable()), {}, 'unrecoverable'],
    ['fail()', threw(new Error('x'), true), {}, 'fail'],
    ['a class of failOn', threw(new CardDeclined()), { failOn: [CardDeclined] }, 'fail-on'],
    ['markAsFailed', threw(new Error('x')), { markAsFailed: true }, 'mark-as-failed'],
    ['backoff null', threw(new Error('x')), { backoffMs: null }, 'backoff-null'],
  ])('F7: fails at once for %s, and says so', (_name, outcome, changed, rule) => {
    expect(decide(outcome, { attempt: 1, firstStartedAt: now }, { ...policy, ...changed }, now)).toMatchObject({
      action: 'fail',
      rule,
      kind: 'exception',
    });
  });

  it('fails what retryOn does not name, timeouts included, and retries a lost worker all the same', () => {
    const judged = { ...policy, retryOn: [CardDeclined] };
    const job = { attempt: 1, firstStartedAt: now };
    expect(decide(threw(new Error('x')), job, judged, now)).toMatchObject({ action: 'fail', rule: 'not-retry-on', kind: 'exception' });
    expect(decide(threw(new CardDeclined()), job, judged, now)).toMatchObject({ action: 'retry' });
    expect(decide({ status: 'timed-out', exception: new RedriveError('JOB_TIMEOUT', 'late') }, job, judged, now)).toMatchObject({
      action: 'fail',
      rule: 'not-retry-on',
      kind: 'timeout',
    });
    expect(decide(lost(0), job, judged, now)).toMatchObject({ action: 'retry' });
  });

  it('lets no attempt begin later than retryUntil after the first one', () => {
    const judged = { ...policy, maxAttempts: 0, retryUntilMs: 120_000 };
    const at = (firstStartedAt: number): unknown => decide(threw(new Error('x')), { attempt: 3, firstStartedAt }, judged, now);
    expect(at(now - 60_000)).toMatchObject({ action: 'retry', availableAt: now + 60_000 });
    expect(at(now - 60_001)).toMatchObject({ action: 'fail', rule: 'retry-until' });
    expect(decide(threw(new RetryAfter('3m')), { attempt: 1, firstStartedAt: now }, judged, now)).toMatchObject({
      action: 'fail',
      rule: 'retry-until',
    });
  });

  it('F8: judges a timeout like an exception, with its own kind', () => {
    const outcome: Outcome = { status: 'timed-out', exception: new RedriveError('JOB_TIMEOUT', 'late') };
    expect(decide(outcome, { attempt: 1, firstStartedAt: now }, policy, now)).toMatchObject({ action: 'retry', kind: 'timeout' });
    expect(decide(outcome, { attempt: 5, firstStartedAt: now }, policy, now)).toMatchObject({
      action: 'fail',
      kind: 'timeout',
      rule: 'max-attempts',
    });
  });

  it('F11: a release costs an attempt, and fails with MAX_ATTEMPTS_REACHED at the limit', () => {
    const released: Outcome = { status: 'released', delayMs: 10_000 };
    expect(decide(released, { attempt: 4, firstStartedAt: now }, policy, now)).toMatchObject({
      action: 'retry',
      rule: 'released',
      availableAt: now + 10_000,
    });
    expect(decide(released, { attempt: 5, firstStartedAt: now }, policy, now)).toMatchObject({
      action: 'fail',
      kind: 'released',
      exception: { code: 'MAX_ATTEMPTS_REACHED' },
    });
  });

  it('fails a cancelled job and an unreadable one at once', () => {
    expect(
      decide({ status: 'cancelled', exception: new RedriveError('JOB_CANCELLED', 'no') }, { attempt: 1, firstStartedAt: now }, policy, now),
    ).toMatchObject({ action: 'fail', kind: 'cancelled', rule: 'cancelled' });
    expect(decide({ status: 'unprocessable', exception: new Error('x') }, { attempt: 1, firstStartedAt: now }, policy, now)).toMatchObject({
      action: 'fail',
      kind: 'unprocessable',
      rule: 'unprocessable',
    });
  });

  it('F26: fails a job that kills its worker after its attempts, or after three losses where they have no limit', () => {
    expect(decide(lost(0), { attempt: 2, firstStartedAt: now }, policy, now)).toMatchObject({
      action: 'retry',
      kind: 'lost',
      rule: 'attempts-left',
    });
    expect(decide(lost(2), { attempt: 5, firstStartedAt: now }, policy, now)).toMatchObject({
      action: 'fail',
      kind: 'lost',
      rule: 'max-attempts',
    });
    expect(decide(lost(lossLimit - 2), { attempt: 90, firstStartedAt: now }, { ...policy, maxAttempts: 0 }, now)).toMatchObject({
      action: 'retry',
    });
    expect(decide(lost(lossLimit - 1), { attempt: 90, firstStartedAt: now }, { ...policy, maxAttempts: 0 }, now)).toMatchObject({
      action: 'fail',
      kind: 'lost',
      rule: 'lost',
    });
  });

  it('F30: gives a job back uncounted that ended on a shutdown', () => {
    expect(decide({ status: 'shut-down', exception: new Error('x') }, { attempt: 5, firstStartedAt: now }, policy, now)).toMatchObject({
      action: 'return',
      rule: 'shutdown',
    });
  });

  const thrown = fc.oneof(
    fc.anything(),
    fc.constantFrom<unknown>(new Error('x'), new Unrecoverable(), new RetryAfter(5), new CardDeclined()),
  );
  const outcomes: fc.Arbitrary<Outcome> = fc.oneof(
    fc.record({ status: fc.constant('completed' as const), result: fc.anything() }),
    fc.record({ status: fc.constant('released' as const), delayMs: fc.nat() }),
    fc.record({ status: fc.constant('threw' as const), exception: thrown, byFail: fc.boolean() }),
    fc.nat(10).map(lost),
    fc.constant<Outcome>({ status: 'timed-out', exception: new RedriveError('JOB_TIMEOUT', 'late') }),
    fc.constant<Outcome>({ status: 'unprocessable', exception: undefined }),
  );
  const policies = fc.record({
    maxAttempts: fc.nat(10),
    failOn: fc.constantFrom<JudgedPolicy['failOn']>([], [CardDeclined]),
    retryOn: fc.constantFrom<JudgedPolicy['retryOn']>(undefined, [CardDeclined, RetryAfter]),
    retryUntilMs: fc.option(fc.constant(Number.MAX_SAFE_INTEGER), { nil: undefined }),
    markAsFailed: fc.boolean(),
    backoffMs: fc.option(fc.nat(), { nil: null }),
  });

  it('is total, never retries past the limit, never into the past, and asks for the backoff exactly where it matters', () => {
    fc.assert(
      fc.property(outcomes, fc.integer({ min: 1, max: 12 }), policies, (outcome, attempt, judged) => {
        const decision = decide(outcome, { attempt, firstStartedAt: now }, judged, now);
        if (decision.action === 'retry') {
          expect(judged.maxAttempts === 0 || attempt < judged.maxAttempts).toBe(true);
          expect(decision.availableAt).toBeGreaterThanOrEqual(now);
        }
        if (outcome.status === 'completed') expect(decision.action).toBe('complete');
        const other = decide(
          outcome,
          { attempt, firstStartedAt: now },
          { ...judged, backoffMs: judged.backoffMs === null ? 1 : null },
          now,
        );
        // Where the backoff was not asked for, it changes nothing.
        if (!needsBackoff(outcome, { attempt, firstStartedAt: now }, judged)) expect(other).toEqual(decision);
        else expect(other.action).not.toBe(decision.action);
      }),
      { numRuns: 2_000 },
    );
  });
});
