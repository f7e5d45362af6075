import { setImmediate } from 'node:timers';
import { v7 as uuidv7 } from 'uuid';
import { RedriveError } from '../../src/errors.ts';
import {
  PullProvider,
  type Announcement,
  type CancelRequest,
  type Held,
  type LostJob,
  type Reservation,
  type ReserveRequest,
  type Session,
  type SessionInfo,
  type SettleBatch,
  type SettleReceipt,
} from '../../src/provider/pull-provider.ts';
import type {
  Backlog,
  CancelOutcome,
  JobEnvelope,
  ProviderContext,
  PushOptions,
  QueueProvider,
  QueueStats,
  WorkerPresence,
  RequeueOptions,
  RequeueOutcome,
  RequeueRequest,
  StoredJob,
  UniqueKey,
} from '../../src/provider/queue-provider.ts';
import type { AttemptRecord } from '../../src/record/attempt-record.ts';
import type { FailureRecord } from '../../src/record/types.ts';
import { storedJob } from './jobs.ts';
import { MemoryFailureLog } from './memory-failure-log.ts';
import { Memory } from './memory.ts';
import type { MemoryProperties } from './properties.ts';
import { adopt } from './steps/adopt.ts';
import { cancel, failQueued, forget } from './steps/by-hand.ts';
import { forgetEnded } from './steps/maintain.ts';
import { push } from './steps/push.ts';
import { requeue, wouldRequeue } from './steps/requeue.ts';
import { rescue } from './steps/rescue.ts';
import { renew, reserve, start } from './steps/reserve.ts';
import { settle } from './steps/settle.ts';

interface LogInUse {
  /** The failed-jobs log where it is in memory too: it is written in the same step as the jobs. */
  readonly log: MemoryFailureLog | undefined;
  /** Whether there is a log at all. */
  readonly logIsOn: boolean;
}

/** Jobs in this process's memory. Every method is one synchronous step (`steps/`), fenced by the session where a worker asks. */
export abstract class MemoryProvider extends PullProvider {
  private inUse: MemoryProperties | undefined;
  private kept: Memory | undefined;
  private logInUse: Promise<LogInUse> | undefined;

  protected abstract readProperties(context: ProviderContext): MemoryProperties;

  /** Throws `CONFIG_INVALID` for properties that do not hold, and for an instance that serves another connection. */
  override init(context: ProviderContext): void {
    if (this.inUse !== undefined) {
      const fault = `connections.${context.name}.provider: this ${this.constructor.name} serves another connection already; give the class, and the same properties.memory to all that share jobs`;
      throw new RedriveError('CONFIG_INVALID', fault, { faults: [fault] });
    }
    const properties = this.readProperties(context);
    super.init(context);
    this.inUse = properties;
    this.kept = properties.memory ?? this.kept ?? new Memory();
  }

  /** Where this connection's jobs are. */
  get memory(): Memory {
    if (this.kept === undefined)
      throw new TypeError(`${this.constructor.name}: init() was not called; a subclass that overrides it calls super.init(context)`);
    return this.kept;
  }

  override get prefetch(): number {
    return this.properties.prefetch;
  }

  override get pollIntervalMs(): number {
    return this.properties.pollIntervalMs;
  }

  override async connect(): Promise<void> {
    await this.openLog();
  }

  /** The jobs stay: the instance may serve another Redrive from now on. */
  override async close(): Promise<void> {
    this.inUse = undefined;
    this.logInUse = undefined;
  }

  override async push(queue: string, jobs: readonly JobEnvelope[], options: PushOptions): Promise<readonly string[]> {
    if (options.transaction !== undefined) {
      throw new RedriveError(
        'CAPABILITY_MISSING',
        `Connection "${this.context.name}" keeps its jobs in memory, which takes part in no transaction; dispatch after the commit, or on a connection whose provider is a database`,
      );
    }
    const ids = push(this.memory, queue, jobs, this.now());
    this.memory.wake();
    return ids;
  }

  override async openSession(info: SessionInfo): Promise<Session> {
    const { leaseMs } = this.properties;
    const { sessions } = this.memory;
    const id = sessions.open(info, leaseMs, this.now());
    return {
      id,
      leaseMs,
      get lastSeq() {
        return sessions.find(id)?.lastSeq ?? 0;
      },
    };
  }

  override async closeSession(session: Session): Promise<void> {
    this.memory.sessions.close(session.id, this.now());
  }

  override async reserve(session: Session, request: ReserveRequest): Promise<Reservation> {
    return reserve(this.memory, session.id, request, this.now());
  }

  override async start(session: Session, throughSeq: number): Promise<void> {
    start(this.memory, session.id, throughSeq);
  }

  override async settle(session: Session, batch: SettleBatch): Promise<SettleReceipt> {
    const { log, logIsOn } = await this.openLog();
    const { keepCompletedMs } = this.properties;
    const receipt = settle(this.memory, batch, { session: session.id, log, logIsOn, keepCompletedMs, now: this.now(), newEventId: uuidv7 });
    if (batch.settlements.some(({ transition: { to } }) => to === 'retry' || to === 'returned')) this.memory.wake();
    return receipt;
  }

  override async renew(session: Session, held: Held): Promise<readonly CancelRequest[]> {
    const { cancels, gaveBack } = renew(this.memory, session.id, held, { now: this.now(), leaseMs: session.leaseMs });
    if (gaveBack) this.memory.wake();
    return cancels;
  }

  override async rescue(session: Session): Promise<readonly LostJob[]> {
    // A process that was suspended, or whose event loop was blocked, wakes with every timer overdue: the living among
    // its sessions renew in this very turn, and must not be declared dead by the one whose timer happens to be the first.
    if (this.memory.sessions.expired(session.id, this.now()).length > 0) await new Promise<void>((resolve) => void setImmediate(resolve));
    const { lost, gaveBack } = rescue(this.memory, session.id, this.now());
    if (gaveBack) this.memory.wake();
    return lost;
  }

  override async adopt(session: Session, jobNames: readonly string[], telling: ReadonlySet<string>): Promise<readonly Announcement[]> {
    const { log } = await this.openLog();
    return adopt(this.memory, { session: session.id, jobNames, telling }, log);
  }

  override async maintain(): Promise<void> {
    forgetEnded(this.memory, { now: this.now(), keepCompletedMs: this.properties.keepCompletedMs });
    this.memory.sessions.forgetDead();
  }

  override async requeue(requests: readonly RequeueRequest[], { dryRun = false }: RequeueOptions = {}): Promise<readonly RequeueOutcome[]> {
    const { log } = await this.openLog();
    if (dryRun) return wouldRequeue(this.memory, requests, log);
    const outcomes = requeue(this.memory, requests, { log, now: this.now(), newEventId: uuidv7 });
    this.memory.wake();
    return outcomes;
  }

  override async find(jobId: string): Promise<StoredJob | undefined> {
    const job = this.memory.jobs.find(jobId);
    return job === undefined ? undefined : storedJob(job);
  }

  override async holder({ key }: UniqueKey): Promise<string | undefined> {
    return this.memory.jobs.holderOf(key)?.id;
  }

  override async cancel(jobId: string, reason: string): Promise<CancelOutcome> {
    const outcome = cancel(this.memory, jobId, reason, { ...(await this.openLog()), now: this.now(), eventId: uuidv7() });
    // Somebody may wait for the end of this job.
    this.memory.wake();
    return outcome;
  }

  override async pause(queue: string): Promise<boolean> {
    return this.memory.jobs.lines.pause(queue);
  }

  override async resume(queue: string): Promise<boolean> {
    const resumed = this.memory.jobs.lines.resume(queue);
    this.memory.wake();
    return resumed;
  }

  override async stats(queue?: string): Promise<readonly QueueStats[]> {
    return this.memory.jobs.lines.stats(queue, this.now());
  }

  override async workers(): Promise<readonly WorkerPresence[]> {
    return this.memory.sessions.workers();
  }

  override async untold(): Promise<number> {
    const { announcements, sessions } = this.memory;
    return announcements.countUntold((id) => sessions.isAlive(id));
  }

  override async failQueued(records: readonly FailureRecord[]): Promise<readonly string[]> {
    const { log } = await this.openLog();
    const failed = failQueued(this.memory, records, { log, now: this.now() });
    this.memory.wake();
    return failed;
  }

  override async keepsFailedJobs(): Promise<boolean> {
    return (await this.openLog()).log !== undefined;
  }

  override async forget(jobIds: readonly string[]): Promise<readonly string[]> {
    const { log } = await this.openLog();
    return forget(this.memory, jobIds, { log, now: this.now() });
  }

  override async attempts(jobId: string): Promise<readonly AttemptRecord[]> {
    return this.memory.attempts.of(jobId);
  }

  override async backlog(queues: readonly string[]): Promise<Backlog> {
    return this.memory.jobs.backlog(queues);
  }

  override onWake(wake: () => void): () => void {
    return this.memory.onWake(wake);
  }

  protected now(): number {
    return this.context.clock.now();
  }

  protected get properties(): MemoryProperties {
    if (this.inUse === undefined)
      throw new TypeError(`${this.constructor.name}: it serves no connection; init() was not called, or close() was`);
    return this.inUse;
  }

  private openLog(): Promise<LogInUse> {
    const opening = (this.logInUse ??= this.context
      .failureLog()
      .then((log) => ({ log: log instanceof MemoryFailureLog ? log : undefined, logIsOn: log !== undefined })));
    // A log that could not be opened may be there at the next call.
    opening.catch(() => {
      if (this.logInUse === opening) this.logInUse = undefined;
    });
    return opening;
  }
}

/** The failed-jobs log in memory beside the jobs of the first of these providers that keeps its own there, else a new one. */
export function failureLogOf(providers: readonly QueueProvider[]): MemoryFailureLog {
  const first = providers.find((provider) => provider instanceof MemoryProvider);
  return first?.memory.failureLog ?? new MemoryFailureLog();
}
