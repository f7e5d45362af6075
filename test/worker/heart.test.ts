import { expect, it, onTestFinished } from 'vitest';
import type { Heartbeat } from '../../src/provider/heartbeat.ts';
import type { PullProvider, Session } from '../../src/provider/pull-provider.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Heart } from '../../src/worker/heart.ts';
import { pulseTime, type Pulse } from '../../src/worker/pulse.ts';
import { count, order } from './heartbeat-module.ts';

const leaseMs = 150;

interface Setup {
  readonly heart: Heart;
  readonly provider: PullProvider;
  readonly session: Session;
  readonly clock: VirtualClock;
  readonly logger: RecordingLogger;
  readonly pulse: Pulse;
  readonly leave: () => void;
  readonly counted: (what: keyof typeof count) => number;
  readonly tell: (what: keyof typeof order) => void;
  /** Waits for something, and keeps the session in need of the thread: its main thread turns, and does not renew. */
  readonly until: (holds: () => boolean) => Promise<void>;
}

function setup(heartbeat: Partial<Heartbeat> = {}): Setup {
  const memory = new SharedArrayBuffer(4 * Int32Array.BYTES_PER_ELEMENT);
  const counts = new Int32Array(memory);
  const module = new URL('heartbeat-module.ts', import.meta.url);
  // Only these are asked for.
  const provider = { heartbeat: async () => ({ module, given: { memory }, ...heartbeat }) } as unknown as PullProvider;
  const session: Session = { id: 1, leaseMs, lastSeq: 0 };
  const clock = new VirtualClock(new Date());
  const logger = new RecordingLogger();
  const heart = new Heart(clock, logger);
  onTestFinished(() => heart.stop());
  const { pulse, leave } = heart.attend(provider, session);
  return {
    heart,
    provider,
    session,
    clock,
    logger,
    pulse,
    leave,
    counted: (what) => Atomics.load(counts, count[what]),
    tell: (what) => void Atomics.store(counts, count.order, order[what]),
    until: async (holds) => {
      while (!holds()) {
        pulse.tickedAt = pulseTime();
        pulse.renewedAt = 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

it('F27: prolongs the session of a main thread that is blocked while an attempt may run, and not after its deadline and a lease', async () => {
  const { pulse, counted, until } = setup();
  await until(() => counted('prolonged') > 0);
  const before = counted('prolonged');
  pulse.coveredUntil = pulseTime() + 3 * leaseMs;
  block(3 * leaseMs);
  const during = counted('prolonged');
  expect(during).toBeGreaterThan(before);
  expect(pulse.renewedAt).toBeGreaterThan(pulse.tickedAt);
  block(leaseMs + 50);
  const after = counted('prolonged');
  block(3 * leaseMs);
  expect(counted('prolonged')).toBe(after);
});

it('leaves a session alone whose main thread renews it, and one that it was told to leave', async () => {
  const { pulse, leave, counted, until } = setup();
  await until(() => counted('prolonged') > 0);
  const before = counted('prolonged');
  for (let n = 0; n < 10; n += 1) {
    pulse.tickedAt = pulse.renewedAt = pulseTime();
    block(leaseMs / 10);
  }
  expect(counted('prolonged')).toBeLessThanOrEqual(before + 1);
  leave();
  pulse.coveredUntil = pulseTime() + 60_000;
  block(leaseMs);
  const left = counted('prolonged');
  block(3 * leaseMs);
  expect(counted('prolonged')).toBe(left);
});

it('connects anew after an error, and says so once', async () => {
  const { counted, tell, until, logger } = setup();
  await until(() => counted('prolonged') > 0);
  tell('fail');
  await until(() => counted('connected') === 2);
  const before = counted('prolonged');
  await until(() => counted('prolonged') > before && logger.lines.length > 0);
  expect(counted('closed')).toBe(1);
  expect(logger.lines).toMatchObject([{ level: 'warn', fields: { session: 1, err: { message: 'the line is dead' } } }]);
});

it('leaves a session alone that is dead', async () => {
  const { counted, tell, until } = setup();
  await until(() => counted('prolonged') > 0);
  tell('isDead');
  await until(() => counted('order') === order.none);
  const before = counted('prolonged');
  block(3 * leaseMs);
  expect(counted('prolonged')).toBe(before);
});

it('replaces a thread that died, and says what follows meanwhile', async () => {
  const { clock, counted, tell, until, logger } = setup();
  await until(() => counted('prolonged') > 0);
  tell('die');
  await until(() => logger.says('The heartbeat thread died', 'warn'));
  expect(logger.says("a job whose code blocks the event loop for longer than its connection's lease may run again elsewhere")).toBe(true);
  await clock.advance(5);
  const before = counted('prolonged');
  await until(() => counted('prolonged') > before);
  expect(counted('connected')).toBe(2);
});

it('closes its connections when it is stopped, and starts again with the next session', async () => {
  const { heart, counted, until, provider, session } = setup();
  await until(() => counted('prolonged') > 0);
  await heart.stop();
  expect(counted('closed')).toBe(1);
  const { pulse } = heart.attend(provider, session);
  await until(() => {
    Object.assign(pulse, { tickedAt: pulseTime(), renewedAt: 0 });
    return counted('connected') === 2;
  });
});

it.each([
  ['its module is missing', { module: new URL('no-such-module.ts', import.meta.url) }, 'The heartbeat thread could not renew a session'],
  [
    'what it needs cannot reach another thread',
    { given: { stream: () => undefined } },
    'No thread can renew the leases of this connection',
  ],
])('says that only the main thread renews where %s', async (_why, heartbeat, message) => {
  const { until, logger } = setup(heartbeat);
  await until(() => logger.lines.length > 0);
  expect(logger.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining(message) as string }]);
});
