import { fingerprintOf } from '../../src/record/fingerprint.ts';
import { all, change, first, type Script } from '../../src/store/script.ts';
import type { SqlDialect } from '../../src/store/sql-dialect.ts';
import { readCbqFacts, readException, readFailedDate } from './cbq-row.ts';
import type { FailedJobRow } from './rows.ts';
import { insertSeries, seriesOf, type SeriesMember } from './series.ts';

// Rows that an old cbq wrote are numbered: they get what lists, groups and retries need, in our own columns alone.

/** One row without a number, and what its place among them depends on. */
export interface Unnumbered {
  readonly id: number;
  readonly failedAt: number;
}

/** Some of the rows without a number, by rising id beyond `after`. */
export function* findRowsToNumber(sql: SqlDialect, table: string, after: number, limit: number): Script<readonly Unnumbered[]> {
  const rows = yield* all<Pick<FailedJobRow, 'id' | 'failedDate'>>(
    `SELECT id, ${sql.id('failedDate')} FROM ${table} WHERE status IS NULL AND failed_at IS NULL AND id > ? ORDER BY id${sql.limit('?')}`,
    [after, limit],
  );
  return rows.map(({ id, failedDate }) => ({ id, failedAt: readFailedDate(failedDate) }));
}

/** Numbers these rows in this order. One that somebody else has numbered since is passed over. */
export function* numberRows(sql: SqlDialect, table: string, ids: readonly number[]): Script<void> {
  const rows: FailedJobRow[] = [];
  for (const id of ids) {
    const row = yield* first<FailedJobRow>(`SELECT * FROM ${table}${sql.withLock} WHERE id = ? AND status IS NULL${sql.forUpdate}`, [id]);
    if (row !== undefined) rows.push(row);
  }
  if (rows.length === 0) return;
  let seq = yield* sql.draw('failure', rows.length);
  const members: SeriesMember[] = [];
  for (const row of rows) {
    const { attempts, maxAttempts, failedAt } = readCbqFacts(row);
    const { connection, queue, mapping: job } = row;
    const exception = readException(row);
    const { type, message } = exception;
    const member = {
      connection,
      queue,
      kind: 'exception' as const,
      fingerprint: fingerprintOf({ job, exception }),
      job,
      type,
      message,
      failedAt,
    };
    yield* change(
      `UPDATE ${table} SET failure_seq = ?, status = 'failed', kind = 'exception', fingerprint = ?, series = ?, run = 1, attempts = ?, max_attempts = ?, failed_at = ? WHERE id = ?`,
      [++seq, member.fingerprint, seriesOf(member), attempts, maxAttempts, failedAt, row.id],
    );
    members.push(member);
  }
  yield* insertSeries(sql, members);
}
