import type { Knex } from 'knex';
import type { Script } from '../store/script.ts';
import type { SqlStore } from '../store/sql-store.ts';
import type { Json, JsonObject } from '../job/json.ts';
import type { AuditLog, AuditNote, AuditScripts } from './audit-log.ts';
import type { BulkRetryLog, BulkRetryScripts } from './bulk-retry-log.ts';
import type { Claims } from './claims.ts';
import type { RecentFailureCounts } from './recent-failures.ts';
import type { FailureGlance, Histogram, HistogramRequest, Tally, TallyRequest } from './failure-tally.ts';
import type { ExceptionSnapshot, FailureKind, FailureRecord, WorkerIdentity } from './types.ts';

export type FailedJobStatus = 'failed' | 'retrying' | 'resolved';

/** Which failed jobs; every key narrows. */
export interface FailedJobFilter {
  /** Job ids, or failed-job numbers. */
  readonly ids?: readonly (string | number)[];
  readonly connection?: string;
  readonly queue?: string;
  readonly job?: string;
  readonly type?: string;
  readonly kind?: FailureKind;
  readonly fingerprint?: string;
  /** Found in the message or the properties, in any case. */
  readonly text?: string;
  /** Failed at or after. */
  readonly since?: Date;
  /** Failed before. */
  readonly until?: Date;
  /** Default `failed`. */
  readonly status?: FailedJobStatus | 'any';
  readonly release?: string;
}

/** Where a failed job stands in the order of lists: by the time of its failure, and by number among those of one time. */
export interface Place {
  /** Epoch ms. */
  readonly at: number;
  /** The failed job's number. */
  readonly id: number;
}

/** A failed job as the log keeps it. `memento` stays inside: it holds real values. */
export interface StoredFailedJob {
  readonly id: number;
  /** Null for a row an old cbq wrote, until it is retried. */
  readonly jobId: string | null;
  /** Rises with every terminal failure; fixes a set. */
  readonly seq: number;
  /** Where lists have it, and what their cursors hold. */
  readonly place: Place;
  readonly connection: string;
  readonly queue: string;
  readonly job: string;
  /** As it was dispatched. */
  readonly memento: string;
  /** What the last run worked on, where that was edited; null where it was the memento as dispatched. */
  readonly editedMemento: string | null;
  readonly properties: Json;
  readonly createdAt: number | null;
  readonly kind: FailureKind;
  /** Null for a row an old cbq wrote, until it fails again. */
  readonly rule: string | null;
  readonly type: string;
  readonly message: string;
  readonly detail: string | null;
  readonly extendedInfo: JsonObject | null;
  readonly stack: string;
  readonly exception: ExceptionSnapshot;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly run: number;
  readonly failedAt: number;
  readonly status: FailedJobStatus;
  readonly fingerprint: string;
  readonly worker: WorkerIdentity | null;
  readonly release: string | null;
  readonly note: string | null;
}

export interface FailedJobPage {
  /** Only rows beyond this place, in the direction of `order`. */
  readonly after?: Place;
  /** Only rows with `seq` up to and including this one: fixes a set. */
  readonly through?: number;
  readonly limit: number;
  readonly order: 'newest' | 'oldest';
}

/** A page, and where its search ended if that was before the page was full or the list at its end. */
export interface FailedJobSearch {
  readonly rows: readonly StoredFailedJob[];
  /** What lies beyond has not been looked at. */
  readonly stoppedAt?: Place;
}

/** A failed job as far as somebody needs to know it who removes it, or puts it into a set. */
export interface FailedJobRef {
  readonly id: number;
  readonly seq: number;
  readonly run: number;
  /** Null for a row an old cbq wrote. */
  readonly jobId: string | null;
  readonly connection: string;
  readonly status: FailedJobStatus;
  readonly place: Place;
}

export interface PickPage extends Pick<FailedJobPage, 'after' | 'through' | 'order'> {
  /** Further conditions, added to a Knex query builder, where the log is in a database; in memory it throws `CAPABILITY_MISSING`. */
  readonly criteria?: (query: Knex.QueryBuilder) => void;
}

/** Some failed jobs, and where to go on; no `next` at the end. */
export interface Picked {
  readonly refs: readonly FailedJobRef[];
  readonly next?: Place;
}

export interface AppendedFailure {
  readonly jobId: string;
  /** The failed job's short number. */
  readonly id: number;
}

/** A step of a failed job after its failure, told to the log. `run` is the run that the step opened or ended. */
export interface RunStep {
  readonly jobId: string;
  readonly run: number;
  readonly at: number;
  readonly note?: string;
  /** The bulk retry that opened the run. */
  readonly bulkRetry?: number;
  /** The run ended because the job was cancelled before it ran, not by success. */
  readonly cancelled?: true;
}

/** What a step says besides which run of which job it is about. */
export type StepDetail = Pick<RunStep, 'note' | 'bulkRetry' | 'cancelled'>;

/** What is said of a failed job that somebody has dealt with otherwise. */
export interface Resolution {
  readonly run: number;
  readonly note: string | undefined;
  readonly audit: AuditNote;
}

export interface ForgetRecords {
  /** None that a retry has claimed either. */
  readonly unclaimed?: boolean;
  /** Also those on record as being retried: their jobs have ended, and are gone, before the log was told. */
  readonly retrying?: boolean;
}

/**
 * Keeps failed jobs: one row a job, reopened when the job fails again.
 * Every write is idempotent and ordered by (run, status): a step that is late or told twice changes nothing.
 */
export interface FailureLog {
  /** Who did what; it is kept where the failed jobs are. */
  readonly audit: AuditLog;
  /** Retries of many, and how far they are. */
  readonly bulkRetries: BulkRetryLog;
  /** What processes that share this log do one at a time. */
  readonly claims: Claims;
  /** Failures of late, as alerts count them. */
  readonly recent: RecentFailureCounts;
  append(records: readonly FailureRecord[]): Promise<readonly AppendedFailure[]>;
  retrying(steps: readonly RunStep[]): Promise<void>;
  resolved(steps: readonly RunStep[]): Promise<void>;
  find(id: string | number): Promise<StoredFailedJob | undefined>;
  list(filter: FailedJobFilter, page: FailedJobPage): Promise<readonly StoredFailedJob[]>;
  /** The same for as long as `mayGoOn` says so; it is asked between chunks that take a few hundredths of a second. */
  search(filter: FailedJobFilter, page: FailedJobPage, mayGoOn: () => boolean): Promise<FailedJobSearch>;
  count(filter: FailedJobFilter): Promise<number>;
  /** The next failed jobs that the filter means, among a bounded number that are looked at: perhaps none, although more follow. */
  pick(filter: FailedJobFilter, page: PickPage): Promise<Picked>;
  /** What the filter means, counted by series. */
  tally(filter: FailedJobFilter, request: TallyRequest): Promise<Tally>;
  /** What the filter means, counted by time. */
  histogram(filter: FailedJobFilter, request: HistogramRequest): Promise<Histogram>;
  /** The little that a summary shows of failed jobs, by number, in no order; those that are gone are left out. */
  glance(ids: readonly number[]): Promise<readonly FailureGlance[]>;
  /** Gives a failed row that an old cbq wrote the job it is retried as: true for one caller, once. */
  claim(id: number, jobId: string): Promise<boolean>;
  /** Resolves a job that failed in this run and still is, and writes that down in the same transaction; false where it is dealt with otherwise by now. */
  resolveFailed(id: number, resolution: Resolution): Promise<boolean>;
  /** Removes failed jobs that are not being retried, by number, and returns the numbers removed. */
  forget(ids: readonly number[], options?: ForgetRecords): Promise<readonly number[]>;
  /** The highest `seq` given out so far. Rows an old cbq has written since then are given theirs first, where the store may be written. */
  lastSeq(): Promise<number>;
  /** The log's own scripts where it lives in that very store, so that its rows join the store's transactions. */
  joining(store: SqlStore): FailureLogScripts | undefined;
}

export interface FailureLogScripts {
  readonly audit: AuditScripts;
  readonly bulkRetries: BulkRetryScripts;
  append(records: readonly FailureRecord[]): Script<readonly AppendedFailure[]>;
  retrying(steps: readonly RunStep[]): Script<void>;
  resolved(steps: readonly RunStep[]): Script<void>;
  /** The numbers of these jobs' rows, for a commit whose reply was lost. */
  numbers(jobIds: readonly string[]): Script<readonly AppendedFailure[]>;
  /** With `lock`, in a transaction that writes: it is as it is found until that ends. */
  find(jobId: string, options?: { readonly lock: boolean }): Script<StoredFailedJob | undefined>;
  /** Which of these jobs somebody has resolved; with `lock` as in `find`, whatever they are. */
  resolvedAmong(jobIds: readonly string[], options: { readonly lock: boolean }): Script<readonly string[]>;
  /** Removes these jobs' rows unless they are being retried; returns the jobs of those removed. */
  forget(jobIds: readonly string[]): Script<readonly string[]>;
}
