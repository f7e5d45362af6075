import { describe, expect, it } from 'vitest';
import { ServerClock } from '../../../providers/database/dialects/server/server-clock.ts';

/** A server whose clock says `serverTime` when this process has run for 0 ms, and how to ask it in a given time. */
function setup(): { clock: ServerClock; ask: (serverTime: number, roundTripMs: number) => Promise<void>; pass: (ms: number) => void } {
  let elapsed = 0;
  const pass = (ms: number): void => void (elapsed += ms);
  const clock = new ServerClock(() => elapsed);
  const ask = (serverTime: number, roundTripMs: number): Promise<void> =>
    clock.measure(async () => {
      pass(roundTripMs / 2);
      const answer = serverTime + elapsed;
      pass(roundTripMs / 2);
      return answer;
    });
  return { clock, ask, pass };
}

const noon = Date.parse('2026-06-01T12:00:00Z');

describe('the clock of a server', () => {
  it('is told without asking', async () => {
    const { clock, ask, pass } = setup();
    await ask(noon, 2);
    pass(5_000);
    expect(clock.now()).toBe(noon + 5_002);
  });

  it('does not tremble: a measurement that agrees with a better one changes nothing', async () => {
    const { clock, ask } = setup();
    await ask(noon, 2);
    await ask(noon + 20, 60);
    expect(clock.now()).toBe(noon + 62);
  });

  it('takes a better measurement, and one that does not agree: the server is another, or was set', async () => {
    const { clock, ask } = setup();
    await ask(noon + 20, 60);
    await ask(noon, 2);
    expect(clock.now()).toBe(noon + 62);
    await ask(noon - 3_600_000, 60);
    expect(clock.now()).toBe(noon - 3_600_000 + 122);
  });

  it('is not told before it was measured', () => {
    expect(() => new ServerClock().now()).toThrow('measure() comes first');
  });
});
