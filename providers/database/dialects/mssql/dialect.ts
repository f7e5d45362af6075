import { RedriveError } from '../../../../src/errors.ts';
import { change, first, type Script } from '../../../../src/store/script.ts';
import { insertOf, marks, type NewRow, type SequenceName, type SqlDialect, type TableNames } from '../../../../src/store/sql-dialect.ts';
import { mostParameters } from './parameters.ts';

/** SQL Server takes no longer name, in characters. */
const longestName = 128;
/** What the longest suffix of an index's name, or of one of our tables, takes. */
const roomForSuffix = 20;
/** Of one list of VALUES. */
const mostRows = 1_000;

/**
 * SQL Server 2016 and later, for the failed-jobs log. What only jobs ask for is refused: they are not kept there.
 * Transactions run under READ COMMITTED.
 */
export class MssqlDialect implements SqlDialect {
  readonly name = 'mssql';
  readonly forUpdate = '';
  readonly withLock = ' WITH (UPDLOCK, ROWLOCK)';
  readonly skipLocked = '';
  readonly lineOrder = 'priority DESC, ready_seq';

  constructor(readonly names: TableNames & { readonly schema: string }) {
    checkName(names.prefix, 'prefix');
  }

  id(name: string): string {
    return `[${name.replaceAll(']', ']]')}]`;
  }

  table(name: string): string {
    checkName(name, 'tableName');
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

  limit(count: '?' | 1): string {
    return ` OFFSET 0 ROWS FETCH NEXT ${count} ROWS ONLY`;
  }

  /** A range of a SEQUENCE: nobody waits for its numbers, and they stay used when the transaction is rolled back. */
  *draw(sequence: SequenceName, count: number): Script<number> {
    if (count === 0) return 0;
    const sql = `DECLARE @drawn sql_variant; EXEC sys.sp_sequence_get_range @sequence_name = ?, @range_size = ?, @range_first_value = @drawn OUTPUT; SELECT CAST(@drawn AS bigint) AS drawn`;
    const range = yield* first<{ drawn: number }>(sql, [this.own(`${sequence}_seq`), count]);
    return (range?.drawn ?? 0) - 1;
  }

  *insertAll(table: string, rows: readonly NewRow[]): Script<void> {
    const columns = Object.keys(rows[0] ?? {});
    if (columns.length === 0) return;
    const atOnce = Math.min(mostRows, Math.floor(mostParameters / columns.length));
    const names = columns.map((name) => this.id(name)).join(', ');
    for (let from = 0; from < rows.length; from += atOnce) {
      const some = rows.slice(from, from + atOnce);
      const values = some.map(() => `(${marks(columns)})`).join(', ');
      yield* change(
        `INSERT INTO ${table} (${names}) VALUES ${values}`,
        some.flatMap((row) => columns.map((column) => row[column])),
      );
    }
  }

  *insert(table: string, row: NewRow): Script<number> {
    const { sql, bindings } = insertOf(this, table, row);
    // Not OUTPUT, which a table with a trigger refuses.
    return (yield* first<{ id: number }>(`${sql}; SELECT CAST(SCOPE_IDENTITY() AS bigint) AS id`, bindings))?.id ?? 0;
  }

  /** HOLDLOCK keeps others from a key that is not there yet, until the transaction ends. */
  *insertUnlessThere(table: string, row: NewRow, key: readonly string[]): Script<boolean> {
    const columns = Object.keys(row);
    const names = columns.map((name) => this.id(name)).join(', ');
    const holds = key.map((name) => `${this.id(name)} = ?`).join(' AND ');
    const sql = `INSERT INTO ${table} (${names}) SELECT ${marks(columns)} WHERE NOT EXISTS (SELECT 1 FROM ${table} WITH (UPDLOCK, HOLDLOCK) WHERE ${holds})`;
    return (yield* change(sql, [...Object.values(row), ...key.map((name) => row[name])])) > 0;
  }

  updateEach(): Script<void> {
    throw jobsRefused();
  }

  valuesIn(): Script<readonly string[]> {
    throw jobsRefused();
  }

  add(): Script<void> {
    throw jobsRefused();
  }

  private qualified(name: string): string {
    return `${this.id(this.names.schema)}.${this.id(name)}`;
  }
}

/** Says that SQL Server keeps failed jobs, and no jobs. */
export function jobsRefused(where = ''): RedriveError {
  return new RedriveError(
    'STORE_UNSUPPORTED',
    `${where}jobs are not kept in SQL Server; keep them in "better-sqlite3", "pg" or "mysql2", and name SQL Server as logFailedJobsProperties.datasource for the failed ones`,
  );
}

/** Throws `CONFIG_INVALID` for a name that SQL Server or Knex would not take as it is. */
function checkName(name: string, what: string): void {
  const shown = JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
  const most = longestName - roomForSuffix;
  if (name.length > most)
    throw new RedriveError(
      'CONFIG_INVALID',
      `${what} ${shown} has ${name.length} characters; SQL Server takes ${most} at most here, since names are made from it`,
    );
  // Knex leaves brackets out of names, and takes a name apart at its dots.
  if (/[.?[\]'\\\p{Cc}]/u.test(name))
    throw new RedriveError('CONFIG_INVALID', `${what} ${shown} has a character that is taken in no name here; use letters, digits and "_"`);
}
