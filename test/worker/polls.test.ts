import { describe, expect, it, onTestFinished } from 'vitest';
import { AsyncProvider } from '../../providers/async/index.ts';
import { createRedrive, defineJob, type Redrive } from '../../src/index.ts';
import type { Reservation, ReserveRequest, Session } from '../../src/provider/pull-provider.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Polls } from '../../src/worker/polls.ts';

/** A provider that hears nothing of what it is given, and takes down when it was looked into. */
class Deaf extends AsyncProvider {
  readonly looks: number[] = [];

  override get pollIntervalMs(): number {
    return 1_000;
  }

  override get firstPollMs(): number {
    return 50;
  }

  override onWake(): () => void {
    return () => undefined;
  }

  override reserve(session: Session, request: ReserveRequest): Promise<Reservation> {
    this.looks.push(this.clock.now());
    return super.reserve(session, request);
  }
}

async function setup(): Promise<{
  redrive: Redrive;
  clock: VirtualClock;
  provider: Deaf;
  handled: number[];
  pauses: () => readonly number[];
}> {
  const clock = new VirtualClock();
  const provider = new Deaf();
  const handled: number[] = [];
  const job = defineJob({ name: 'job', handle: () => void handled.push(clock.now()) });
  const redrive = await createRedrive(
    { connections: { main: { provider } }, workerPools: { pool: { connection: 'main' } }, jobs: [job], logFailedJobs: false },
    { clock, logger: new RecordingLogger() },
  );
  onTestFinished(() => redrive.stop({ timeout: 0 }));
  const pauses = (): readonly number[] => {
    const { looks } = provider;
    const found = looks.slice(1).map((at, index) => at - (looks[index] ?? 0));
    looks.splice(0, looks.length - 1);
    return found;
  };
  return { redrive, clock, provider, handled, pauses };
}

describe('a pool that nobody wakes', () => {
  it('looks less and less often while nothing comes, and again soon once something came', async () => {
    const { redrive, clock, handled, pauses } = await setup();
    await redrive.start();
    await clock.advance('10s');
    const idle = pauses();
    for (const [index, most] of [50, 100, 200, 400, 800, 1_000, 1_000].entries()) {
      expect(idle[index]).toBeLessThanOrEqual(most);
      expect(idle[index]).toBeGreaterThanOrEqual(most * 0.75);
    }
    const asked = clock.now();
    await redrive.dispatch('job');
    await clock.advance('1s');
    expect(handled).toHaveLength(1);
    expect(handled[0]! - asked).toBeLessThanOrEqual(1_000);
    await clock.advance('200ms');
    // What led to the job, and then soon again.
    expect(
      pauses()
        .slice(1, 4)
        .every((ms) => ms <= 200),
    ).toBe(true);
  });

  it('never waits longer than it may, nor as long as the others do', () => {
    const provider = { pollIntervalMs: 1_000, firstPollMs: 50 };
    const [early, late] = [new Polls(provider, () => 0), new Polls(provider, () => 0.999)];
    for (let look = 0; look < 2_000; look++) for (const polls of [early, late]) polls.saw(0);
    expect(early.nextMs()).toBe(750);
    expect(late.nextMs()).toBeLessThanOrEqual(1_000);
    early.saw(1);
    expect(early.nextMs()).toBe(37.5);
  });

  it('waits as long as it may from the start where it is woken', () => {
    const polls = new Polls({ pollIntervalMs: 1_000, firstPollMs: 1_000 });
    expect(polls.nextMs()).toBe(1_000);
    polls.saw(0);
    expect(polls.nextMs()).toBe(1_000);
  });
});
