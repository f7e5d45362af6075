import type { Script } from './script.ts';
import type { Dialect } from './sql-store.ts';

/** Orders in which things happened, each a rising number of its own. */
export type SequenceName = 'ready' | 'failure';

/** A row to be written, by column. */
export type NewRow = Readonly<Record<string, unknown>>;

/**
 * The parts of SQL in which engines differ. A script is written once, with `?` for its bindings, and asks its store's
 * dialect for these; everything else in it must be understood by SQLite, PostgreSQL, MySQL 8 and MariaDB 10.6 alike
 * (so no `RETURNING`, no `ON CONFLICT`, no quoted name that did not come from {@link SqlDialect.id}), and in the failed-jobs log
 * by SQL Server as well (so no `LIMIT` there, no column by its number, and no bare `rule`, which is a word of its own).
 */
export interface SqlDialect {
  readonly name: Dialect;
  readonly names: TableNames;
  /** A column's or an index's name, quoted. */
  id(name: string): string;
  /** A table's name as given, quoted, in the schema that the store was opened for. */
  table(name: string): string;
  /** One of Redrive's own tables by its name without prefix, such as `sessions`: quoted, with prefix and schema. */
  own(name: string): string;
  /**
   * Ends a SELECT: its rows are locked until the transaction ends, and are read as they are then. Nothing on SQLite, where a
   * writing transaction is alone. Begins with a space where it is not empty.
   */
  readonly forUpdate: string;
  /** The same for an engine that says so behind the table's name or alias; {@link SqlDialect.forUpdate} is empty there. Begins with a space where it is not empty. */
  readonly withLock: string;
  /** The same, but rows that somebody else has locked are passed over. */
  readonly skipLocked: string;
  /**
   * Follows a table's name in an UPDATE, or in a SELECT that locks, whose rows are to be found through this index and no other:
   * rows that are looked at on the way may be locked as well, and others would wait for them or pass them over. Empty where
   * nothing is locked but what is changed or returned. Begins with a space where it is not empty.
   */
  via(index: string): string;
  /** The same for a DELETE: what follows `DELETE FROM`, in place of the table. */
  deleteVia(table: string, index: string): string;
  /**
   * A statement that waits for those who write to a table, and keeps others from it until the transaction ends. Only for an engine
   * where an `insertUnlessThere` that finds its row locks nothing, so that the row could be removed before what refers to it is there.
   */
  readonly lockTable?: (table: string) => string;
  /** Follows an ORDER BY: so many rows at most, the number as a binding or in place. Begins with a space. */
  limit(count: '?' | 1): string;
  /** The ORDER BY of a line of ready jobs, which its index answers: larger priority first, then first come. */
  readonly lineOrder: string;
  /**
   * Takes the next `count` (up to a million) numbers of a sequence and returns the one before the first. Numbers are never given
   * out twice; some are left out. On a server this locks nothing that another transaction waits for.
   */
  draw(sequence: SequenceName, count: number): Script<number>;
  /** Inserts rows of the same columns: all of them by one statement where a statement is a round trip. */
  insertAll(table: string, rows: readonly NewRow[]): Script<void>;
  /** Inserts a row and returns the number the database gave it (its `id`). */
  insert(table: string, row: NewRow): Script<number>;
  /** Inserts a row unless there is one with the same value in the unique column(s) `key`; returns whether it did. Waits for a concurrent insert of the same key. */
  insertUnlessThere(table: string, row: NewRow, key: readonly string[]): Script<boolean>;
  /** Changes rows that differ in one value: all of them by one statement where a statement is a round trip. */
  updateEach(table: string, update: UpdateEach): Script<void>;
  /** The different values of a column that an index has next, in its order: by one step along the index each, however many rows there are. */
  valuesIn(column: IndexedColumn): Script<readonly string[]>;
  /** Adds to the number in `column` of the row with this key, which is made where it is missing. */
  add(table: string, key: NewRow, column: string, amount: number): Script<void>;
}

/** A column, among the rows for which a condition without bindings holds; an index has it right behind the condition's. */
export interface IndexedColumn {
  /** Quoted. */
  readonly table: string;
  readonly column: string;
  readonly where: string;
}

/** Rows to be changed, by a key and the value that each gets. */
export interface UpdateEach {
  /** The column by which rows are found, unquoted. */
  readonly key: string;
  /** The column that differs, unquoted. */
  readonly column: string;
  /** Key and value of each row. */
  readonly rows: readonly (readonly [key: unknown, value: unknown])[];
  /** What else is set, as in `status = 'ready', session = ?`; empty for nothing. */
  readonly set: string;
  readonly bindings: readonly unknown[];
}

/** Where Redrive's tables are in a database, and what their names begin with. */
export interface TableNames {
  /** PostgreSQL: a schema. MySQL: a database. Undefined: the connection's own. */
  readonly schema?: string | undefined;
  /** Default `redrive_`. */
  readonly prefix: string;
}

/** `INSERT INTO ... VALUES (...)` of one row, and its bindings. */
export function insertOf(
  dialect: Pick<SqlDialect, 'id'>,
  table: string,
  row: NewRow,
): { readonly sql: string; readonly bindings: readonly unknown[] } {
  const columns = Object.keys(row);
  const sql = `INSERT INTO ${table} (${columns.map((name) => dialect.id(name)).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
  return { sql, bindings: Object.values(row) };
}

/** The {@link SqlDialect.limit} of most engines. */
export function plainLimit(count: '?' | 1): string {
  return ` LIMIT ${count}`;
}

/** As many `?` as there are values, for a list such as `IN (?, ?)`. */
export function marks(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ');
}
