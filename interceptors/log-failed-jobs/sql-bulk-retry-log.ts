import type { AuditEntry, AuditNote, AuditScripts } from '../../src/record/audit-log.ts';
import type {
  BulkHold,
  BulkJobKey,
  BulkLease,
  BulkRetryLog,
  BulkStep,
  BulkTally,
  NewBulkRetry,
  SkippedJob,
  StoredBulkRetry,
} from '../../src/record/bulk-retry-log.ts';
import type { Place } from '../../src/record/failure-log.ts';
import { all, change, first } from '../../src/store/script.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { readBulkJob, readBulkRetry, type BulkRetryRow } from './bulk-retry-rows.ts';
import { collect, compact, create, letGo, pending, skip, step, take, tally, type BulkJobScripts } from './bulk-retry-scripts.ts';

/** Bulk retries in the database of the failed-jobs log. */
export class SqlBulkRetryLog implements BulkRetryLog {
  constructor(
    private readonly store: SqlStore,
    private readonly scripts: BulkJobScripts,
    private readonly audit: AuditScripts,
  ) {}

  async create(retry: NewBulkRetry): Promise<StoredBulkRetry> {
    return readBulkRetry(await this.store.write(() => create(this.store.sql, retry)));
  }

  async find(id: number): Promise<StoredBulkRetry | undefined> {
    const row = await this.store.read(() => first<BulkRetryRow>(`SELECT * FROM ${this.table} WHERE id = ?`, [id]));
    return row === undefined ? undefined : readBulkRetry(row);
  }

  async list({ limit, before }: { readonly limit: number; readonly before?: number }): Promise<readonly StoredBulkRetry[]> {
    const [where, bindings] = before === undefined ? ['', []] : [' WHERE id < ?', [before]];
    const sql = `SELECT * FROM ${this.table}${where} ORDER BY id DESC${this.store.sql.limit('?')}`;
    return (await this.store.read(() => all<BulkRetryRow>(sql, [...bindings, limit]))).map(readBulkRetry);
  }

  async undriven(now: number): Promise<readonly number[]> {
    const sql = `SELECT id FROM ${this.table} WHERE state = 'running' AND driven_until <= ? ORDER BY id`;
    return (await this.store.read(() => all<{ id: number }>(sql, [now]))).map(({ id }) => id);
  }

  async take(id: number, times: { readonly now: number; readonly until: number }): Promise<StoredBulkRetry | undefined> {
    const row = await this.store.write(() => take(this.store.sql, id, times));
    return row === undefined ? undefined : readBulkRetry(row);
  }

  hold(hold: BulkHold): Promise<void> {
    return this.store.write(() => this.scripts.hold(hold));
  }

  letGo(lease: BulkLease): Promise<void> {
    return this.store.write(() => letGo(this.store.sql, lease));
  }

  collect(hold: BulkHold, jobs: readonly BulkJobKey[], next: Place | null, audit: AuditNote): Promise<void> {
    const { sql } = this.store;
    const audits = this.audit;
    return this.store.write(function* () {
      const count = yield* collect(sql, hold, { jobs, next });
      if (next === null) yield* audits.record({ ...audit, ids: [hold.id], count } satisfies AuditEntry);
    });
  }

  async pending(id: number, page: { readonly after: number; readonly limit: number }): Promise<readonly BulkJobKey[]> {
    return (await this.store.read(() => pending(this.store.sql, id, page))).map(readBulkJob);
  }

  async claimed(id: number, { seq, jobId }: { readonly seq: number; readonly jobId: string }): Promise<void> {
    const sql = `UPDATE ${this.store.sql.own('bulk_jobs')} SET job_id = ? WHERE bulk_retry = ? AND seq = ?`;
    await this.store.write(() => change(sql, [jobId, id, seq]));
  }

  async skip(id: number, jobs: readonly SkippedJob[]): Promise<void> {
    if (jobs.length > 0) await this.store.write(() => skip(this.store.sql, id, jobs));
  }

  step(id: number, wanted: BulkStep): Promise<boolean> {
    return this.store.write(() => step(this.store.sql, id, wanted, this.audit));
  }

  tally(id: number): Promise<BulkTally> {
    return this.store.read(() => tally(this.store.sql, id));
  }

  compact(endedBy: number): Promise<void> {
    return this.store.write(() => compact(this.store.sql, endedBy));
  }

  private get table(): string {
    return this.store.sql.own('bulk_retries');
  }
}
