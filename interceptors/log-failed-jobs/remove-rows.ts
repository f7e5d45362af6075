import type { ForgetRecords } from '../../src/record/failure-log.ts';
import { all, change, type Script } from '../../src/store/script.ts';
import { marks, type SqlDialect } from '../../src/store/sql-dialect.ts';

/** Which rows are to go, found through an index. */
export interface ChosenRows<Id extends string | number> extends ForgetRecords {
  readonly table: string;
  readonly column: 'id' | 'job_id';
  readonly index: string;
  readonly ids: readonly Id[];
}

/** Removes rows, unless told otherwise those that are not being retried, and returns which. Locked first, so that a retry meanwhile waits, and finds none. */
export function* removeRows<Id extends string | number>(
  sql: SqlDialect,
  { table, column, index, ids, unclaimed = false, retrying = false }: ChosenRows<Id>,
): Script<readonly Id[]> {
  if (ids.length === 0) return [];
  const where = `${retrying ? '' : " AND (status IS NULL OR status <> 'retrying')"}${unclaimed ? ' AND job_id IS NULL' : ''}`;
  const rows = yield* all<{ found: Id }>(
    `SELECT ${column} AS found FROM ${table}${sql.withLock}${sql.via(index)} WHERE ${column} IN (${marks(ids)})${where} ORDER BY id${sql.forUpdate}`,
    ids,
  );
  const found = new Set(rows.map((row) => row.found));
  const removed = ids.filter((id) => found.has(id));
  if (removed.length > 0) yield* change(`DELETE FROM ${sql.deleteVia(table, index)} WHERE ${column} IN (${marks(removed)})`, removed);
  return removed;
}
