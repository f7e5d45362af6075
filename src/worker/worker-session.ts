import type { Timer } from '../clock.ts';
import type { ResolvedPool } from '../config/resolved.ts';
import { isRedriveError } from '../errors.ts';
import type { PullProvider, Reservation, ReservedJob, ReserveRequest, Session } from '../provider/pull-provider.ts';
import type { Attempt } from './attempt.ts';
import type { Attendance } from './heart.ts';
import { forEver, Pulse, pulseTime } from './pulse.ts';
import { describePolicies } from './session-policies.ts';
import { Settler } from './settler.ts';
import type { WorkerContext } from './worker-context.ts';

/** Renewals within one lease: two may fail before the lease ends. */
const renewalsPerLease = 3;
/** Signs of life of the event loop within one lease, for the heartbeat's thread. */
const ticksPerLease = 6;

/** What a session tells its worker. */
export interface SessionHooks {
  /** Runs after each renewal: rescue, announcements, housekeeping. */
  readonly afterRenewal: (session: WorkerSession) => Promise<void>;
  readonly onLost: () => void;
  /** Aborts when the worker stops waiting for the store. */
  readonly giveUp: AbortSignal;
}

/**
 * A pool's session and all that lives and dies with it: the jobs it holds, the settler, the renewal.
 * When the store says that the session is dead, every attempt's signal aborts and nothing of it is written any more.
 */
export class WorkerSession {
  readonly settler: Settler;
  isLost = false;
  isClosed = false;
  lastRenewalAt: number;
  /** Event ids of announcements that this pool is telling: from before they are written until after they are forgotten. */
  readonly telling = new Set<string>();
  /** Shared with the heartbeat's thread, which prolongs the lease while this one is kept from it; where there is none, only noted. */
  private readonly pulse: Pulse;
  private readonly attendance: Attendance | undefined;
  /** When each running attempt is to have ended, by lease number. */
  private readonly deadlines = new Map<number, number>();
  /** Attempts whose signal aborted and whose code has not ended. */
  private readonly ending = new Set<Attempt>();
  private readonly held = new Map<number, Attempt | undefined>();
  private through = 0;
  private isReserving = false;
  private timer: Timer | undefined;
  private ticker: Timer | undefined;
  private beat: Promise<void> | undefined;
  private recovering: Promise<void> | undefined;
  private renewalTrouble: string | undefined;
  private isLingering = false;

  constructor(
    readonly session: Session,
    private readonly provider: PullProvider,
    private readonly context: WorkerContext,
    private readonly hooks: SessionHooks,
  ) {
    this.settler = new Settler(provider, session, context, hooks.giveUp, (eventIds) =>
      eventIds.forEach((eventId) => this.telling.delete(eventId)),
    );
    this.attendance = context.heart?.attend(provider, session);
    this.pulse = this.attendance?.pulse ?? new Pulse();
    this.pulse.renewedAt = pulseTime();
    this.lastRenewalAt = context.clock.now();
    this.schedule();
    if (this.attendance !== undefined) this.tick();
  }

  /** Why its lease could not be renewed, or its outcomes not be written, when that was last tried. */
  get trouble(): string | undefined {
    return this.renewalTrouble ?? this.settler.trouble;
  }

  /** Whether the heartbeat's thread looks after it. */
  get isAttended(): boolean {
    return this.attendance?.isAttended() ?? false;
  }

  /** Opens a session of a pool. */
  static async open(pool: ResolvedPool, provider: PullProvider, context: WorkerContext, hooks: SessionHooks): Promise<WorkerSession> {
    const { host, pid, registry } = context;
    const session = await provider.openSession({ pool: pool.name, host, pid, policies: describePolicies(registry, pool) });
    return new WorkerSession(session, provider, context, hooks);
  }

  /** Takes jobs from the store, and holds them. */
  async reserve(request: ReserveRequest): Promise<Reservation> {
    this.isReserving = true;
    try {
      const reservation = await this.provider.reserve(this.session, request);
      for (const job of reservation.jobs) {
        this.held.set(job.lease.seq, undefined);
        this.through = Math.max(this.through, job.lease.seq);
      }
      return reservation;
    } finally {
      this.isReserving = false;
    }
  }

  /** Cleans up after the dead, unless that is under way; renewing never waits for it, since it tells interceptors. */
  recover(): void {
    this.recovering ??= this.hooks
      .afterRenewal(this)
      .catch((error: unknown) => this.meet(error, 'Dead sessions could not be cleaned up after; trying again'))
      .finally(() => (this.recovering = undefined));
  }

  /** Before an attempt begins: until it is to have ended its lease holds, even if its code blocks the event loop. 0: no limit. */
  cover(job: ReservedJob, timeoutMs: number): void {
    const deadline = timeoutMs === 0 ? forEver : pulseTime() + timeoutMs;
    this.deadlines.set(job.lease.seq, deadline);
    this.pulse.coveredUntil = Math.max(this.pulse.coveredUntil, deadline);
  }

  started(job: ReservedJob, attempt: Attempt): void {
    this.held.set(job.lease.seq, attempt);
    this.ending.add(attempt);
    void attempt.ended.then(() => this.ending.delete(attempt));
    if (this.isLost) attempt.abort('lease-lost');
  }

  release(job: ReservedJob): void {
    this.held.delete(job.lease.seq);
    if (this.deadlines.delete(job.lease.seq)) this.pulse.coveredUntil = Math.max(0, ...this.deadlines.values());
  }

  abortAll(reason: 'shutdown' | 'lease-lost'): void {
    for (const attempt of this.held.values()) attempt?.abort(reason);
  }

  /** The running attempt of a job; undefined where it is not of this session. */
  attemptOf(jobId: string): Attempt | undefined {
    for (const attempt of this.held.values()) if (attempt?.id === jobId) return attempt;
    return undefined;
  }

  /** Ids of jobs that were told to stop and have not. */
  lingering(): readonly string[] {
    return [...this.ending].filter((attempt) => attempt.isAborted).map((attempt) => attempt.id);
  }

  get holdsNothing(): boolean {
    return this.held.size === 0;
  }

  /** Called by whoever is told LEASE_LOST first. */
  lose(error: unknown): void {
    if (this.isLost) return;
    this.isLost = true;
    this.rest();
    this.context.logger.error(
      { code: 'LEASE_LOST', err: error, session: this.session.id, jobs: this.held.size },
      "LEASE_LOST: this worker's session was declared dead; its jobs may run again elsewhere and nothing it does with them counts",
    );
    this.abortAll('lease-lost');
    this.hooks.onLost();
  }

  /** The pool has stopped and waits for handlers that ignore their signal: they keep their lease, and nothing else is done any more. */
  linger(): void {
    this.isLingering = true;
  }

  /** Ends the session where it holds nothing; what it still holds keeps its lease until that runs out. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.rest();
    await this.beat;
    await this.recovering;
    await this.settler.drained();
    if (!this.isLost && this.holdsNothing) await this.provider.closeSession(this.session);
  }

  /** Nothing is renewed any more. */
  private rest(): void {
    this.timer?.cancel();
    this.ticker?.cancel();
    this.attendance?.leave();
  }

  private tick(): void {
    const { clock } = this.context;
    this.pulse.tickedAt = pulseTime();
    this.ticker = clock.after(this.session.leaseMs / ticksPerLease, () => this.tick());
  }

  private schedule(): void {
    if (this.isLost || this.isClosed) return;
    this.timer = this.context.clock.after(this.session.leaseMs / renewalsPerLease, () => {
      this.beat = this.renew().finally(() => this.schedule());
    });
  }

  private async renew(): Promise<void> {
    try {
      // A row that a reserve whose reply was lost left behind is ours, and nobody holds it.
      const through = this.isReserving ? this.through : this.session.lastSeq;
      const [startedAt, setOutAt] = [this.context.clock.now(), pulseTime()];
      const cancels = await this.provider.renew(this.session, { seqs: new Set(this.held.keys()), through });
      this.renewalTrouble = undefined;
      this.lastRenewalAt = startedAt;
      this.pulse.renewedAt = setOutAt;
      for (const { seq, reason } of cancels) this.held.get(seq)?.cancel(reason);
      if (!this.isLingering) this.recover();
    } catch (error) {
      this.renewalTrouble = error instanceof Error ? error.message : String(error);
      this.meet(error, 'The session could not be renewed; trying again');
    }
  }

  private meet(error: unknown, message: string): void {
    if (isRedriveError(error, 'LEASE_LOST')) this.lose(error);
    else this.context.logger.error({ err: error, session: this.session.id }, message);
  }
}
