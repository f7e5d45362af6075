import type { Lease, ReservedJob } from '../../src/provider/pull-provider.ts';
import type { Backlog } from '../../src/provider/queue-provider.ts';
import { Fifo } from './fifo.ts';
import { Heap } from './heap.ts';

/** A job and where it rests. Only {@link Jobs} moves it. */
export interface MemoryJob {
  readonly id: string;
  readonly name: string;
  /** Rises with each job stored. */
  readonly number: number;
  readonly priority: number;
  readonly createdAt: number;
  status: 'ready' | 'waiting' | 'reserved' | 'completed' | 'failed';
  line: Line;
  memento: string;
  run: number;
  /** Attempts spent in this run. */
  attempt: number;
  /** Its place among the ready ones, drawn when it became ready and kept while it is reserved. */
  readySeq: number;
  /** When it becomes ready, where it waits. */
  availableAt: number;
  lease: Lease | undefined;
  reservedAt: number;
  endedAt: number;
  result: string | undefined;
  slot: number;
}

/** What a job is made of when it is stored. */
export type NewJob = Pick<MemoryJob, 'id' | 'name' | 'priority' | 'createdAt' | 'memento' | 'run'> & { readonly queue: string };

/** One queue: its ready jobs in the order they are handed out, and how many rest elsewhere. */
export interface Line {
  readonly queue: string;
  readonly ready: Heap<MemoryJob>;
  reserved: number;
  retrying: number;
  delayed: number;
}

/** Due jobs made ready by one reserve: enough to keep a pool busy, few enough to be brief. */
const promotedAtOnce = 1_000;
/**
 * Completed jobs kept at most. `keepCompleted` is a time; at ten thousand jobs a second ten minutes of them would
 * not fit into a process.
 */
const mostCompleted = 100_000;

/** All jobs, each in exactly one place: ready in its line, waiting for its time, reserved, completed, or failed. */
export class Jobs {
  private readonly byId = new Map<string, MemoryJob>();
  private readonly lines = new Map<string, Line>();
  /** The lines by name, which is their order where a pool serves every queue. */
  private sortedLines: readonly Line[] = [];
  private readonly waiting = new Heap<MemoryJob>((a, b) => a.availableAt < b.availableAt || (a.availableAt === b.availableAt && a.number < b.number));
  private readonly completed = new Fifo<MemoryJob>();
  private lastNumber = 0;
  private lastReadySeq = 0;
  private frontSeq = 0;

  find(id: string): MemoryJob | undefined {
    return this.byId.get(id);
  }

  /** Stores a job as failed, which is nowhere in a line: the caller moves it on. */
  add({ id, name, priority, createdAt, memento, run, queue }: NewJob): MemoryJob {
    const line = this.line(queue);
    const number = ++this.lastNumber;
    const job: MemoryJob = {
      ...{ id, name, number, priority, createdAt, status: 'failed', line, memento, run },
      ...{ attempt: 0, readySeq: 0, availableAt: 0, lease: undefined, reservedAt: 0, endedAt: 0, result: undefined, slot: -1 },
    };
    this.byId.set(id, job);
    return job;
  }

  /** Behind all that is ready. */
  makeReady(job: MemoryJob): void {
    this.enterLine(job, ++this.lastReadySeq);
  }

  /** Ahead of all that is ready. */
  makeReadyAtFront(job: MemoryJob): void {
    this.enterLine(job, --this.frontSeq);
  }

  /** To the place it had before it was reserved. */
  giveBack(job: MemoryJob): void {
    this.enterLine(job, job.readySeq);
  }

  wait(job: MemoryJob, availableAt: number): void {
    this.leave(job);
    job.status = 'waiting';
    job.availableAt = availableAt;
    job.line[restOf(job)] += 1;
    this.waiting.add(job);
  }

  reserve(job: MemoryJob, lease: Lease, now: number): ReservedJob {
    this.leave(job);
    job.status = 'reserved';
    job.lease = lease;
    job.reservedAt = now;
    job.line.reserved += 1;
    return reservedJob(job, lease);
  }

  complete(job: MemoryJob, result: string | undefined, now: number): void {
    this.leave(job);
    job.status = 'completed';
    job.endedAt = now;
    job.result = result;
    // Nothing runs it again.
    job.memento = '';
    this.completed.add(job);
  }

  fail(job: MemoryJob, now: number): void {
    this.leave(job);
    job.status = 'failed';
    job.endedAt = now;
  }

  moveTo(job: MemoryJob, queue: string): void {
    this.leave(job);
    job.status = 'failed';
    job.line = this.line(queue);
  }

  /** Jobs whose time has come join the end of their line, the longest due first. */
  promoteDue(now: number): void {
    for (let promoted = 0; promoted < promotedAtOnce; promoted += 1) {
      const { first } = this.waiting;
      if (first === undefined || first.availableAt > now) return;
      this.makeReady(first);
    }
  }

  get nextReadyAt(): number | undefined {
    return this.waiting.first?.availableAt;
  }

  /** The lines a pool is served from, in its order of precedence. */
  served(queues: readonly string[]): readonly Line[] {
    if (queues.includes('*')) return this.sortedLines;
    return queues.flatMap((queue) => this.lines.get(queue) ?? []);
  }

  backlog(queues: readonly string[]): Backlog {
    const lines = this.served(queues);
    return {
      ready: lines.some(({ ready }) => ready.size > 0),
      reserved: lines.some(({ reserved }) => reserved > 0),
      retrying: lines.some(({ retrying }) => retrying > 0),
      delayed: lines.some(({ delayed }) => delayed > 0),
    };
  }

  /** Removes completed jobs that ended at or before `endedBy`, some at a time; returns them. */
  removeCompleted(endedBy: number, atMost: number): readonly MemoryJob[] {
    const removed: MemoryJob[] = [];
    while (removed.length < atMost) {
      const { first, size } = this.completed;
      if (first === undefined || (first.endedAt > endedBy && size <= mostCompleted)) break;
      this.completed.take();
      this.byId.delete(first.id);
      removed.push(first);
    }
    return removed;
  }

  private enterLine(job: MemoryJob, readySeq: number): void {
    this.leave(job);
    job.status = 'ready';
    job.readySeq = readySeq;
    job.line.ready.add(job);
  }

  private leave(job: MemoryJob): void {
    switch (job.status) {
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
      case 'completed':
      case 'failed':
        break;
    }
  }

  private line(queue: string): Line {
    const known = this.lines.get(queue);
    if (known !== undefined) return known;
    const ready = new Heap<MemoryJob>((a, b) => a.priority > b.priority || (a.priority === b.priority && a.readySeq < b.readySeq));
    const line = { queue, ready, reserved: 0, retrying: 0, delayed: 0 };
    this.lines.set(queue, line);
    this.sortedLines = [...this.sortedLines, line].toSorted((a, b) => (a.queue < b.queue ? -1 : 1));
    return line;
  }
}

/** A waiting job's attempts change only while it waits nowhere, so it leaves as what it came. */
function restOf(job: MemoryJob): 'retrying' | 'delayed' {
  return job.attempt > 0 ? 'retrying' : 'delayed';
}

export function reservedJob(job: MemoryJob, lease: Lease): ReservedJob {
  const { id, name, line, memento, run, attempt, createdAt, reservedAt } = job;
  return { id, name, queue: line.queue, memento, run, attempt: attempt + 1, createdAt, reservedAt, lease };
}
