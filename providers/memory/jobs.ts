import type { Lease, ReservedJob } from '../../src/provider/pull-provider.ts';
import type { Backlog, StoredJob, UniqueKey } from '../../src/provider/queue-provider.ts';
import { Fifo } from './fifo.ts';
import { Heap } from './heap.ts';
import { Lines, type Line } from './lines.ts';

/** A job and where it rests. Only {@link Jobs} moves it. */
export interface MemoryJob {
  readonly id: string;
  readonly name: string;
  /** Rises with each job stored. */
  readonly number: number;
  readonly priority: number;
  readonly createdAt: number;
  state: StoredJob['state'];
  line: Line;
  memento: string;
  run: number;
  /** Attempts spent in this run. */
  attempt: number;
  /** Its place among the ready ones, drawn when it became ready and kept while it is reserved. */
  readySeq: number;
  /** When it becomes, or became, ready. */
  availableAt: number;
  unique: UniqueKey | undefined;
  lease: Lease | undefined;
  /** Somebody wants the running job cancelled. */
  cancelReason: string | undefined;
  firstStartedAt: number | null;
  reservedAt: number | null;
  endedAt: number | null;
  result: string | null;
  slot: number;
}

/** What a job is made of when it is stored. */
export type NewJob = Pick<MemoryJob, 'id' | 'name' | 'priority' | 'createdAt' | 'memento' | 'run'> & { readonly queue: string };

/** Due jobs made ready by one reserve: enough to keep a pool busy, few enough to be brief. */
const promotedAtOnce = 1_000;
/**
 * Ended jobs kept at most. How long they are kept is a time; at ten thousand jobs a second ten minutes of them would
 * not fit into a process.
 */
const mostEnded = 100_000;

/** All jobs, each in exactly one place: ready in its line, waiting for its time, reserved, or ended. */
export class Jobs {
  readonly lines = new Lines();
  private readonly byId = new Map<string, MemoryJob>();
  private readonly byUniqueKey = new Map<string, MemoryJob>();
  private readonly waiting = new Heap<MemoryJob>(
    (a, b) => a.availableAt < b.availableAt || (a.availableAt === b.availableAt && a.number < b.number),
  );
  /** Completed and cancelled ones, in the order of their end. */
  private readonly ended = new Fifo<MemoryJob>();
  private lastNumber = 0;
  private lastReadySeq = 0;
  private frontSeq = 0;

  find(id: string): MemoryJob | undefined {
    return this.byId.get(id);
  }

  /** The job that holds a unique key. */
  holderOf(key: string): MemoryJob | undefined {
    return this.byUniqueKey.get(key);
  }

  /** Stores a job, at first outside of every line: the caller moves it on. */
  add({ id, name, priority, createdAt, memento, run, queue }: NewJob): MemoryJob {
    const job: MemoryJob = {
      id,
      name,
      number: ++this.lastNumber,
      priority,
      createdAt,
      state: 'failed',
      line: this.lines.of(queue),
      memento,
      run,
      attempt: 0,
      readySeq: 0,
      availableAt: 0,
      unique: undefined,
      lease: undefined,
      cancelReason: undefined,
      firstStartedAt: null,
      reservedAt: null,
      endedAt: null,
      result: null,
      slot: -1,
    };
    job.line.failed += 1;
    this.byId.set(id, job);
    return job;
  }

  /** Takes a key nobody holds, or none; one that was held before is let go. */
  hold(job: MemoryJob, unique: UniqueKey | undefined): void {
    if (job.unique !== undefined && this.byUniqueKey.get(job.unique.key) === job) this.byUniqueKey.delete(job.unique.key);
    job.unique = unique;
    if (unique !== undefined) this.byUniqueKey.set(unique.key, job);
  }

  /** Behind all that is ready. */
  makeReady(job: MemoryJob, availableAt: number): void {
    this.enterLine(job, ++this.lastReadySeq, availableAt);
  }

  /** Ahead of all that is ready. */
  makeReadyAtFront(job: MemoryJob, availableAt: number): void {
    this.enterLine(job, --this.frontSeq, availableAt);
  }

  /** To the place it had before it was reserved. */
  giveBack(job: MemoryJob): void {
    this.enterLine(job, job.readySeq, job.availableAt);
  }

  wait(job: MemoryJob, availableAt: number): void {
    this.leave(job);
    job.state = 'waiting';
    job.availableAt = availableAt;
    job.line[restOf(job)] += 1;
    this.waiting.add(job);
  }

  reserve(job: MemoryJob, lease: Lease, now: number): ReservedJob {
    this.leave(job);
    job.state = 'reserved';
    job.lease = lease;
    job.reservedAt = now;
    job.firstStartedAt ??= now;
    job.line.reserved += 1;
    if (job.unique?.scope === 'queued') this.hold(job, undefined);
    return reservedJob(job, lease);
  }

  complete(job: MemoryJob, result: string | undefined, now: number): void {
    this.end(job, 'completed', now);
    job.result = result ?? null;
    job.line.completed += 1;
  }

  cancel(job: MemoryJob, now: number): void {
    this.end(job, 'canceled', now);
  }

  fail(job: MemoryJob, now: number): void {
    this.leave(job);
    job.state = 'failed';
    job.endedAt = now;
    job.line.failed += 1;
    // Unless the key's scope is to outlast the failure.
    if (job.unique?.scope !== 'failed') this.hold(job, undefined);
  }

  /** The failed job as a new run of itself, in a queue of the caller's choice and still outside of its line. */
  reopen(job: MemoryJob, queue: string): void {
    this.leave(job);
    job.line = this.lines.of(queue);
    job.line.failed += 1;
    job.run += 1;
    job.attempt = 0;
    job.firstStartedAt = null;
    job.reservedAt = null;
    job.endedAt = null;
  }

  /** Removes an ended job. */
  remove(job: MemoryJob): void {
    this.leave(job);
    this.hold(job, undefined);
    this.byId.delete(job.id);
  }

  /** Jobs whose time has come join the end of their line, the longest due first. */
  promoteDue(now: number): void {
    for (let promoted = 0; promoted < promotedAtOnce; promoted += 1) {
      const { first } = this.waiting;
      if (first === undefined || first.availableAt > now) return;
      this.makeReady(first, first.availableAt);
    }
  }

  get nextReadyAt(): number | undefined {
    return this.waiting.first?.availableAt;
  }

  /** When the first of some waiting jobs becomes ready. */
  nextReadyOf(ids: ReadonlySet<string>): number | undefined {
    const times = [...ids].flatMap((id) => {
      const job = this.byId.get(id);
      return job?.state === 'waiting' ? [job.availableAt] : [];
    });
    return times.length === 0 ? undefined : times.reduce((first, at) => Math.min(first, at));
  }

  backlog(queues: readonly string[]): Backlog {
    const lines = this.lines.served(queues);
    return {
      ready: lines.some(({ ready }) => ready.size > 0),
      reserved: lines.some(({ reserved }) => reserved > 0),
      retrying: lines.some(({ retrying }) => retrying > 0),
      delayed: lines.some(({ delayed }) => delayed > 0),
    };
  }

  /** Removes completed and cancelled jobs that ended at or before `endedBy`, some at a time; returns them. */
  removeEnded(endedBy: number, atMost: number): readonly MemoryJob[] {
    const removed: MemoryJob[] = [];
    for (let count = 0; count < atMost; count += 1) {
      const { first, size } = this.ended;
      if (first === undefined || ((first.endedAt ?? 0) > endedBy && size <= mostEnded)) break;
      this.ended.take();
      // Somebody else may have removed it by hand.
      if (this.byId.get(first.id) !== first) continue;
      this.remove(first);
      removed.push(first);
    }
    return removed;
  }

  private end(job: MemoryJob, state: 'completed' | 'canceled', now: number): void {
    this.leave(job);
    job.state = state;
    job.endedAt = now;
    this.hold(job, undefined);
    this.ended.add(job);
  }

  private enterLine(job: MemoryJob, readySeq: number, availableAt: number): void {
    this.leave(job);
    job.state = 'ready';
    job.readySeq = readySeq;
    job.availableAt = availableAt;
    job.line.ready.add(job);
  }

  private leave(job: MemoryJob): void {
    switch (job.state) {
      case 'ready':
        job.line.ready.remove(job);
        break;
      case 'waiting':
        job.line[restOf(job)] -= 1;
        this.waiting.remove(job);
        break;
      case 'reserved':
        job.line.reserved -= 1;
        job.lease = undefined;
        break;
      case 'failed':
        job.line.failed -= 1;
        break;
      case 'completed':
      case 'canceled':
        break;
    }
  }
}

/** What a waiting job waits for. Its attempts change only while it does not wait, so it leaves as what it came. */
function restOf(job: MemoryJob): 'retrying' | 'delayed' {
  return job.attempt > 0 ? 'retrying' : 'delayed';
}

export function reservedJob(job: MemoryJob, lease: Lease): ReservedJob {
  const { id, name, line, memento, run, attempt, createdAt } = job;
  const reservedAt = job.reservedAt ?? createdAt;
  return {
    id,
    name,
    queue: line.queue,
    memento,
    run,
    attempt: attempt + 1,
    createdAt,
    firstStartedAt: job.firstStartedAt ?? reservedAt,
    reservedAt,
    lease,
  };
}

export function storedJob(job: MemoryJob): StoredJob {
  const { id, name, line, memento, state, priority, run, attempt, createdAt, reservedAt: startedAt, endedAt, result } = job;
  return { id, name, queue: line.queue, memento, state, priority, run, attempt, createdAt, startedAt, endedAt, result };
}
