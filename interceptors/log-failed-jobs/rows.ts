import type { Json } from '../../src/job/json.ts';
import type { FailedJobStatus, StoredFailedJob } from '../../src/record/failure-log.ts';
import type { FailureKind, FailureRecord } from '../../src/record/types.ts';
import { parse, readCbqFacts, readException, readExtendedInfo } from './cbq-row.ts';

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
  readonly event_id: string | null;
}

/** Written at each terminal failure, in this order. */
export const writtenColumns = [
  'connection',
  'queue',
  'mapping',
  'memento',
  'properties',
  'exceptionType',
  'exceptionMessage',
  'exceptionDetail',
  'exceptionExtendedInfo',
  'exceptionStackTrace',
  'exception',
  'failedDate',
  'originalId',
  'job_id',
  'failure_seq',
  'status',
  'kind',
  'rule',
  'fingerprint',
  'run',
  'attempts',
  'max_attempts',
  'created_at',
  'started_at',
  'failed_at',
  'worker_host',
  'worker_pid',
  'worker_pool',
  'release',
  'event_id',
] as const satisfies readonly (keyof FailedJobRow)[];

/** The values of {@link writtenColumns}. */
export function valuesOf(record: FailureRecord, seq: number): readonly unknown[] {
  const extendedInfo = record.extendedInfo === null ? null : JSON.stringify(record.extendedInfo);
  return [
    record.connection,
    record.queue,
    record.job,
    record.memento,
    JSON.stringify(record.properties),
    record.type,
    record.message,
    record.detail,
    extendedInfo,
    record.stack,
    JSON.stringify(record.exception),
    Math.floor(record.endedAt / 1_000),
    record.jobId,
    record.jobId,
    seq,
    'failed',
    record.kind,
    record.rule,
    record.fingerprint,
    record.run,
    record.attempt ?? 0,
    record.maxAttempts,
    record.createdAt,
    record.startedAt,
    record.endedAt,
    record.worker.host,
    record.worker.pid,
    record.worker.pool,
    record.release,
    record.eventId,
  ];
}

/** Unnumbered rows are newer than all numbered ones, so their places in the order lie beyond every number drawn. */
export const firstUnnumberedSeq = 2 ** 52;

/** A row as the rest of the program sees it. */
export function readRow(row: FailedJobRow): StoredFailedJob {
  const { worker_host: host, worker_pid: pid, worker_pool: pool } = row;
  const cbq = row.failed_at === null ? readCbqFacts(row) : undefined;
  return {
    id: row.id,
    jobId: row.job_id,
    seq: row.failure_seq ?? firstUnnumberedSeq + row.id,
    connection: row.connection,
    queue: row.queue,
    job: row.mapping,
    memento: row.memento,
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
    worker: host === null || pid === null || pool === null ? null : { host, pid, pool },
    release: row.release,
    note: row.note,
  };
}
