import { describe, expect, it } from 'vitest';
import { VirtualClock } from 'redrive/testing';

const start = new Date('2030-01-01T00:00:00Z');

function setup() {
  const clock = new VirtualClock(start);
  const ran: [string, number][] = [];
  const note = (what: string) => (): void => void ran.push([what, clock.now() - start.getTime()]);
  return { clock, ran, note };
}

describe('a virtual clock', () => {
  it('stands still until it is moved', async () => {
    const { clock, ran, note } = setup();
    clock.after(1, note('late'));
    await new Promise<void>((resolve) => void setImmediate(resolve));
    expect([clock.now(), ran]).toEqual([start.getTime(), []]);
  });

  it('runs every timer on the way, in order, each at its own time, also those that timers set', async () => {
    const { clock, ran, note } = setup();
    clock.after(2_000, note('second'));
    clock.after(1_000, note('first'));
    clock.after(2_000, note('third'));
    clock.after(500, () => void clock.after(1_000, note('set on the way')));
    clock.after(-5, note('overdue'));
    clock.after(10_000, note('too late'));
    await clock.advance('5s');
    expect(ran).toEqual([
      ['overdue', 0],
      ['first', 1_000],
      ['set on the way', 1_500],
      ['second', 2_000],
      ['third', 2_000],
    ]);
    expect(clock.now()).toBe(start.getTime() + 5_000);
  });

  it('runs no timer that was cancelled, however often', async () => {
    const { clock, ran, note } = setup();
    const timer = clock.after(1_000, note('cancelled'));
    timer.cancel();
    timer.cancel();
    await clock.advance('1h');
    expect(ran).toEqual([]);
  });

  it('is never moved back by two that move it at a time', async () => {
    const { clock } = setup();
    const seen: number[] = [];
    for (const seconds of [1, 2, 3]) clock.after(seconds * 1_000, () => void seen.push(clock.now() - start.getTime()));
    await Promise.all([clock.advance('3s'), clock.advance('1s')]);
    expect(seen).toEqual([1_000, 2_000, 3_000]);
    expect(clock.now()).toBe(start.getTime() + 3_000);
  });

  it('refuses what is no duration', async () => {
    await expect(setup().clock.advance('soon')).rejects.toThrow('"soon" is no duration');
  });
});
