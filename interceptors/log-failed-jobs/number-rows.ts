import { fingerprintOf } from '../../src/record/fingerprint.ts';
import { all, change, first, type Script } from '../../src/store/script.ts';
import { readCbqFacts, readException, readFailedDate } from './cbq-row.ts';
import type { FailedJobRow } from './rows.ts';

// Rows that an old cbq wrote are numbered: they get what lists, groups and retries need, in our own columns alone.

/** Takes the next numbers and returns the one before the first. */
export function* drawFailureSeqs(count: number): Script<number> {
  const row = yield* first<{ value: number }>(`UPDATE redrive_sequences SET value = value + ? WHERE name = 'failure' RETURNING value`, [
    count,
  ]);
  return (row?.value ?? 0) - count;
}

/** Makes a group of a failure's fingerprint, unless there is one. */
export function* insertGroup(group: {
  fingerprint: string;
  job: string;
  type: string;
  message: string;
  firstFailedAt: number;
}): Script<void> {
  const { fingerprint, job, type, message, firstFailedAt } = group;
  yield* change(
    'INSERT INTO redrive_groups (fingerprint, job, type, message, first_failed_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO NOTHING',
    [fingerprint, job, type, message, firstFailedAt],
  );
}

/** One row without a number, and what its place among them depends on. */
export interface Unnumbered {
  readonly id: number;
  readonly failedAt: number;
}

/** Some of the rows without a number, by rising id beyond `after`. */
export function* findUnnumbered(table: string, after: number, limit: number): Script<readonly Unnumbered[]> {
  const rows = yield* all<Pick<FailedJobRow, 'id' | 'failedDate'>>(
    `SELECT id, "failedDate" FROM ${table} WHERE status IS NULL AND failure_seq IS NULL AND id > ? ORDER BY id LIMIT ?`,
    [after, limit],
  );
  return rows.map(({ id, failedDate }) => ({ id, failedAt: readFailedDate(failedDate) }));
}

/** Numbers these rows in this order. One that somebody else has numbered since is passed over. */
export function* numberRows(table: string, ids: readonly number[]): Script<void> {
  const rows: FailedJobRow[] = [];
  for (const id of ids) {
    const row = yield* first<FailedJobRow>(`SELECT * FROM ${table} WHERE id = ? AND status IS NULL`, [id]);
    if (row !== undefined) rows.push(row);
  }
  if (rows.length === 0) return;
  let seq = yield* drawFailureSeqs(rows.length);
  for (const row of rows) {
    const { attempts, maxAttempts, failedAt } = readCbqFacts(row);
    const exception = readException(row);
    const fingerprint = fingerprintOf({ job: row.mapping, exception });
    yield* change(
      `UPDATE ${table} SET failure_seq = ?, status = 'failed', kind = 'exception', fingerprint = ?, run = 1, attempts = ?, max_attempts = ?, failed_at = ? WHERE id = ?`,
      [++seq, fingerprint, attempts, maxAttempts, failedAt, row.id],
    );
    yield* insertGroup({ fingerprint, job: row.mapping, type: exception.type, message: exception.message, firstFailedAt: failedAt });
  }
}
