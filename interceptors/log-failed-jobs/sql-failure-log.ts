import { setImmediate } from 'node:timers/promises';
import type { Knex } from 'knex';
import type {
  AppendedFailure,
  FailedJobFilter,
  FailedJobPage,
  FailureLog,
  FailureLogScripts,
  RunStep,
  StoredFailedJob,
} from '../../src/record/failure-log.ts';
import type { FailureRecord } from '../../src/record/types.ts';
import { change, first } from '../../src/store/script.ts';
import type { SqlStore, StoreAccess } from '../../src/store/sql-store.ts';
import { count, lastUnnumbered, list } from './list.ts';
import { drawFailureSeqs, findUnnumbered, insertGroup, numberRows, type Unnumbered } from './number-rows.ts';
import { readRow, valuesOf, writtenColumns, type FailedJobRow } from './rows.ts';

export interface SqlFailureLogOptions {
  readonly tableName: string;
  /** Rows are given their number where it is `change` or `create`. Default `change`. */
  readonly access?: StoreAccess;
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
    const rows = await this.store.read(() => list(this.from, filter, page));
    return rows.map(readRow);
  }

  count(filter: FailedJobFilter): Promise<number> {
    return this.store.read(() => count(this.from, filter));
  }

  claim(id: number, jobId: string): Promise<boolean> {
    return this.changeUnclaimed(id, 'job_id = ?', [jobId]);
  }

  resolveUnclaimed(id: number, note: string | undefined): Promise<boolean> {
    return this.changeUnclaimed(id, `status = 'resolved', note = coalesce(?, note)`, [note ?? null]);
  }

  forget(ids: readonly number[]): Promise<readonly number[]> {
    const { table } = this;
    return this.store.write(function* () {
      const removed: number[] = [];
      for (const id of ids)
        if ((yield* change(`DELETE FROM ${table} WHERE id = ? AND (status IS NULL OR status <> 'retrying')`, [id])) > 0) removed.push(id);
      return removed;
    });
  }

  async lastSeq(): Promise<number> {
    const { access = 'change' } = this.options;
    const mayWrite = access === 'change' || access === 'create';
    if (mayWrite) await this.numberRows();
    const unnumbered = mayWrite ? undefined : await this.store.read(() => lastUnnumbered(this.from));
    if (unnumbered !== undefined) return unnumbered;
    const row = await this.store.read(() => first<{ value: number }>(`SELECT value FROM redrive_sequences WHERE name = 'failure'`));
    return row?.value ?? 0;
  }

  /**
   * Gives rows that an old cbq wrote their number, oldest failure first, and fills in our own columns; cbq's are left
   * as they are. In chunks: a process that dies on the way leaves the rest to the next one.
   */
  async numberRows(): Promise<void> {
    const rows: Unnumbered[] = [];
    for (let after = 0; ; after = rows.at(-1)?.id ?? 0) {
      const more = await this.store.read(() => findUnnumbered(this.table, after, readAtOnce));
      rows.push(...more);
      if (more.length < readAtOnce) break;
    }
    const ids = rows.toSorted((a, b) => a.failedAt - b.failedAt || a.id - b.id).map(({ id }) => id);
    for (let from = 0; from < ids.length; from += numberedAtOnce) {
      await this.store.write(() => numberRows(this.table, ids.slice(from, from + numberedAtOnce)));
      // Whatever else this process does goes on between two chunks.
      await setImmediate();
    }
  }

  /** Changes a failed row that has no job id; true where it did. */
  private changeUnclaimed(id: number, what: string, bindings: readonly unknown[]): Promise<boolean> {
    const { table } = this;
    return this.store.write(function* () {
      yield* numberRows(table, [id]);
      return (yield* change(`UPDATE ${table} SET ${what} WHERE id = ? AND job_id IS NULL AND status = 'failed'`, [...bindings, id])) > 0;
    });
  }

  private readonly from = (): Knex.QueryBuilder => this.store.builder(this.options.tableName);

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
        const { fingerprint, job, type, message, endedAt: firstFailedAt } = record;
        yield* insertGroup({ fingerprint, job, type, message, firstFailedAt });
        if (row !== undefined) appended.push({ jobId: record.jobId, id: row.id });
        else appended.push(...(yield* this.numbers([record.jobId])));
      }
      return appended;
    },
    *retrying(steps) {
      for (const { jobId, run, note } of steps) {
        yield* change(`UPDATE ${table} SET status = 'retrying', run = ?, note = coalesce(?, note) WHERE job_id = ? AND run < ?`, [
          run,
          note ?? null,
          jobId,
          run,
        ]);
      }
    },
    *resolved(steps) {
      for (const { jobId, run, note } of steps) {
        yield* change(
          `UPDATE ${table} SET status = 'resolved', run = ?, note = coalesce(?, note) WHERE job_id = ? AND run <= ? AND status <> 'resolved'`,
          [run, note ?? null, jobId, run],
        );
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

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
