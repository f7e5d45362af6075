import { setImmediate } from 'node:timers/promises';
import type { Knex } from 'knex';
import type {
  AppendedFailure,
  FailedJobFilter,
  FailedJobPage,
  FailedJobSearch,
  FailureLog,
  FailureLogScripts,
  ForgetRecords,
  Picked,
  PickPage,
  Resolution,
  RunStep,
  StoredFailedJob,
} from '../../src/record/failure-log.ts';
import type { FailureGlance, Histogram, HistogramRequest, Tally, TallyRequest } from '../../src/record/failure-tally.ts';
import type { FailureRecord } from '../../src/record/types.ts';
import { grouped } from '../../src/store/grouped.ts';
import { all, change, first, withTimeout, type Script } from '../../src/store/script.ts';
import { marks, type SqlDialect } from '../../src/store/sql-dialect.ts';
import type { SqlStore, StoreAccess } from '../../src/store/sql-store.ts';
import { bulkJobScripts, type BulkJobScripts } from './bulk-retry-scripts.ts';
import { FailedJobsReader } from './failed-jobs-reader.ts';
import { findRowsToNumber, numberRows, type Unnumbered } from './number-rows.ts';
import { removeRows } from './remove-rows.ts';
import { readRow, rowOf, type FailedJobRow } from './rows.ts';
import { auditScripts, SqlAuditLog } from './sql-audit-log.ts';
import { insertSeries } from './series.ts';
import { SqlBulkRetryLog } from './sql-bulk-retry-log.ts';
import { SqlClaims } from './sql-claims.ts';
import { SqlRecentFailures } from './sql-recent-failures.ts';
import type { FailedJobsTable } from './stretches.ts';

export interface SqlFailureLogOptions {
  readonly tableName: string;
  /** Rows are given their number where it is `change` or `create`. Default `change`. */
  readonly access?: StoreAccess;
  /** How long a query that looks for, lists or counts failed jobs may take. Default: no limit of its own. */
  readonly timeoutMs?: number | undefined;
}

/** Rows looked at by one read, and numbered by one transaction: brief enough not to hold up the queue. */
const readAtOnce = 1_000;
const numberedAtOnce = 100;

/**
 * The failed-jobs log in a database: one row a job, reopened when the job fails again, and one row a group.
 * A row moves forward only, by (run, status): `failed` of a run comes after `retrying` of it, and a step of an
 * earlier run comes too late. So a step told twice, or out of order, changes nothing.
 */
export class SqlFailureLog implements FailureLog {
  readonly audit: SqlAuditLog;
  readonly bulkRetries: SqlBulkRetryLog;
  readonly claims: SqlClaims;
  readonly recent: SqlRecentFailures;
  private readonly scripts: FailureLogScripts;
  private readonly reader: FailedJobsReader;
  /** What people wait for may have a limit; what is written has none, for nobody would know what became of it. */
  private readonly patient: Pick<SqlStore, 'read'>;

  constructor(
    private readonly store: SqlStore,
    private readonly options: SqlFailureLogOptions,
  ) {
    const bulkJobs = bulkJobScripts(store.sql);
    this.scripts = failureLogScripts(store.sql, options.tableName, bulkJobs);
    const table: FailedJobsTable = { sql: store.sql, name: this.table, from: this.from };
    this.patient = patientStore(store, options.timeoutMs);
    this.reader = new FailedJobsReader(this.patient, table);
    this.audit = new SqlAuditLog(store, this.scripts.audit);
    this.bulkRetries = new SqlBulkRetryLog(store, bulkJobs, this.scripts.audit);
    this.claims = new SqlClaims(store);
    this.recent = new SqlRecentFailures(store, table);
  }

  joining(store: SqlStore): FailureLogScripts | undefined {
    return store === this.store ? this.scripts : undefined;
  }

  append(records: readonly FailureRecord[]): Promise<readonly AppendedFailure[]> {
    return this.store.write(() => this.scripts.append(records));
  }

  retrying(steps: readonly RunStep[]): Promise<void> {
    return this.store.write(() => this.scripts.retrying(steps));
  }

  resolved(steps: readonly RunStep[]): Promise<void> {
    return this.store.write(() => this.scripts.resolved(steps));
  }

  async find(id: string | number): Promise<StoredFailedJob | undefined> {
    const column = typeof id === 'number' ? 'id' : 'job_id';
    const row = await this.patient.read(() => first<FailedJobRow>(`SELECT * FROM ${this.table} WHERE ${column} = ?`, [id]));
    return row === undefined ? undefined : readRow(row);
  }

  async list(filter: FailedJobFilter, page: FailedJobPage): Promise<readonly StoredFailedJob[]> {
    return (await this.search(filter, page, () => true)).rows;
  }

  search(filter: FailedJobFilter, page: FailedJobPage, mayGoOn: () => boolean): Promise<FailedJobSearch> {
    return this.reader.search(filter, page, mayGoOn);
  }

  count(filter: FailedJobFilter): Promise<number> {
    return this.reader.count(filter);
  }

  tally(filter: FailedJobFilter, request: TallyRequest): Promise<Tally> {
    return this.reader.tally(filter, request);
  }

  histogram(filter: FailedJobFilter, request: HistogramRequest): Promise<Histogram> {
    return this.reader.histogram(filter, request);
  }

  glance(ids: readonly number[]): Promise<readonly FailureGlance[]> {
    return this.reader.glance(ids);
  }

  pick(filter: FailedJobFilter, page: PickPage): Promise<Picked> {
    return this.reader.pick(filter, page);
  }

  claim(id: number, jobId: string): Promise<boolean> {
    const { table } = this;
    const { sql } = this.store;
    return this.store.write(function* () {
      yield* numberRows(sql, table, [id]);
      return (yield* change(`UPDATE ${table} SET job_id = ? WHERE id = ? AND job_id IS NULL AND status = 'failed'`, [jobId, id])) > 0;
    });
  }

  resolveFailed(id: number, { run, note, audit }: Resolution): Promise<boolean> {
    const { table, scripts } = this;
    const { sql } = this.store;
    return this.store.write(function* () {
      yield* numberRows(sql, table, [id]);
      const row = yield* first<Pick<FailedJobRow, 'job_id'>>(
        `SELECT job_id FROM ${table}${sql.withLock} WHERE id = ? AND status = 'failed' AND run = ?${sql.forUpdate}`,
        [id, run],
      );
      if (row === undefined) return false;
      yield* change(`UPDATE ${table} SET status = 'resolved', note = coalesce(?, note) WHERE id = ?`, [note ?? null, id]);
      yield* scripts.audit.record({ ...audit, ids: [row.job_id ?? id] });
      return true;
    });
  }

  async forget(ids: readonly number[], options: ForgetRecords = {}): Promise<readonly number[]> {
    const chosen = { table: this.table, column: 'id', index: 'PRIMARY', ids, ...options } as const;
    const removed = await this.store.write(() => removeRows<number>(this.store.sql, chosen));
    await this.store.makeWay();
    return removed;
  }

  async lastSeq(): Promise<number> {
    const { access = 'change' } = this.options;
    // Who may not write moves nothing either, so that no set has to be fixed.
    if (access !== 'change' && access !== 'create') return Number.MAX_SAFE_INTEGER;
    await this.numberRows();
    const { sql } = this.store;
    // The next number, which no failure will have: finding the last one given would take an index of its own.
    return this.store.write(() => sql.draw('failure', 1));
  }

  /**
   * Gives rows that an old cbq wrote their number, oldest failure first, and fills in our own columns; cbq's are left
   * as they are. In chunks: a process that dies on the way leaves the rest to the next one.
   */
  async numberRows(onProgress?: (done: number, total: number) => void): Promise<void> {
    const rows: Unnumbered[] = [];
    for (let after = 0; ; after = rows.at(-1)?.id ?? 0) {
      const more = await this.store.read(() => findRowsToNumber(this.store.sql, this.table, after, readAtOnce));
      rows.push(...more);
      if (more.length < readAtOnce) break;
    }
    const ids = rows.toSorted((a, b) => a.failedAt - b.failedAt || a.id - b.id).map(({ id }) => id);
    for (let from = 0; from < ids.length; from += numberedAtOnce) {
      await this.store.write(() => numberRows(this.store.sql, this.table, ids.slice(from, from + numberedAtOnce)));
      onProgress?.(Math.min(ids.length, from + numberedAtOnce), ids.length);
      // Whatever else this process does goes on between two chunks.
      await setImmediate();
    }
  }

  private readonly from = (): Knex.QueryBuilder => {
    const { builder, sql } = this.store;
    const query = builder(this.options.tableName);
    return sql.names.schema === undefined ? query : query.withSchema(sql.names.schema);
  };

  private get table(): string {
    return this.store.sql.table(this.options.tableName);
  }
}

function patientStore(store: SqlStore, timeoutMs: number | undefined): Pick<SqlStore, 'read'> {
  if (timeoutMs === undefined || timeoutMs === 0) return store;
  return { read: (script) => store.read(() => withTimeout(script(), timeoutMs)) };
}

function failureLogScripts(sql: SqlDialect, tableName: string, bulkJobs: BulkJobScripts): FailureLogScripts {
  const table = sql.table(tableName);
  let isDated: boolean | undefined;
  return {
    audit: auditScripts(sql),
    bulkRetries: bulkJobs,
    *append(records) {
      const appended: AppendedFailure[] = [];
      if (records.length === 0) return appended;
      isDated ??= yield* hasTimestamps(sql, tableName);
      let seq = yield* sql.draw('failure', records.length);
      for (const record of records) {
        const { failedDate, ...rest } = rowOf(record, ++seq);
        // A timestamp of cbq's fills itself in.
        const row = isDated ? rest : { ...rest, failedDate };
        const known = yield* first<KnownRow>(
          `SELECT id, run, status, ${sql.id('rule')}, memento FROM ${table}${sql.withLock} WHERE job_id = ?${sql.forUpdate}`,
          [record.jobId],
        );
        const id = known?.id ?? (yield* sql.insert(table, row));
        if (known !== undefined && isLater(record, known)) {
          const again = { ...row, ...mementosOf(record, known) };
          const sets = Object.keys(again).map((name) => `${sql.id(name)} = ?`);
          yield* change(`UPDATE ${table} SET ${sets.join(', ')} WHERE id = ?`, [...Object.values(again), id]);
        }
        appended.push({ jobId: record.jobId, id });
      }
      yield* insertSeries(
        sql,
        records.map((record) => ({ ...record, failedAt: record.endedAt })),
      );
      yield* bulkJobs.ended(records, 'failed');
      return appended;
    },
    *retrying(steps) {
      // A call retries most of its jobs in one run, with one note.
      for (const group of grouped(steps, ({ run, note }) => JSON.stringify([run, note]))) {
        const [{ run, note = null }] = group;
        const ids = group.map(({ jobId }) => jobId);
        yield* change(
          `UPDATE ${table} SET status = 'retrying', run = ?, note = coalesce(?, note) WHERE job_id IN (${marks(ids)}) AND run < ?`,
          [run, note, ...ids, run],
        );
      }
      yield* bulkJobs.moved(steps);
    },
    *resolved(steps) {
      for (const { jobId, run, note } of steps) {
        yield* change(
          `UPDATE ${table} SET status = 'resolved', run = ?, note = coalesce(?, note) WHERE job_id = ? AND run <= ? AND status <> 'resolved'`,
          [run, note ?? null, jobId, run],
        );
      }
      for (const group of grouped(steps, ({ cancelled = false }) => String(cancelled)))
        yield* bulkJobs.ended(group, group[0].cancelled === true ? 'cancelled' : 'resolved');
    },
    *numbers(jobIds) {
      if (jobIds.length === 0) return [];
      const rows = yield* all<{ id: number; job_id: string }>(`SELECT id, job_id FROM ${table} WHERE job_id IN (${marks(jobIds)})`, jobIds);
      return rows.map(({ id, job_id: jobId }) => ({ jobId, id }));
    },
    *resolvedAmong(jobIds, { lock }) {
      if (jobIds.length === 0) return [];
      const [withLock, forUpdate] = lock ? [sql.withLock, sql.forUpdate] : ['', ''];
      const rows = yield* all<{ job_id: string; status: string | null }>(
        `SELECT job_id, status FROM ${table}${withLock}${sql.via(`${tableName}_job`)} WHERE job_id IN (${marks(jobIds)}) ORDER BY id${forUpdate}`,
        jobIds,
      );
      return rows.filter(({ status }) => status === 'resolved').map(({ job_id: jobId }) => jobId);
    },
    *forget(jobIds) {
      return yield* removeRows<string>(sql, { table, column: 'job_id', index: `${tableName}_job`, ids: jobIds });
    },
    *find(jobId, { lock } = { lock: false }) {
      const [withLock, forUpdate] = lock ? [sql.withLock, sql.forUpdate] : ['', ''];
      const row = yield* first<FailedJobRow>(`SELECT * FROM ${table}${withLock} WHERE job_id = ?${forUpdate}`, [jobId]);
      return row === undefined ? undefined : readRow(row);
    },
  };
}

/** Whether `failedDate` is a timestamp still, as before cbq 3: a server takes no number there. What we read is in a column of our own. */
function* hasTimestamps(sql: SqlDialect, tableName: string): Script<boolean> {
  if (sql.name === 'sqlite') return false;
  const { schema } = sql.names;
  const row = yield* first<{ type: string }>(
    `SELECT DATA_TYPE AS type FROM INFORMATION_SCHEMA.COLUMNS
      WHERE TABLE_SCHEMA = ${schema === undefined ? 'DATABASE()' : '?'} AND TABLE_NAME = ? AND COLUMN_NAME = 'failedDate'`,
    schema === undefined ? [tableName] : [schema, tableName],
  );
  return /^(?:timestamp|datetime)/i.test(row?.type ?? '');
}

type KnownRow = Pick<FailedJobRow, 'id' | 'run' | 'status' | 'rule' | 'memento'>;

/** A job that was edited fails again as what it became; what was dispatched stays on record. What cbq wrote says nothing to us. */
function mementosOf({ memento }: FailureRecord, known: KnownRow): Pick<FailedJobRow, 'memento' | 'edited_memento'> {
  if (known.rule === null || known.memento === memento) return { memento, edited_memento: null };
  return { memento: known.memento, edited_memento: memento };
}

/** A failure of a later run, or the end of the run that a retry opened; anything else was told before. */
function isLater(record: FailureRecord, known: Pick<FailedJobRow, 'run' | 'status'>): boolean {
  const run = known.run ?? 0;
  return run < record.run || (run === record.run && known.status === 'retrying');
}
