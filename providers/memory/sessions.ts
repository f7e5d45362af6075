import { RedriveError } from '../../src/errors.ts';
import type { SessionInfo } from '../../src/provider/pull-provider.ts';
import type { WorkerPresence } from '../../src/provider/queue-provider.ts';
import type { MemoryJob } from './jobs.ts';

/** A pool's presence: its lease, and the jobs leased to it by their lease number. */
export interface MemorySession {
  readonly id: number;
  readonly info: SessionInfo;
  readonly held: Map<number, MemoryJob>;
  readonly startedAt: number;
  renewedAt: number;
  expiresAt: number;
  /** Jobs up to this lease number have started. */
  startedThrough: number;
  lastSeq: number;
  deadAt: number | undefined;
}

/** The sessions of the living, and of the dead that still hold jobs. */
export class Sessions {
  private readonly byId = new Map<number, MemorySession>();
  private lastId = 0;

  open(info: SessionInfo, leaseMs: number, now: number): number {
    const id = ++this.lastId;
    this.byId.set(id, {
      id,
      info,
      held: new Map(),
      startedAt: now,
      renewedAt: now,
      expiresAt: now + leaseMs,
      startedThrough: 0,
      lastSeq: 0,
      deadAt: undefined,
    });
    return id;
  }

  /** The session, alive. Throws `LEASE_LOST`: nothing that a dead one does counts. */
  fence(id: number): MemorySession {
    const session = this.byId.get(id);
    if (session !== undefined && session.deadAt === undefined) return session;
    throw new RedriveError('LEASE_LOST', `Session ${id} was declared dead; its jobs belong to others now`);
  }

  find(id: number): MemorySession | undefined {
    return this.byId.get(id);
  }

  /** Those alive, longest first. */
  workers(): readonly WorkerPresence[] {
    const alive = [...this.byId.values()].filter(({ deadAt }) => deadAt === undefined);
    return alive.map(({ info: { pool, host, pid }, startedAt, renewedAt, expiresAt, held }) => ({
      pool,
      host,
      pid,
      startedAt,
      renewedAt,
      leaseEndsAt: expiresAt,
      reserved: held.size,
    }));
  }

  isAlive(id: number): boolean {
    const session = this.byId.get(id);
    return session !== undefined && session.deadAt === undefined;
  }

  renew(session: MemorySession, leaseMs: number, now: number): void {
    session.renewedAt = now;
    session.expiresAt = now + leaseMs;
  }

  close(id: number, now: number): void {
    const session = this.byId.get(id);
    if (session !== undefined) session.deadAt ??= now;
  }

  /** Sessions other than this one whose lease has ended. */
  expired(except: number, now: number): readonly MemorySession[] {
    return [...this.byId.values()].filter(({ id, deadAt, expiresAt }) => deadAt === undefined && expiresAt <= now && id !== except);
  }

  dead(): readonly MemorySession[] {
    return [...this.byId.values()].filter(({ deadAt }) => deadAt !== undefined);
  }

  /** A session that is not there counts as dead, so nothing is lost with those that hold nothing. */
  forgetDead(): void {
    for (const { id, held } of this.dead()) if (held.size === 0) this.byId.delete(id);
  }
}
