/** The time that both threads go by, in ms: the same in all threads of a process, and set by nobody, as a host's clock may be. */
export function pulseTime(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** Where a value stands in the shared memory. */
const cell = { tickedAt: 0, renewedAt: 1, coveredUntil: 2 } as const;

/** Stands for "as long as the process lives"; infinity does not fit into an integer. */
export const forEver = Number.MAX_SAFE_INTEGER;

/**
 * What the main thread and the heartbeat's thread know of one session, in memory that both see: a main thread that is kept
 * busy could answer no message. Times are those of {@link pulseTime}.
 */
export class Pulse {
  private readonly cells: BigInt64Array;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(3 * BigInt64Array.BYTES_PER_ELEMENT)) {
    this.cells = new BigInt64Array(memory);
  }

  /** When the main thread's event loop last turned. */
  get tickedAt(): number {
    return this.get(cell.tickedAt);
  }

  set tickedAt(at: number) {
    this.set(cell.tickedAt, at);
  }

  /** When the last renewal that held set out, whichever thread made it. */
  get renewedAt(): number {
    return this.get(cell.renewedAt);
  }

  set renewedAt(at: number) {
    this.set(cell.renewedAt, at);
  }

  /** When the last of the running attempts is to have ended; {@link forEver} where one of them has no timeout, 0 where none runs. */
  get coveredUntil(): number {
    return this.get(cell.coveredUntil);
  }

  set coveredUntil(at: number) {
    this.set(cell.coveredUntil, at);
  }

  private get(index: number): number {
    return Number(Atomics.load(this.cells, index));
  }

  private set(index: number, at: number): void {
    Atomics.store(this.cells, index, BigInt(Math.trunc(Math.min(at, forEver))));
  }
}

/** True once the main thread, which renews every third of a lease, is behind its time. */
export function isLate({ renewedAt }: Pick<Pulse, 'renewedAt'>, now: number, leaseMs: number): boolean {
  return now - renewedAt >= leaseMs * 0.4;
}

/**
 * Whether the thread is to prolong the session now. The main thread renews every third of a lease, so after half of one it
 * is kept from it. It is helped as long as it turns at all, or as an attempt of it may still run, and one lease longer, in
 * which what overran its time a little can still be settled. After that the process hangs, and its jobs go to others.
 */
export function mustProlong(
  { tickedAt, renewedAt, coveredUntil }: Pick<Pulse, 'tickedAt' | 'renewedAt' | 'coveredUntil'>,
  now: number,
  leaseMs: number,
): boolean {
  if (now - renewedAt < leaseMs / 2) return false;
  return now - tickedAt < leaseMs / 2 || now <= coveredUntil + leaseMs;
}
