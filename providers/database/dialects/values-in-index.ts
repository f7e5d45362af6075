import { all, first, type Script } from '../../../src/store/script.ts';
import type { IndexedColumn } from '../../../src/store/sql-dialect.ts';

/** The values by one statement, for an engine that takes one step along the index for each of them in a recursive query as well. */
export function* valuesAtOnce({ table, column, where }: IndexedColumn): Script<readonly string[]> {
  const rows = yield* all<{ value: string }>(
    `WITH RECURSIVE found(value) AS (
       SELECT min(${column}) FROM ${table} WHERE ${where}
       UNION ALL
       SELECT (SELECT min(${column}) FROM ${table} WHERE ${where} AND ${column} > found.value) FROM found WHERE found.value IS NOT NULL
     ) SELECT value FROM found WHERE value IS NOT NULL`,
  );
  return rows.map(({ value }) => value);
}

/** The values by one statement each: MariaDB and MySQL read all that follows in the index where the value to begin at is not written in it. */
export function* valuesOneByOne({ table, column, where }: IndexedColumn): Script<readonly string[]> {
  const values: string[] = [];
  for (;;) {
    const last = values.at(-1);
    const beyond = last === undefined ? '' : ` AND ${column} > ?`;
    const sql = `SELECT min(${column}) AS value FROM ${table} WHERE ${where}${beyond}`;
    const next = (yield* first<{ value: string | null }>(sql, last === undefined ? [] : [last]))?.value ?? null;
    if (next === null) return values;
    values.push(next);
  }
}
