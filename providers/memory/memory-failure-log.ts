import { RedriveError } from '../../src/errors.ts';
import type {
  AppendedFailure,
  FailedJobFilter,
  FailedJobPage,
  FailedJobRef,
  FailedJobSearch,
  FailedJobStatus,
  FailureLog,
  ForgetRecords,
  Picked,
  PickPage,
  Resolution,
  RunStep,
  StoredFailedJob,
} from '../../src/record/failure-log.ts';
import {
  addToSpan,
  emptySpans,
  SeriesCounter,
  type FailureGlance,
  type Histogram,
  type HistogramRequest,
  type Tally,
  type TallyRequest,
} from '../../src/record/failure-tally.ts';
import type { FailureRecord } from '../../src/record/types.ts';
import { matcherOf } from './failed-job-filter.ts';
import { FailureOrder } from './failure-order.ts';
import { readFailure, writeFailure } from './failure-text.ts';
import { MemoryAuditLog } from './memory-audit-log.ts';
import { MemoryBulkRetries } from './memory-bulk-retries.ts';
import { MemoryClaims } from './memory-claims.ts';
import { MemoryRecentFailures } from './memory-recent-failures.ts';

/** A failure ready to be kept: its text, and apart from it what filters ask for. */
export interface KeptFailure {
  readonly jobId: string;
  readonly run: number;
  readonly connection: string;
  readonly queue: string;
  readonly job: string;
  readonly type: string;
  readonly kind: FailureRecord['kind'];
  readonly fingerprint: string;
  readonly release: string | null;
  readonly failedAt: number;
  readonly message: string;
  /** As JSON. */
  readonly properties: string;
  readonly memento: string;
  readonly text: string;
}

/** One failed job; the same row for its whole life. */
export interface FailedJobRow {
  readonly id: number;
  seq: number;
  failure: KeptFailure;
  status: FailedJobStatus;
  run: number;
  note: string | null;
  /** As it was dispatched: an edited job fails again as what it became. */
  readonly memento: string;
}

/** Rows looked at between two questions whether to go on. */
const chunkSize = 1_000;

/** Puts a record into the form it is kept in. Whatever could throw does so here, before anything is changed. */
export function keepFailure(record: FailureRecord): KeptFailure {
  const { jobId, run, connection, queue, job, type, kind, fingerprint, release, endedAt: failedAt, message, memento } = record;
  const properties = JSON.stringify(record.properties);
  return {
    jobId,
    run,
    connection,
    queue,
    job,
    type,
    kind,
    fingerprint,
    release,
    failedAt,
    message,
    properties,
    memento,
    text: writeFailure(record),
  };
}

/**
 * The failed-jobs log in memory: one row a job, reopened when the job fails again. A row moves forward only, by
 * (run, status), so that a step told twice, or too late, changes nothing. The synchronous methods are for a provider
 * whose jobs are in memory as well, which writes here in the same step as it settles them.
 */
export class MemoryFailureLog implements FailureLog {
  readonly audit = new MemoryAuditLog();
  readonly bulkRetries = new MemoryBulkRetries(this.audit);
  readonly claims = new MemoryClaims();
  readonly recent = new MemoryRecentFailures(() => this.newestFirst());
  private readonly byJob = new Map<string, FailedJobRow>();
  private readonly byNumber = new Map<number, FailedJobRow>();
  private readonly order = new FailureOrder<FailedJobRow>();
  private seq = 0;
  private lastNumber = 0;

  joining(): undefined {
    return undefined;
  }

  async append(records: readonly FailureRecord[]): Promise<readonly AppendedFailure[]> {
    return records.map(keepFailure).map((failure) => ({ jobId: failure.jobId, id: this.appendNow(failure) }));
  }

  async retrying(steps: readonly RunStep[]): Promise<void> {
    for (const step of steps) this.retryingNow(step);
  }

  async resolved(steps: readonly RunStep[]): Promise<void> {
    for (const step of steps) this.resolvedNow(step);
  }

  async find(id: string | number): Promise<StoredFailedJob | undefined> {
    const row = typeof id === 'number' ? this.byNumber.get(id) : this.byJob.get(id);
    return row === undefined ? undefined : this.readRow(row);
  }

  async list(filter: FailedJobFilter, page: FailedJobPage): Promise<readonly StoredFailedJob[]> {
    return (await this.search(filter, page)).rows;
  }

  async search(
    filter: FailedJobFilter,
    { after, through = Number.POSITIVE_INFINITY, limit, order }: FailedJobPage,
    mayGoOn: () => boolean = () => true,
  ): Promise<FailedJobSearch> {
    const matches = matcherOf(filter);
    const rows: StoredFailedJob[] = [];
    let looked = 0;
    for (const row of this.order.walk(after, order)) {
      if (row.seq <= through && matches(row)) rows.push(this.readRow(row));
      if (rows.length === limit) break;
      looked += 1;
      if (looked % chunkSize === 0 && !mayGoOn()) return { rows, stoppedAt: this.order.placeOf(row) };
    }
    return { rows };
  }

  async count(filter: FailedJobFilter): Promise<number> {
    const matches = matcherOf(filter);
    let count = 0;
    for (const row of this.byJob.values()) if (matches(row)) count += 1;
    return count;
  }

  async tally(filter: FailedJobFilter, request: TallyRequest): Promise<Tally> {
    const counter = new SeriesCounter(request);
    const partial = this.each(filter, request.mayGoOn, ({ id, failure }) => {
      const { connection, queue, kind, fingerprint, job, type } = failure;
      counter.add(
        JSON.stringify([connection, queue, kind, fingerprint]),
        { connection, queue, kind, fingerprint, job, type },
        { at: failure.failedAt, id },
      );
    });
    return { series: counter.tallies(), partial };
  }

  async histogram(filter: FailedJobFilter, { spans, mayGoOn }: HistogramRequest): Promise<Histogram> {
    const counts = emptySpans(spans);
    const partial = this.each(filter, mayGoOn, ({ failure }) => addToSpan(counts, spans, { at: failure.failedAt, count: 1 }));
    return { spans: counts, partial };
  }

  async glance(ids: readonly number[]): Promise<readonly FailureGlance[]> {
    return ids.flatMap((id) => {
      const row = this.byNumber.get(id);
      if (row === undefined) return [];
      const { message, release, worker } = this.readRow(row);
      return [{ id, message, release, worker }];
    });
  }

  async pick(filter: FailedJobFilter, { after, through = Number.POSITIVE_INFINITY, order, criteria }: PickPage): Promise<Picked> {
    if (criteria !== undefined)
      throw new RedriveError(
        'CAPABILITY_MISSING',
        'Failed jobs in memory cannot be chosen by a function of a query; give logFailedJobsProperties.cleanup.criteria as { olderThan }',
      );
    const matches = matcherOf(filter);
    const refs: FailedJobRef[] = [];
    let looked = 0;
    for (const row of this.order.walk(after, order)) {
      const { id, failure, status, seq, run } = row;
      const { jobId, connection } = failure;
      const place = this.order.placeOf(row);
      if (seq <= through && matches(row)) refs.push({ id, seq, run, jobId, connection, status, place });
      looked += 1;
      if (looked === chunkSize) return { refs, next: place };
    }
    return { refs };
  }

  /** Every row here has its job's id. */
  async claim(): Promise<boolean> {
    return false;
  }

  async resolveFailed(id: number, { run, note, audit }: Resolution): Promise<boolean> {
    const row = this.byNumber.get(id);
    if (row === undefined || row.status !== 'failed' || row.run !== run) return false;
    Object.assign(row, { status: 'resolved', note: note ?? row.note } satisfies Partial<FailedJobRow>);
    await this.audit.record({ ...audit, ids: [row.failure.jobId] });
    return true;
  }

  async forget(ids: readonly number[], options: ForgetRecords = {}): Promise<readonly number[]> {
    return ids.filter((id) => {
      const row = this.byNumber.get(id);
      return row !== undefined && this.forgetNow(row.failure.jobId, options);
    });
  }

  async lastSeq(): Promise<number> {
    return this.seq;
  }

  /** Keeps a failure and returns its failed job's number; one that was kept before, or is overtaken, changes nothing. */
  appendNow(failure: KeptFailure): number {
    const known = this.byJob.get(failure.jobId);
    const isNews = known === undefined || known.run < failure.run || (known.run === failure.run && known.status === 'retrying');
    if (!isNews) return known.id;
    this.bulkRetries.endedNow(failure, 'failed');
    const seq = ++this.seq;
    this.recent.note(failure);
    const { run, memento } = failure;
    const row = known ?? { id: ++this.lastNumber, seq, failure, status: 'failed', run, note: null, memento };
    if (known === undefined) {
      this.byJob.set(failure.jobId, row);
      this.byNumber.set(row.id, row);
    } else Object.assign(row, { seq, failure, status: 'failed', run: failure.run } satisfies Partial<FailedJobRow>);
    this.order.enter(row, failure.failedAt);
    return row.id;
  }

  retryingNow(step: RunStep): void {
    const { jobId, run, note } = step;
    this.bulkRetries.movedNow(step);
    const row = this.byJob.get(jobId);
    if (row !== undefined && row.run < run)
      Object.assign(row, { status: 'retrying', run, note: note ?? row.note } satisfies Partial<FailedJobRow>);
  }

  resolvedNow(step: RunStep): void {
    const { jobId, run, note } = step;
    this.bulkRetries.endedNow(step, step.cancelled === true ? 'cancelled' : 'resolved');
    const row = this.byJob.get(jobId);
    if (row !== undefined && row.run <= run && row.status !== 'resolved')
      Object.assign(row, { status: 'resolved', run, note: note ?? row.note } satisfies Partial<FailedJobRow>);
  }

  /** Removes a failed job, unless told otherwise one that is not being retried; true where one was removed. */
  forgetNow(jobId: string, { retrying = false }: ForgetRecords = {}): boolean {
    const row = this.byJob.get(jobId);
    if (row === undefined || (row.status === 'retrying' && !retrying)) return false;
    this.byJob.delete(jobId);
    this.byNumber.delete(row.id);
    this.order.leave(row);
    return true;
  }

  private *newestFirst(): Generator<KeptFailure, void, void> {
    for (const { failure } of this.order.walk(undefined, 'newest')) yield failure;
  }

  /** How a failed job stands. */
  standing(jobId: string): Pick<FailedJobRow, 'status' | 'run'> | undefined {
    return this.byJob.get(jobId);
  }

  numberOf(jobId: string): number | undefined {
    return this.byJob.get(jobId)?.id;
  }

  /** Takes every row that the filter means, newest first; true where `mayGoOn` ended it. */
  private each(filter: FailedJobFilter, mayGoOn: () => boolean, take: (row: FailedJobRow) => void): boolean {
    const matches = matcherOf(filter);
    let looked = 0;
    for (const row of this.order.walk(undefined, 'newest')) {
      if (looked > 0 && looked % chunkSize === 0 && !mayGoOn()) return true;
      if (matches(row)) take(row);
      looked += 1;
    }
    return false;
  }

  private readRow(row: FailedJobRow): StoredFailedJob {
    const { id, seq, failure, status, run, note, memento } = row;
    const { eventId: _eventId, attempt, startedAt: _startedAt, endedAt: failedAt, retryAt: _retryAt, ...told } = readFailure(failure.text);
    const editedMemento = told.memento === memento ? null : told.memento;
    const kept = { id, seq, place: this.order.placeOf(row), status, run, note, memento, editedMemento };
    return { ...told, ...kept, attempts: attempt ?? 0, failedAt };
  }
}
