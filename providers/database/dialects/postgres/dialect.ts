import { RedriveError } from '../../../../src/errors.ts';
import { change, first, type Script } from '../../../../src/store/script.ts';
import {
  insertOf,
  plainLimit,
  type NewRow,
  type SequenceName,
  type SqlDialect,
  type TableNames,
  type UpdateEach,
} from '../../../../src/store/sql-dialect.ts';
import { valuesAtOnce } from '../values-in-index.ts';

/** PostgreSQL cuts longer names off, in bytes, so that two of them may become one. */
const longestName = 63;
/** So that the names of its indexes, which are made from a table's, are not. */
const longestTable = 48;
/** So that the names of our own tables, which begin with it, are no longer than that. */
const longestPrefix = 32;

/** Numbers of a sequence to one step of it: a transaction that needs a few takes one step, and no two ever wait for each other. */
const numbersAStep = 1_024;
/** How often several steps at once were looked for in vain, which takes as many others to step in between. */
const mostTries = 50;

/** PostgreSQL 13 and later. Names are always given with their schema: whose `search_path` a connection has does not matter. */
export class PostgresDialect implements SqlDialect {
  readonly name = 'postgres';
  readonly forUpdate = ' FOR UPDATE';
  readonly withLock = '';
  readonly skipLocked = ' FOR UPDATE SKIP LOCKED';
  readonly limit = plainLimit;
  readonly valuesIn = valuesAtOnce;
  readonly lineOrder = 'priority DESC, ready_seq';

  constructor(readonly names: TableNames & { readonly schema: string }) {
    checkName(names.schema, longestName, 'schema');
    checkName(names.prefix, longestPrefix, 'prefix');
  }

  readonly lockTable = (table: string): string => `LOCK TABLE ${table} IN SHARE ROW EXCLUSIVE MODE`;

  id(name: string): string {
    return `"${name.replaceAll('"', '""')}"`;
  }

  table(name: string): string {
    checkName(name, longestTable, 'tableName');
    return this.qualified(name);
  }

  own(name: string): string {
    return this.qualified(`${this.names.prefix}${name}`);
  }

  via(): string {
    return '';
  }

  deleteVia(table: string): string {
    return table;
  }

  *draw(sequence: SequenceName, count: number): Script<number> {
    if (count === 0) return 0;
    const steps = Math.ceil(count / numbersAStep);
    const sql = `SELECT min(step) AS first, max(step) AS last FROM (SELECT nextval(?) AS step FROM generate_series(1, ?)) AS steps`;
    for (let tries = 0; tries < mostTries; tries++) {
      const drawn = yield* first<{ first: number; last: number }>(sql, [this.own(`${sequence}_seq`), steps]);
      // Somebody else took a step in between: what was taken is left out.
      if (drawn === undefined || drawn.last - drawn.first !== steps - 1) continue;
      return drawn.first * numbersAStep;
    }
    throw new RedriveError(
      'STORE_LOCKED',
      `No ${count} numbers in a row could be drawn of the sequence "${sequence}"; try again, with fewer at once`,
    );
  }

  *insertAll(table: string, rows: readonly NewRow[]): Script<void> {
    const columns = Object.keys(rows[0] ?? {});
    if (columns.length === 0) return;
    const filled = columns.filter((name) => rows.some((row) => row[name] !== null));
    const lists = filled.map((name) => rows.map((row) => row[name]));
    const names = columns.map((name) => this.id(name)).join(', ');
    const values = columns.map((name) => (filled.includes(name) ? `r.${this.id(name)}` : 'NULL')).join(', ');
    const from = `unnest(${lists.map((list) => `?::${arrayTypeOf(list)}`).join(', ')}) AS r(${filled.map((name) => this.id(name)).join(', ')})`;
    yield* change(`INSERT INTO ${table} (${names}) SELECT ${values} FROM ${from}`, lists);
  }

  *insert(table: string, row: NewRow): Script<number> {
    const { sql, bindings } = insertOf(this, table, row);
    return (yield* first<{ id: number }>(`${sql} RETURNING id`, bindings))?.id ?? 0;
  }

  *insertUnlessThere(table: string, row: NewRow, key: readonly string[]): Script<boolean> {
    const { sql, bindings } = insertOf(this, table, row);
    return (yield* change(`${sql} ON CONFLICT (${key.map((name) => this.id(name)).join(', ')}) DO NOTHING`, bindings)) > 0;
  }

  *updateEach(table: string, { key, column, rows, set, bindings }: UpdateEach): Script<void> {
    if (rows.length === 0) return;
    const keys = rows.map(([of]) => of);
    const values = rows.map(([, value]) => value);
    const also = set === '' ? '' : `, ${set}`;
    const from = `unnest(?::${arrayTypeOf(keys)}, ?::${arrayTypeOf(values)}) AS each_row(key_of_row, value_of_row)`;
    const sql = `UPDATE ${table} SET ${this.id(column)} = value_of_row${also} FROM ${from} WHERE ${table}.${this.id(key)} = key_of_row`;
    yield* change(sql, [...bindings, keys, values]);
  }

  *add(table: string, key: NewRow, column: string, amount: number): Script<void> {
    const { sql, bindings } = insertOf(this, table, { ...key, [column]: amount });
    const keys = Object.keys(key)
      .map((name) => this.id(name))
      .join(', ');
    const name = this.id(column);
    yield* change(`${sql} ON CONFLICT (${keys}) DO UPDATE SET ${name} = ${table}.${name} + excluded.${name}`, bindings);
  }

  private qualified(name: string): string {
    return `${this.id(this.names.schema)}.${this.id(name)}`;
  }
}

/** The array type that values of one column are sent as; PostgreSQL makes the column's own of it. */
function arrayTypeOf(values: readonly unknown[]): string {
  const sample = values.find((value) => value !== null);
  if (typeof sample === 'number') return values.every((value) => value === null || Number.isSafeInteger(value)) ? 'bigint[]' : 'numeric[]';
  return typeof sample === 'boolean' ? 'boolean[]' : 'text[]';
}

/** Throws `CONFIG_INVALID` for a name that would be cut off, or that Knex would take apart. */
function checkName(name: string, most: number, what: string): void {
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name;
  const bytes = Buffer.byteLength(name);
  if (bytes > most)
    throw new RedriveError(
      'CONFIG_INVALID',
      `${what} "${shown}" has ${bytes} bytes; PostgreSQL takes ${most} at most here, since names are made from it`,
    );
  if (/[.?\\\p{Cc}]/u.test(name))
    throw new RedriveError(
      'CONFIG_INVALID',
      `${what} "${shown}" holds a dot, a question mark, a backslash or a control character; give another name`,
    );
}
