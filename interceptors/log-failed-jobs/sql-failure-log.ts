import type { AppendedFailure, FailedJobFilter, FailedJobPage, FailureLog, FailureLogScripts, RunStep, StoredFailedJob } from '../../src/record/failure-log.ts';
import type { FailureRecord } from '../../src/record/types.ts';
import { all, change, first, type Script } from '../../src/store/script.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { narrow } from './filter.ts';
import { readRow, valuesOf, writtenColumns, type FailedJobRow } from './rows.ts';

export interface SqlFailureLogOptions {
  readonly tableName: string;
}

/**
 * The failed-jobs log in a database: one row a job, reopened when the job fails again, and one row a group.
 * A row moves forward only, by (run, status): `failed` of a run comes after `retrying` of it, and a step of an
 * earlier run comes too late. So a step told twice, or out of order, changes nothing.
 */
export class SqlFailureLog implements FailureLog {
  private readonly scripts: FailureLogScripts;

  constructor(
    private readonly store: SqlStore,
    private readonly options: SqlFailureLogOptions,
  ) {
    this.scripts = failureLogScripts(options.tableName);
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
    const row = await this.store.read(() => first<FailedJobRow>(`SELECT * FROM ${this.table} WHERE ${column} = ?`, [id]));
    return row === undefined ? undefined : readRow(row);
  }

  async list(filter: FailedJobFilter, page: FailedJobPage): Promise<readonly StoredFailedJob[]> {
    const query = narrow(this.store.builder(this.options.tableName), filter).whereNotNull('failure_seq');
    const forward = page.order === 'oldest';
    if (page.after !== undefined) query.where('failure_seq', forward ? '>' : '<', page.after);
    if (page.through !== undefined) query.where('failure_seq', '<=', page.through);
    const { sql, bindings } = query.orderBy('failure_seq', forward ? 'asc' : 'desc').limit(page.limit).toSQL().toNative();
    const rows = await this.store.read(() => all<FailedJobRow>(sql, bindings));
    return rows.map(readRow);
  }

  async count(filter: FailedJobFilter): Promise<number> {
    const { sql, bindings } = narrow(this.store.builder(this.options.tableName), filter).count({ count: '*' }).toSQL().toNative();
    return (await this.store.read(() => first<{ count: number }>(sql, bindings)))?.count ?? 0;
  }

  forget(ids: readonly number[]): Promise<readonly number[]> {
    const { table } = this;
    return this.store.write(function* () {
      const removed: number[] = [];
      for (const id of ids) if ((yield* change(`DELETE FROM ${table} WHERE id = ? AND status <> 'retrying'`, [id])) > 0) removed.push(id);
      return removed;
    });
  }

  async lastSeq(): Promise<number> {
    const row = await this.store.read(() => first<{ value: number }>(`SELECT value FROM redrive_sequences WHERE name = 'failure'`));
    return row?.value ?? 0;
  }

  private get table(): string {
    return quoted(this.options.tableName);
  }
}

function failureLogScripts(tableName: string): FailureLogScripts {
  const table = quoted(tableName);
  const insert = `INSERT INTO ${table} (${writtenColumns.map(quoted).join(', ')}) VALUES (${writtenColumns.map(() => '?').join(', ')})
    ON CONFLICT (job_id) DO UPDATE SET ${writtenColumns.map((name) => `${quoted(name)} = excluded.${quoted(name)}`).join(', ')}
    WHERE ${table}.run < excluded.run OR (${table}.run = excluded.run AND ${table}.status = 'retrying')
    RETURNING id`;
  return {
    *append(records) {
      const appended: AppendedFailure[] = [];
      if (records.length === 0) return appended;
      let seq = yield* drawFailureSeqs(records.length);
      for (const record of records) {
        const row = yield* first<{ id: number }>(insert, valuesOf(record, ++seq));
        yield* change('INSERT INTO redrive_groups (fingerprint, job, type, message, first_failed_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO NOTHING', [
          record.fingerprint,
          record.job,
          record.type,
          record.message,
          record.endedAt,
        ]);
        if (row !== undefined) appended.push({ jobId: record.jobId, id: row.id });
        else appended.push(...(yield* this.numbers([record.jobId])));
      }
      return appended;
    },
    *retrying(steps) {
      for (const { jobId, run, note } of steps) {
        yield* change(`UPDATE ${table} SET status = 'retrying', run = ?, note = coalesce(?, note) WHERE job_id = ? AND run < ?`, [run, note ?? null, jobId, run]);
      }
    },
    *resolved(steps) {
      for (const { jobId, run, note } of steps) {
        yield* change(`UPDATE ${table} SET status = 'resolved', run = ?, note = coalesce(?, note) WHERE job_id = ? AND run <= ? AND status <> 'resolved'`, [run, note ?? null, jobId, run]);
      }
    },
    *numbers(jobIds) {
      const found: AppendedFailure[] = [];
      for (const jobId of jobIds) {
        const row = yield* first<{ id: number }>(`SELECT id FROM ${table} WHERE job_id = ?`, [jobId]);
        if (row !== undefined) found.push({ jobId, id: row.id });
      }
      return found;
    },
    *forget(jobId) {
      return (yield* change(`DELETE FROM ${table} WHERE job_id = ? AND status <> 'retrying'`, [jobId])) > 0;
    },
    *find(jobId) {
      const row = yield* first<FailedJobRow>(`SELECT * FROM ${table} WHERE job_id = ?`, [jobId]);
      return row === undefined ? undefined : readRow(row);
    },
  };
}

/** Takes the next numbers and returns the one before the first. */
function* drawFailureSeqs(count: number): Script<number> {
  const row = yield* first<{ value: number }>(`UPDATE redrive_sequences SET value = value + ? WHERE name = 'failure' RETURNING value`, [count]);
  return (row?.value ?? 0) - count;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
