import { fingerprintOf } from '../../src/record/fingerprint.ts';
import { all, change, first, type Script } from '../../src/store/script.ts';
import type { SqlDialect } from '../../src/store/sql-dialect.ts';
import { readCbqFacts, readException, readFailedDate } from './cbq-row.ts';
import type { FailedJobRow } from './rows.ts';

// Rows that an old cbq wrote are numbered: they get what lists, groups and retries need, in our own columns alone.

/** Makes a group of a failure's fingerprint, unless there is one. */
export function* insertGroup(
  sql: SqlDialect,
  group: { fingerprint: string; job: string; type: string; message: string; firstFailedAt: number },
): Script<void> {
  const { firstFailedAt, ...row } = group;
  yield* sql.insertUnlessThere(sql.own('groups'), { ...row, first_failed_at: firstFailedAt }, ['fingerprint']);
}

/** One row without a number, and what its place among them depends on. */
export interface Unnumbered {
  readonly id: number;
  readonly failedAt: number;
}

/** Some of the rows without a number, by rising id beyond `after`. */
export function* findUnnumbered(sql: SqlDialect, table: string, after: number, limit: number): Script<readonly Unnumbered[]> {
  const rows = yield* all<Pick<FailedJobRow, 'id' | 'failedDate'>>(
    `SELECT id, ${sql.id('failedDate')} FROM ${table} WHERE status IS NULL AND failure_seq IS NULL AND id > ? ORDER BY id LIMIT ?`,
    [after, limit],
  );
  return rows.map(({ id, failedDate }) => ({ id, failedAt: readFailedDate(failedDate) }));
}

/** Numbers these rows in this order. One that somebody else has numbered since is passed over. */
export function* numberRows(sql: SqlDialect, table: string, ids: readonly number[]): Script<void> {
  const rows: FailedJobRow[] = [];
  for (const id of ids) {
    const row = yield* first<FailedJobRow>(`SELECT * FROM ${table} WHERE id = ? AND status IS NULL${sql.forUpdate}`, [id]);
    if (row !== undefined) rows.push(row);
  }
  if (rows.length === 0) return;
  let seq = yield* sql.draw('failure', rows.length);
  for (const row of rows) {
    const { attempts, maxAttempts, failedAt } = readCbqFacts(row);
    const exception = readException(row);
    const fingerprint = fingerprintOf({ job: row.mapping, exception });
    yield* change(
      `UPDATE ${table} SET failure_seq = ?, status = 'failed', kind = 'exception', fingerprint = ?, run = 1, attempts = ?, max_attempts = ?, failed_at = ? WHERE id = ?`,
      [++seq, fingerprint, attempts, maxAttempts, failedAt, row.id],
    );
    yield* insertGroup(sql, { fingerprint, job: row.mapping, type: exception.type, message: exception.message, firstFailedAt: failedAt });
  }
}
