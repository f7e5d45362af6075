import type { NewRow } from '../../src/store/sql-dialect.ts';
import type { Json } from '../../src/job/json.ts';
import type { FailedJobStatus, Place, StoredFailedJob } from '../../src/record/failure-log.ts';
import type { FailureKind, FailureRecord, WorkerIdentity } from '../../src/record/types.ts';
import { parse, readCbqFacts, readException, readExtendedInfo, readFailedDate } from './cbq-row.ts';
import { seriesOf } from './series.ts';

/**
 * A row of the failed-jobs table. What an old cbq wrote has null in all our own columns until it is numbered: it gets
 * its `failure_seq` and, with it, a status.
 */
export interface FailedJobRow {
  readonly id: number;
  readonly connection: string;
  readonly queue: string;
  readonly mapping: string;
  readonly memento: string;
  readonly properties: string;
  readonly exceptionType: string | null;
  readonly exceptionMessage: string | null;
  readonly exceptionDetail: string | null;
  readonly exceptionExtendedInfo: string | null;
  readonly exceptionStackTrace: string | null;
  readonly exception: string;
  /** Unix seconds; in a table of before cbq 3 a timestamp. */
  readonly failedDate: unknown;
  readonly originalId: string | null;
  readonly job_id: string | null;
  readonly failure_seq: number | null;
  readonly status: FailedJobStatus | null;
  readonly kind: FailureKind | null;
  readonly rule: string | null;
  readonly fingerprint: string | null;
  readonly series: string | null;
  readonly run: number | null;
  readonly attempts: number | null;
  readonly max_attempts: number | null;
  readonly created_at: number | null;
  readonly started_at: number | null;
  readonly failed_at: number | null;
  readonly worker_host: string | null;
  readonly worker_pid: number | null;
  readonly worker_pool: string | null;
  readonly release: string | null;
  readonly note: string | null;
  readonly edited_memento: string | null;
  readonly event_id: string | null;
}

/** What is written of a failure, by column. */
export function rowOf(record: FailureRecord, seq: number): NewRow {
  return {
    connection: record.connection,
    queue: record.queue,
    mapping: record.job,
    memento: record.memento,
    properties: JSON.stringify(record.properties),
    exceptionType: record.type,
    exceptionMessage: record.message,
    exceptionDetail: record.detail,
    exceptionExtendedInfo: record.extendedInfo === null ? null : JSON.stringify(record.extendedInfo),
    exceptionStackTrace: record.stack,
    exception: JSON.stringify(record.exception),
    failedDate: Math.floor(record.endedAt / 1_000),
    originalId: record.jobId,
    job_id: record.jobId,
    failure_seq: seq,
    status: 'failed',
    kind: record.kind,
    rule: record.rule,
    fingerprint: record.fingerprint,
    series: seriesOf(record),
    run: record.run,
    attempts: record.attempt ?? 0,
    max_attempts: record.maxAttempts,
    created_at: record.createdAt,
    started_at: record.startedAt,
    failed_at: record.endedAt,
    worker_host: record.worker.host,
    worker_pid: record.worker.pid,
    worker_pool: record.worker.pool,
    release: record.release,
    event_id: record.eventId,
  };
}

/** Unnumbered rows are behind all numbered ones in the order of their being written. */
export const firstUnnumbered = 2 ** 52;

export function placeOf(row: Pick<FailedJobRow, 'id' | 'failed_at' | 'failedDate'>): Place {
  return { at: row.failed_at ?? readFailedDate(row.failedDate), id: row.id };
}

/** A row as the rest of the program sees it. */
export function readRow(row: FailedJobRow): StoredFailedJob {
  const cbq = row.failed_at === null ? readCbqFacts(row) : undefined;
  return {
    id: row.id,
    jobId: row.job_id,
    seq: row.failure_seq ?? firstUnnumbered + row.id,
    place: placeOf(row),
    connection: row.connection,
    queue: row.queue,
    job: row.mapping,
    memento: row.memento,
    editedMemento: row.edited_memento,
    properties: parse<Json>(row.properties, null),
    createdAt: row.created_at,
    kind: row.kind ?? 'exception',
    rule: row.rule,
    type: row.exceptionType ?? '',
    message: row.exceptionMessage ?? '',
    detail: row.exceptionDetail,
    extendedInfo: readExtendedInfo(row.exceptionExtendedInfo),
    stack: row.exceptionStackTrace ?? '',
    exception: readException(row),
    attempts: row.attempts ?? cbq?.attempts ?? 1,
    maxAttempts: row.max_attempts ?? cbq?.maxAttempts ?? 1,
    run: row.run ?? 1,
    failedAt: row.failed_at ?? cbq?.failedAt ?? 0,
    status: row.status ?? 'failed',
    fingerprint: row.fingerprint ?? '',
    worker: workerOf(row),
    release: row.release,
    note: row.note,
  };
}

/** The worker of the last attempt; null where none is on record. */
export function workerOf(row: Pick<FailedJobRow, 'worker_host' | 'worker_pid' | 'worker_pool'>): WorkerIdentity | null {
  const { worker_host: host, worker_pid: pid, worker_pool: pool } = row;
  return host === null || pid === null || pool === null ? null : { host, pid, pool };
}
