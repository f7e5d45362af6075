import { v7 as uuidv7 } from 'uuid';
import { jobsMigrations } from '../../migrations/jobs.ts';
import type { Clock } from '../../src/clock.ts';
import { RedriveError } from '../../src/errors.ts';
import { noCapabilities, type Capabilities } from '../../src/provider/capabilities.ts';
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
  QueueStats,
  WorkerPresence,
  RequeueOptions,
  RequeueOutcome,
  RequeueRequest,
  StoredJob,
  UniqueKey,
} from '../../src/provider/queue-provider.ts';
import type { Heartbeat } from '../../src/provider/heartbeat.ts';
import type { AttemptRecord } from '../../src/record/attempt-record.ts';
import type { AuditNote } from '../../src/record/audit-log.ts';
import type { FailureLogScripts } from '../../src/record/failure-log.ts';
import type { FailureRecord } from '../../src/record/types.ts';
import type { Script } from '../../src/store/script.ts';
import type { TableNames } from '../../src/store/sql-dialect.ts';
import type { MigrationStep, SqlStore, StoreAddress } from '../../src/store/sql-store.ts';
import { heartbeatTo } from './heartbeat.ts';
import { readProperties, type DatabaseProperties } from './properties.ts';
import { adopt, countUntold, findUntold, forgetAnnouncements, readAnnouncement, type AdoptRequest } from './scripts/announcements.ts';
import { attemptsOf } from './scripts/attempts.ts';
import { audited } from './scripts/audited.ts';
import { cancel, failQueued, pause, resume, pausedOnes } from './scripts/by-hand.ts';
import { forget, nextStacks, removeOrphans } from './scripts/forget.ts';
import { backlog, find, removeEnded } from './scripts/look.ts';
import { holderOf, push } from './scripts/push.ts';
import { requeue, wouldRequeue } from './scripts/requeue.ts';
import { anythingToRescue, forgetDeadSessions, rescue } from './scripts/rescue.ts';
import { anythingReady, nextReadyAt, reserve } from './scripts/reserve.ts';
import { closeSession, openSession, renew, start } from './scripts/session.ts';
import { settle } from './scripts/settle.ts';
import { stats } from './scripts/stats.ts';
import { workers } from './scripts/workers.ts';
import { StoreClock } from './store-clock.ts';
import { tablesOf, type Tables } from './tables.ts';

interface Connected {
  readonly store: SqlStore;
  readonly tables: Tables;
  readonly log: FailureLogScripts | undefined;
  readonly logIsOn: boolean;
}

/** Where a pool hears nothing of other processes: soon enough for a job that follows another, and a few statements that find nothing. */
const firstPollMs = 50;

/** A session whose lease numbers this provider gives out. */
interface OwnSession extends Session {
  lastSeq: number;
  /** The last reserve found as much as it asked for: the next one need not look first. */
  isBusy: boolean;
  /** How often in a row ready jobs were passed over because somebody else had them locked. */
  passes: number;
}

/**
 * Jobs in a database. Every method is one transaction of statements (`scripts/`), fenced by the session where a
 * worker asks; on SQLite each runs without a pause.
 */
export class DatabaseProvider extends PullProvider {
  override readonly capabilities: Capabilities = Object.freeze({
    ...noCapabilities,
    multipleQueues: true,
    delay: true,
    priority: true,
    cancel: true,
    status: true,
    transactions: true,
    unique: true,
    durableStart: true,
    durable: true,
    background: true,
  });
  private read: DatabaseProperties | undefined;
  private connecting: Promise<Connected> | undefined;
  private time: StoreClock | undefined;
  private readonly wakers = new Set<(queue?: string) => void>();
  /** Ends hearing of what other processes write. */
  private deafen: (() => void) | undefined;

  override init(context: ProviderContext): void {
    super.init(context);
    this.read = readProperties(context.name, context.properties);
    this.time = new StoreClock(context.clock);
  }

  override get clock(): Clock {
    return this.time ?? super.clock;
  }

  override get prefetch(): number {
    return this.properties.prefetch;
  }

  override get pollIntervalMs(): number {
    return this.properties.pollIntervalMs;
  }

  override get firstPollMs(): number {
    const { pollIntervalMs } = this.properties;
    return this.time?.store?.hearsOthers === false ? Math.min(firstPollMs, pollIntervalMs) : pollIntervalMs;
  }

  override get storeAddress(): StoreAddress {
    return this.properties.address;
  }

  override get tableNames(): Partial<TableNames> {
    return this.properties.names;
  }

  override get autoMigrate(): boolean | undefined {
    return this.properties.autoMigrate;
  }

  override get migrations(): readonly MigrationStep[] {
    return jobsMigrations(this.properties.tableName);
  }

  override async connect(): Promise<void> {
    await this.connected();
  }

  override async close(): Promise<void> {
    this.hear(undefined);
    this.connecting = undefined;
  }

  override async push(queue: string, jobs: readonly JobEnvelope[], options: PushOptions): Promise<readonly string[]> {
    const { store, tables } = await this.connected();
    const script = (): Script<readonly string[]> => push(tables, queue, jobs, this.now());
    if (options.transaction === undefined) {
      const ids = await store.write(script);
      this.stir(queue);
      return ids;
    }
    const ids = await store.within(options.transaction, script);
    // The jobs are there once the user's transaction commits; a rollback wakes nobody.
    void options.transaction.executionPromise.then(() => this.stir(queue)).catch(() => undefined);
    return ids;
  }

  override async openSession(info: SessionInfo): Promise<Session> {
    const { leaseMs } = this.properties;
    const id = await this.write((tables) => openSession(tables, info, leaseMs, this.now()));
    return { id, leaseMs, lastSeq: 0, isBusy: false, passes: 0 } as OwnSession;
  }

  override async closeSession(session: Session): Promise<void> {
    await this.write((tables) => closeSession(tables, session.id, this.now()));
  }

  override async reserve(session: Session, request: ReserveRequest): Promise<Reservation> {
    const { store, tables } = await this.connected();
    const own = session as OwnSession;
    if (!own.isBusy && !(await store.read(() => anythingReady(tables, request.queues, this.now())))) {
      const next = await store.read(() => nextReadyAt(tables));
      return next === undefined ? { jobs: [] } : { jobs: [], nextReadyAt: next };
    }
    const firstSeq = own.lastSeq + 1;
    // Raised before the call, so that a number whose reply was lost is never given to another job.
    own.lastSeq += request.limit;
    const {
      jobs,
      nextReadyAt: next,
      passedOver,
    } = await store.write(() => reserve(tables, session, request, { firstSeq, now: this.now() }));
    own.isBusy = jobs.length === request.limit;
    own.passes = passedOver ? own.passes + 1 : 0;
    if (passedOver) return { jobs, nextReadyAt: this.now() + this.lookAgainAfterMs(own.passes) };
    return next === undefined ? { jobs } : { jobs, nextReadyAt: next };
  }

  /** Mostly whoever holds them is done by now. Somebody who is not is not to be asked without a pause. */
  private lookAgainAfterMs(passes: number): number {
    return passes === 1 ? 0 : Math.min(2 ** passes, this.properties.pollIntervalMs);
  }

  override async start(session: Session, throughSeq: number): Promise<void> {
    await this.write((tables) => start(tables, session.id, throughSeq));
  }

  override async settle(session: Session, batch: SettleBatch): Promise<SettleReceipt> {
    const { store, tables, log, logIsOn } = await this.connected();
    const options = { session: session.id, log, logIsOn, keepCompletedMs: this.properties.keepCompletedMs, eventIdOf: () => uuidv7() };
    const receipt = await store.write(() => settle(tables, batch, { ...options, now: this.now() }));
    const left = batch.settlements.filter(({ transition }) => transition.to === 'returned' || transition.to === 'retry');
    for (const queue of new Set(left.map(({ job }) => job.queue))) this.stir(queue);
    return receipt;
  }

  override async renew(session: Session, held: Held): Promise<readonly CancelRequest[]> {
    await this.time?.adjust();
    return this.write((tables) => renew(tables, session.id, held, { now: this.now(), leaseMs: session.leaseMs }));
  }

  override async heartbeat(): Promise<Heartbeat | undefined> {
    const { store, tables } = await this.connected();
    return heartbeatTo(store, this.properties.address, tables.sessions);
  }

  override async rescue(session: Session): Promise<readonly LostJob[]> {
    const { store, tables } = await this.connected();
    if (!(await store.read(() => anythingToRescue(tables, session.id, this.now())))) return [];
    const lost = await store.write(() => rescue(tables, session.id, this.now()));
    this.stir();
    return lost;
  }

  override async adopt(session: Session, jobNames: readonly string[], telling: ReadonlySet<string>): Promise<readonly Announcement[]> {
    const { store, tables, log } = await this.connected();
    const request = { session: session.id, jobNames, telling };
    // Looked for first, so that the quiet case takes no write lock.
    if ((await store.read(() => findUntold(tables, request))).length === 0) return [];
    return store.write(() => adoptAll(tables, request, log));
  }

  override async maintain(): Promise<void> {
    const { keepCompletedMs } = this.properties;
    await this.write((tables) => removeEnded(tables, this.now() - keepCompletedMs));
    await this.write((tables) => forgetDeadSessions(tables, this.now()));
  }

  override async keepsAudit(): Promise<boolean> {
    return (await this.connected()).log !== undefined;
  }

  override async requeue(requests: readonly RequeueRequest[], options: RequeueOptions = {}): Promise<readonly RequeueOutcome[]> {
    const { audit, hold, dryRun = false } = options;
    if (dryRun) {
      const { store, tables, log } = await this.connected();
      return store.read(() => wouldRequeue(tables, requests, log));
    }
    const moved = (outcomes: readonly RequeueOutcome[]): readonly string[] =>
      requests.filter((_, index) => outcomes[index] === 'requeued').map(({ jobId }) => jobId);
    const outcomes = await this.act(
      audit,
      ({ tables, log }) => requeue(tables, requests, { log, hold, now: this.now(), eventIdOf: () => uuidv7() }),
      moved,
    );
    for (const queue of new Set(requests.map((request) => request.queue))) this.stir(queue);
    return outcomes;
  }

  override async find(jobId: string): Promise<StoredJob | undefined> {
    return this.look((tables) => find(tables, jobId));
  }

  override cancel(jobId: string, reason: string, audit?: AuditNote): Promise<CancelOutcome> {
    const done = (outcome: CancelOutcome): readonly string[] => (outcome === 'canceled' || outcome === 'cancelling' ? [jobId] : []);
    const eventId = uuidv7();
    return this.act(audit, ({ tables, log, logIsOn }) => cancel(tables, jobId, reason, { log, logIsOn, now: this.now(), eventId }), done);
  }

  override pause(queue: string, by: string, audit?: AuditNote): Promise<boolean> {
    return this.act(
      audit,
      ({ tables }) => pause(tables, queue, by, this.now()),
      (changed) => (changed ? [queue] : []),
    );
  }

  override async resume(queue: string, audit?: AuditNote): Promise<boolean> {
    const resumed = await this.act(
      audit,
      ({ tables }) => resume(tables, queue),
      (changed) => (changed ? [queue] : []),
    );
    this.stir(queue);
    return resumed;
  }

  override async stats(queue?: string): Promise<readonly QueueStats[]> {
    return this.look((tables) => stats(tables, queue, this.now()));
  }

  override async pausedQueues(): Promise<readonly string[]> {
    return this.look(pausedOnes);
  }

  override async workers(): Promise<readonly WorkerPresence[]> {
    return this.look(workers);
  }

  override async untold(): Promise<number> {
    return this.look(countUntold);
  }

  override failQueued(records: readonly FailureRecord[], audit?: AuditNote): Promise<readonly string[]> {
    return this.act(
      audit,
      ({ tables, log }) => failQueued(tables, records, { log, now: this.now() }),
      (moved) => moved,
    );
  }

  override async keepsFailedJobs(): Promise<boolean> {
    return (await this.connected()).log !== undefined;
  }

  override async forget(jobIds: readonly string[], audit?: AuditNote): Promise<readonly string[]> {
    const { keepCompletedMs } = this.properties;
    const forgotten = await this.act(
      audit,
      ({ tables, log }) => forget(tables, jobIds, { log, keepCompletedMs, now: this.now() }),
      (done) => done.jobIds,
    );
    await this.removeOrphans(forgotten.stacks);
    return forgotten.jobIds;
  }

  override async tidy(after = ''): Promise<string | undefined> {
    const { hashes, next } = await this.look((tables) => nextStacks(tables, after));
    await this.removeOrphans(hashes);
    return next;
  }

  override async holder({ key }: UniqueKey): Promise<string | undefined> {
    return this.look((tables) => holderOf(tables, key));
  }

  override async attempts(jobId: string): Promise<readonly AttemptRecord[]> {
    return this.look((tables) => attemptsOf(tables, jobId));
  }

  override async backlog(queues: readonly string[]): Promise<Backlog> {
    return this.look((tables) => backlog(tables, queues));
  }

  override onWake(wake: (queue?: string) => void): () => void {
    this.wakers.add(wake);
    this.hear(this.time?.store);
    return () => {
      this.wakers.delete(wake);
      this.hear(this.time?.store);
    };
  }

  private connected(): Promise<Connected> {
    const connecting = (this.connecting ??= this.open());
    // A store that could not be opened may be there at the next call.
    connecting.catch(() => {
      if (this.connecting === connecting) this.connecting = undefined;
    });
    return connecting;
  }

  private async open(): Promise<Connected> {
    const { address, names, autoMigrate, tableName } = this.properties;
    const { access, stores, failureLog } = this.context;
    const store = await stores.open(address, access, names);
    const tables = tablesOf(store.sql, tableName);
    const steps = this.migrations;
    if (access === 'create' && (autoMigrate ?? store.dialect === 'sqlite')) await store.migrate(steps);
    else if ((await store.pending(steps)).length > 0)
      throw new RedriveError('STORE_UNMIGRATED', `${store.location} lacks Redrive's tables, or has older ones; run "redrive migrate"`);
    const log = await failureLog();
    if (this.time !== undefined) this.time.store = store;
    this.hear(store);
    return { store, tables, log: log?.joining(store), logIsOn: log !== undefined };
  }

  private async look<T>(script: (tables: Tables) => Script<T>): Promise<T> {
    const { store, tables } = await this.connected();
    return store.read(() => script(tables));
  }

  private async write<T>(script: (tables: Tables) => Script<T>): Promise<T> {
    const { store, tables } = await this.connected();
    return store.write(() => script(tables));
  }

  /** In a transaction of its own; a process that dies before leaves them to `tidy`. */
  private async removeOrphans(hashes: readonly string[]): Promise<void> {
    const { store, tables } = await this.connected();
    if (hashes.length > 0) await store.write(() => removeOrphans(tables, hashes));
    await store.makeWay();
  }

  /** One transaction that somebody asked for by hand, and its entry in the audit. */
  private async act<T>(
    audit: AuditNote | undefined,
    script: (connected: Connected) => Script<T>,
    done: (result: T) => readonly string[],
  ): Promise<T> {
    const connected = await this.connected();
    return connected.store.write(() => audited(script(connected), { log: connected.log, audit }, done));
  }

  /** Hears of what other processes write while somebody here waits for work; a process that only dispatches need not. */
  private hear(store: SqlStore | undefined): void {
    if (store === undefined || this.wakers.size === 0) {
      this.deafen?.();
      this.deafen = undefined;
    } else this.deafen ??= store.onForeignWrite((queue) => this.wake(queue));
  }

  /** There may be something to do in a queue, or in any: says so here and elsewhere. */
  private stir(queue?: string): void {
    this.wake(queue);
    this.time?.store?.tellOthers(queue);
  }

  private wake(queue?: string): void {
    for (const wake of this.wakers) wake(queue);
  }

  private now(): number {
    return this.clock.now();
  }

  private get properties(): DatabaseProperties {
    if (this.read === undefined)
      throw new TypeError('DatabaseProvider: init() was not called; a subclass that overrides it calls super.init(context)');
    return this.read;
  }
}

function* adoptAll(tables: Tables, request: AdoptRequest, log: FailureLogScripts | undefined): Script<readonly Announcement[]> {
  const announcements: Announcement[] = [];
  const moot: string[] = [];
  for (const row of yield* adopt(tables, request)) {
    const failedJob = row.kind === 'failed' && log !== undefined ? yield* log.find(row.job_id) : undefined;
    const announcement = yield* readAnnouncement(tables, row, failedJob);
    if (announcement === undefined) moot.push(row.event_id);
    else announcements.push(announcement);
  }
  yield* forgetAnnouncements(tables, moot);
  return announcements;
}
