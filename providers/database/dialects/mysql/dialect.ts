import { RedriveError } from '../../../../src/errors.ts';
import { change, first, type Script } from '../../../../src/store/script.ts';
import {
  insertOf,
  marks,
  plainLimit,
  type NewRow,
  type SequenceName,
  type SqlDialect,
  type TableNames,
  type UpdateEach,
} from '../../../../src/store/sql-dialect.ts';
import { valuesOneByOne } from '../values-in-index.ts';
import { isDuplicateKey } from './errors.ts';

/**
 * Numbers that one row of a sequence's table stands for. A larger block would give each small draw more to leave out, and
 * 2^52 numbers have to last: these last a hundred years at a thousand draws a second.
 */
const blockSize = 1_024;
/** MySQL takes no longer name, in characters. */
const longestName = 64;
/** What the longest suffix of an index's name, or of one of our tables, takes. */
const roomForSuffix = 15;
/** Rows and characters of one statement: well within the smallest packet that a server accepts by default. */
const rowsAtOnce = 500;
const charactersAtOnce = 1_000_000;

/** MySQL and MariaDB. Transactions run under READ COMMITTED, so nothing but rows is locked. */
export class MysqlDialect implements SqlDialect {
  readonly name = 'mysql';
  readonly forUpdate = ' FOR UPDATE';
  readonly withLock = '';
  readonly skipLocked = ' FOR UPDATE SKIP LOCKED';
  readonly limit = plainLimit;
  readonly valuesIn = valuesOneByOne;
  /** `line_rank` is the priority with its sign changed: MariaDB before 10.8 keeps no index in descending order, and a sort would lock the whole line. */
  readonly lineOrder = 'line_rank, ready_seq';

  constructor(
    readonly names: TableNames,
    /** Of our own tables: names are equal to the letter only. */
    readonly collation: string,
  ) {
    if (names.schema !== undefined) checkName(names.schema, longestName, 'schema');
    checkName(names.prefix, longestName - roomForSuffix, 'prefix');
  }

  id(name: string): string {
    return `\`${name.replaceAll('`', '``')}\``;
  }

  table(name: string): string {
    checkName(name, longestName - roomForSuffix, 'tableName');
    return this.qualified(name);
  }

  own(name: string): string {
    return this.qualified(`${this.names.prefix}${name}`);
  }

  /** Left to itself the server takes whatever index seems good, or reads the whole of a table that seems small. */
  via(index: string): string {
    return ` FORCE INDEX (${this.id(index)})`;
  }

  /** Only a DELETE in the form for several tables can be told. */
  deleteVia(table: string, index: string): string {
    return `${table} USING ${table}${this.via(index)}`;
  }

  /**
   * The numbers come from an AUTO_INCREMENT, whose counter nobody holds until commit, as everybody would wait for a row that
   * counts. The rows themselves go again at once; the counter outlives them, and a restart.
   */
  *draw(sequence: SequenceName, count: number): Script<number> {
    if (count === 0) return 0;
    const table = this.own(`${sequence}_seq`);
    const blocks = Math.ceil(count / blockSize);
    const { insertId: firstBlock = 0 } = yield { sql: `INSERT INTO ${table} VALUES ${valuesOf('()', blocks)}`, bindings: [] };
    const removed = yield* change(`DELETE FROM ${table} WHERE id >= ? AND id < ?`, [firstBlock, firstBlock + blocks]);
    if (removed < blocks) throw notInARow(table);
    return firstBlock * blockSize - 1;
  }

  *insertAll(table: string, rows: readonly NewRow[]): Script<void> {
    for (const some of chunks(rows)) {
      const [model] = some;
      if (model === undefined) continue;
      const columns = Object.keys(model);
      const names = columns.map((name) => this.id(name)).join(', ');
      yield* change(
        `INSERT INTO ${table} (${names}) VALUES ${valuesOf(`(${marks(columns)})`, some.length)}`,
        some.flatMap((row) => columns.map((column) => row[column])),
      );
    }
  }

  *insert(table: string, row: NewRow): Script<number> {
    return (yield insertOf(this, table, row)).insertId ?? 0;
  }

  /**
   * The row is inserted, and the refusal of a second one is the answer: it ends this statement only, and waits for whoever
   * holds the key. `INSERT IGNORE` would ignore bad values as well, and `ON DUPLICATE KEY UPDATE` does not say which it did.
   */
  *insertUnlessThere(table: string, row: NewRow, key: readonly string[]): Script<boolean> {
    try {
      yield insertOf(this, table, row);
      return true;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      const holds = key.map((name) => `${this.id(name)} = ?`).join(' AND ');
      const values = key.map((name) => row[name]);
      // Another key than the one asked about: whoever runs the script deals with that.
      if ((yield* first(`SELECT 1 FROM ${table} WHERE ${holds} LIMIT 1`, values)) === undefined) throw error;
      return false;
    }
  }

  *updateEach(table: string, { key, column, rows, set, bindings }: UpdateEach): Script<void> {
    const also = set === '' ? '' : `, ${set}`;
    for (const some of chunks(rows)) {
      const keys = some.map(([of]) => of);
      const each = `CASE ${this.id(key)} ${some.map(() => 'WHEN ? THEN ?').join(' ')} END`;
      yield* change(`UPDATE ${table} SET ${this.id(column)} = ${each}${also} WHERE ${this.id(key)} IN (${marks(keys)})`, [
        ...some.flat(),
        ...bindings,
        ...keys,
      ]);
    }
  }

  *add(table: string, key: NewRow, column: string, amount: number): Script<void> {
    const { sql, bindings } = insertOf(this, table, { ...key, [column]: amount });
    const name = this.id(column);
    yield* change(`${sql} ON DUPLICATE KEY UPDATE ${name} = ${name} + ?`, [...bindings, amount]);
  }

  private qualified(name: string): string {
    const { schema } = this.names;
    return schema === undefined ? this.id(name) : `${this.id(schema)}.${this.id(name)}`;
  }
}

/** Throws `CONFIG_INVALID` for what cannot be a name on MySQL, and for one that leaves no room to make others from it. */
function checkName(name: string, most: number, what: string): void {
  const shown = JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
  if (name.length > most)
    throw new RedriveError(
      'CONFIG_INVALID',
      `${what} ${shown} has ${name.length} characters; MySQL takes ${most} at most here, since names are made from it`,
    );
  if (/[\0\u{10000}-\u{10FFFF}]|\s$/u.test(name))
    throw new RedriveError('CONFIG_INVALID', `${what} ${shown} has a character that MySQL takes in no name; use letters, digits and "_"`);
}

/** The numbers of one statement's rows are to follow each other, which is what the server is asked for on connections of ours. */
function notInARow(table: string): RedriveError {
  return new RedriveError(
    'STORE_UNSUPPORTED',
    `The numbers of ${table} leave gaps; set auto_increment_increment to 1 for the connections of this Knex instance, or give Redrive its config in place of the instance`,
  );
}

function valuesOf(one: string, count: number): string {
  return Array.from({ length: count }, () => one).join(', ');
}

/** Rows that go into one statement together. One that is too long by itself stays alone: the server says what it thinks of it. */
function* chunks<Row extends NewRow | readonly unknown[]>(rows: readonly Row[]): Generator<readonly Row[]> {
  let some: Row[] = [];
  let characters = 0;
  for (const row of rows) {
    const more = lengthOf(row);
    if (some.length === rowsAtOnce || (some.length > 0 && characters + more > charactersAtOnce)) {
      yield some;
      some = [];
      characters = 0;
    }
    some.push(row);
    characters += more;
  }
  if (some.length > 0) yield some;
}

function lengthOf(row: NewRow | readonly unknown[]): number {
  let length = 0;
  for (const value of Object.values(row)) length += typeof value === 'string' ? value.length : 10;
  return length;
}
