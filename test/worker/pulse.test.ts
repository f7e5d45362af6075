import { describe, expect, it } from 'vitest';
import { forEver, isLate, mustProlong, Pulse } from '../../src/worker/pulse.ts';

const leaseMs = 30_000;
const now = 1_800_000_000_000;
const ago = (seconds: number): number => now - seconds * 1_000;

describe('whether the heartbeat thread prolongs a session', () => {
  it.each([
    ['not while the main thread does', { renewedAt: ago(14), tickedAt: ago(14), coveredUntil: forEver }, false],
    ['where the main thread turns but cannot renew', { renewedAt: ago(15), tickedAt: ago(1), coveredUntil: 0 }, true],
    ['where an attempt may still run', { renewedAt: ago(15), tickedAt: ago(60), coveredUntil: now }, true],
    ['one lease longer, so that its end can be written', { renewedAt: ago(15), tickedAt: ago(60), coveredUntil: ago(30) }, true],
    ['not after that: the process hangs', { renewedAt: ago(15), tickedAt: ago(60), coveredUntil: ago(30) - 1 }, false],
    [
      'as long as the process lives where an attempt has no timeout',
      { renewedAt: ago(9_999), tickedAt: ago(9_999), coveredUntil: forEver },
      true,
    ],
    ['not where the main thread is blocked and no attempt runs', { renewedAt: ago(20), tickedAt: ago(15), coveredUntil: 0 }, false],
  ])('%s', (_what, pulse, expected) => {
    expect(mustProlong(pulse, now, leaseMs)).toBe(expected);
  });
});

it('makes ready once the main thread is late, which it is not while it renews every third of a lease', () => {
  expect(isLate({ renewedAt: ago(11) }, now, leaseMs)).toBe(false);
  expect(isLate({ renewedAt: ago(12) }, now, leaseMs)).toBe(true);
});

describe('the memory that both threads see', () => {
  it('shows what was written through another view of it', () => {
    const pulse = new Pulse();
    const seen = new Pulse(pulse.memory);
    Object.assign(pulse, { tickedAt: now, renewedAt: now + 1, coveredUntil: now + 2.5 });
    expect([seen.tickedAt, seen.renewedAt, seen.coveredUntil]).toEqual([now, now + 1, now + 2]);
    pulse.coveredUntil = Number.POSITIVE_INFINITY;
    expect(seen.coveredUntil).toBe(forEver);
  });
});
