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

/** SQLite. A transaction that writes is alone in the file, so nothing has to be locked. */
export class SqliteDialect implements SqlDialect {
  readonly name = 'sqlite';
  readonly forUpdate = '';
  readonly withLock = '';
  readonly skipLocked = '';
  readonly limit = plainLimit;
  readonly valuesIn = valuesAtOnce;
  readonly lineOrder = 'priority DESC, ready_seq';

  constructor(readonly names: TableNames) {}

  id(name: string): string {
    return `"${name.replaceAll('"', '""')}"`;
  }

  table(name: string): string {
    return this.id(name);
  }

  own(name: string): string {
    return this.id(`${this.names.prefix}${name}`);
  }

  via(): string {
    return '';
  }

  deleteVia(table: string): string {
    return table;
  }

  *draw(sequence: SequenceName, count: number): Script<number> {
    if (count === 0) return 0;
    const sql = `UPDATE ${this.own('sequences')} SET value = value + ? WHERE name = ? RETURNING value`;
    return ((yield* first<{ value: number }>(sql, [count, sequence]))?.value ?? 0) - count;
  }

  *insertAll(table: string, rows: readonly NewRow[]): Script<void> {
    for (const row of rows) {
      const { sql, bindings } = insertOf(this, table, row);
      yield* change(sql, bindings);
    }
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
    const also = set === '' ? '' : `, ${set}`;
    const sql = `UPDATE ${table} SET ${this.id(column)} = ?${also} WHERE ${this.id(key)} = ?`;
    for (const [of, value] of rows) yield* change(sql, [value, ...bindings, of]);
  }

  *add(table: string, key: NewRow, column: string, amount: number): Script<void> {
    const { sql, bindings } = insertOf(this, table, { ...key, [column]: amount });
    const keys = Object.keys(key)
      .map((name) => this.id(name))
      .join(', ');
    const name = this.id(column);
    yield* change(`${sql} ON CONFLICT (${keys}) DO UPDATE SET ${name} = ${table}.${name} + excluded.${name}`, bindings);
  }
}
