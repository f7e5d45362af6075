/** The heartbeat's thread: prolongs sessions whose main thread is kept from it. Started by `Heart`, and told what to do by messages. */
import { parentPort } from 'node:worker_threads';
import { systemClock, type Timer } from '../clock.ts';
import { within } from '../guard.ts';
import type { ConnectHeartbeat, HeartbeatLink } from '../provider/heartbeat.ts';
import { isLate, mustProlong, Pulse, pulseTime } from './pulse.ts';

export interface Attend {
  readonly order: 'attend';
  /** Names the attendance in a later `leave`. */
  readonly key: number;
  /** Attendances of one line share a connection. */
  readonly line: number;
  readonly module: string;
  readonly given: unknown;
  readonly session: number;
  readonly leaseMs: number;
  readonly memory: SharedArrayBuffer;
}

export type ToThread = Attend | { readonly order: 'leave'; readonly key: number } | { readonly order: 'end' };

export type FromThread =
  | { readonly said: 'ready' }
  /** Told once, until it works again. */
  | { readonly said: 'trouble'; readonly session: number; readonly message: string };

/** Looks within one lease: often enough that a failed renewal can be repeated before the lease ends. */
const looksPerLease = 10;
/** How long one renewal may take at least. */
const shortestPatienceMs = 10_000;

const port = parentPort;
if (port === null) throw new TypeError('heartbeat-thread: runs in a thread of its own only');
const tell = (message: FromThread): void => port.postMessage(message);

interface HeartbeatModule {
  readonly connect: ConnectHeartbeat;
}

/** One backend, connected to when first needed. Whatever goes wrong, the next call connects anew. */
class Line {
  private loaded: Promise<HeartbeatModule> | undefined;
  private link: Promise<HeartbeatLink> | undefined;

  constructor(
    private readonly module: string,
    private readonly given: unknown,
  ) {}

  /** Loads the module, which takes longest: a worker whose main thread is never late does without it. */
  load(): Promise<HeartbeatModule> {
    return (this.loaded ??= import(this.module) as Promise<HeartbeatModule>);
  }

  async prolong(session: number, leaseMs: number): Promise<boolean> {
    const link = (this.link ??= this.connect());
    try {
      // A connection whose other end is gone may never answer; one that has to wait for a lock does so within seconds.
      return await within(systemClock, Math.max(leaseMs / 2, shortestPatienceMs), async () => (await link).prolong(session, leaseMs));
    } catch (error) {
      if (this.link === link) this.link = undefined;
      void closeQuietly(link);
      throw error;
    }
  }

  private async connect(): Promise<HeartbeatLink> {
    return (await this.load()).connect(this.given);
  }

  async close(): Promise<void> {
    if (this.link !== undefined) await closeQuietly(this.link);
  }
}

async function closeQuietly(link: Promise<HeartbeatLink>): Promise<void> {
  try {
    await (await link).close();
  } catch {
    // It was broken, which is why it is closed.
  }
}

/** Looks after one session until it is told to leave it, or the session is dead. */
class Attendance {
  private readonly pulse: Pulse;
  private timer: Timer | undefined;
  private isOver = false;
  private isInTrouble = false;

  constructor(
    private readonly order: Attend,
    private readonly line: Line,
  ) {
    this.pulse = new Pulse(order.memory);
    this.schedule();
  }

  leave(): void {
    this.isOver = true;
    this.timer?.cancel();
  }

  private schedule(): void {
    if (!this.isOver) this.timer = systemClock.after(this.order.leaseMs / looksPerLease, () => void this.look());
  }

  private async look(): Promise<void> {
    const { session, leaseMs } = this.order;
    try {
      if (isLate(this.pulse, pulseTime(), leaseMs)) await this.line.load();
      const now = pulseTime();
      if (!mustProlong(this.pulse, now, leaseMs)) return;
      if (await this.line.prolong(session, leaseMs)) this.renewed(now);
      else this.leave();
    } catch (error) {
      if (!this.isInTrouble) tell({ said: 'trouble', session, message: error instanceof Error ? error.message : String(error) });
      this.isInTrouble = true;
    } finally {
      this.schedule();
    }
  }

  private renewed(at: number): void {
    this.isInTrouble = false;
    this.pulse.renewedAt = Math.max(at, this.pulse.renewedAt);
  }
}

const lines = new Map<number, Line>();
const attendances = new Map<number, Attendance>();

function lineOf({ line, module, given }: Attend): Line {
  const known = lines.get(line) ?? new Line(module, given);
  lines.set(line, known);
  return known;
}

async function end(): Promise<void> {
  for (const attendance of attendances.values()) attendance.leave();
  for (const line of lines.values()) await line.close();
  port?.close();
}

port.on('message', (message: ToThread) => {
  switch (message.order) {
    case 'attend':
      attendances.set(message.key, new Attendance(message, lineOf(message)));
      return;
    case 'leave':
      attendances.get(message.key)?.leave();
      attendances.delete(message.key);
      return;
    case 'end':
      void end();
  }
});
tell({ said: 'ready' });
