import type { Knex } from 'knex';
import { RedriveError } from '../src/errors.ts';
import type { Migration } from '../src/store/sql-store.ts';

/** The name of a step, apart for each table name but the default one. */
export function named(step: string, tableName: string, defaultName: string): string {
  return tableName === defaultName ? step : `${step}:${tableName}`;
}

/** The unquoted name of one of Redrive's own tables. */
export function ownName({ sql }: Migration, name: string): string {
  return `${sql.names.prefix}${name}`;
}

/** Throws `CONFIG_INVALID` for a name that the engine takes for no table, before anything is made of it. */
export function refuseName({ sql }: Migration, tableName: string): void {
  sql.table(tableName);
}

/** Makes a table of our own. On MySQL the migrator's Knex sees to it that names and ids are compared to the letter, as elsewhere. */
export async function createTable(migration: Migration, name: string, define: (table: Knex.CreateTableBuilder) => void): Promise<void> {
  const { knex, sql } = migration;
  // Throws for a name that the engine would cut off, before it does.
  sql.table(name);
  await knex.schema.createTable(name, (table) => {
    if (sql.name === 'mysql') table.engine('InnoDB');
    define(table);
  });
}

/** Makes a table of our own unless it is there. Throws `MIGRATION_FAILED` for one of this name that lacks our columns: it is somebody else's. */
export async function createTableUnlessThere(
  migration: Migration,
  name: string,
  define: (table: Knex.CreateTableBuilder) => void,
): Promise<'made' | 'there'> {
  const { knex } = migration;
  if (!(await knex.schema.hasTable(name))) {
    await createTable(migration, name, define);
    return 'made';
  }
  const found = Object.keys(await knex(name).columnInfo()).map((column) => column.toLowerCase());
  const lacking = columnsOf(define).filter((column) => !found.includes(column));
  // One without any column is planned, and not there yet.
  if (found.length === 0 || lacking.length === 0) return 'there';
  throw new RedriveError(
    'MIGRATION_FAILED',
    `the table ${name} is there already and is not Redrive's: it lacks ${lacking.join(', ')}. Rename it, or give Redrive's tables another prefix (properties.prefix)`,
  );
}

/** The columns that a definition adds, told by running it on a stand-in that does nothing. */
function columnsOf(define: (table: Knex.CreateTableBuilder) => void): readonly string[] {
  const columns: string[] = [];
  const column: unknown = new Proxy({}, { get: () => () => column });
  const table = new Proxy(
    {},
    {
      get: (_, method) => (name: unknown) => {
        if (addsColumn.has(method) && typeof name === 'string') columns.push(name);
        return column;
      },
    },
  );
  define(table as Knex.CreateTableBuilder);
  return columns;
}

const addsColumn = new Set<string | symbol>(['bigIncrements', 'bigInteger', 'integer', 'string', 'text', 'specificType']);

export interface Index {
  /** Unique in the schema. */
  readonly name: string;
  readonly table: string;
  /** SQL: columns, each with its direction. */
  readonly columns: string;
  /** SQL: only rows for which this holds are in the index, where the engine can do that. */
  readonly where?: string;
  /** SQL: the columns for an engine without partial indexes. Default: `columns`. */
  readonly columnsOfAll?: string;
  readonly isUnique?: boolean;
}

/** Makes an index, unless there is one of this name. */
export async function createIndex(migration: Migration, index: Index): Promise<void> {
  const { knex, sql } = migration;
  const { name, table, where } = index;
  const kind = index.isUnique === true ? 'UNIQUE INDEX' : 'INDEX';
  if (sql.name === 'mssql') {
    if (await hasIndexOnMssql(knex, name, sql.table(table))) return;
    // To a unique index there two nulls are equal; here only values are.
    const filter = where ?? (index.isUnique === true ? `${index.columns} IS NOT NULL` : undefined);
    await knex.raw(`CREATE ${kind} ?? ON ?? (${index.columns})${filter === undefined ? '' : ` WHERE ${filter}`}`, [name, table]);
    return;
  }
  if (sql.name === 'mysql') {
    if (await hasIndex(knex, name, table)) return;
    await knex.raw(`CREATE ${kind} ?? ON ?? (${index.columnsOfAll ?? index.columns})`, [name, table]);
    return;
  }
  await knex.raw(`CREATE ${kind} IF NOT EXISTS ?? ON ?? (${index.columns})${where === undefined ? '' : ` WHERE ${where}`}`, [name, table]);
}

export async function dropIndex({ knex, sql }: Migration, name: string, table: string): Promise<void> {
  if (sql.name === 'mssql') await knex.raw('DROP INDEX IF EXISTS ?? ON ??', [name, table]);
  else if (sql.name !== 'mysql') await knex.raw('DROP INDEX IF EXISTS ??', [name]);
  else if (await hasIndex(knex, name, table)) await knex.raw('DROP INDEX ?? ON ??', [name, table]);
}

async function hasIndex(knex: Knex, name: string, table: string): Promise<boolean> {
  const found: unknown = await knex('information_schema.statistics')
    .whereRaw('table_schema = database()')
    .where({ table_name: table, index_name: name })
    .first('index_name');
  return found !== undefined;
}

async function hasIndexOnMssql(knex: Knex, name: string, table: string): Promise<boolean> {
  const found: unknown = await knex('sys.indexes').where('name', name).whereRaw('object_id = OBJECT_ID(?)', [table]).first('name');
  return found !== undefined;
}

/** Numbers that only rise: the order of becoming ready, the order of failing. What draws from them is the dialect. */
export async function createSequences(migration: Migration): Promise<void> {
  const { knex, sql } = migration;
  if (sql.name === 'postgres') {
    for (const name of sequences) await knex.raw('CREATE SEQUENCE IF NOT EXISTS ??', [ownName(migration, `${name}_seq`)]);
    return;
  }
  if (sql.name === 'mssql') {
    for (const name of sequences) await createMssqlSequence(migration, `${name}_seq`);
    return;
  }
  if (sql.name === 'mysql') {
    for (const name of sequences) await createCounter(migration, ownName(migration, `${name}_seq`));
    return;
  }
  const table = ownName(migration, 'sequences');
  const outcome = await createTableUnlessThere(migration, table, (columns) => {
    columns.string('name', 32).primary();
    columns.bigInteger('value').notNullable();
  });
  if (outcome === 'made') await knex(table).insert(sequences.map((name) => ({ name, value: 0 })));
}

const sequences = ['ready', 'failure'] as const;

/** Asked first: a statement that makes one has to stand alone. */
async function createMssqlSequence(migration: Migration, name: string): Promise<void> {
  const { knex, sql } = migration;
  const found: unknown = await knex('sys.sequences')
    .whereRaw('object_id = OBJECT_ID(?)', [sql.own(name)])
    .first('name');
  if (found === undefined) await knex.raw('CREATE SEQUENCE ?? AS bigint START WITH 1 INCREMENT BY 1', [ownName(migration, name)]);
}

/** A table whose rows are drawn and thrown away: its AUTO_INCREMENT is the sequence. */
async function createCounter(migration: Migration, name: string): Promise<void> {
  await createTableUnlessThere(migration, name, (table) => void table.bigIncrements('id'));
}

/** The sequences go with the last table that draws from them. */
export async function dropIfUnused(migration: Migration): Promise<void> {
  const { knex, sql } = migration;
  const users = await Promise.all(['sessions', 'groups'].map((name) => knex.schema.hasTable(ownName(migration, name))));
  if (users.includes(true)) return;
  if (sql.name === 'sqlite') await knex.schema.dropTableIfExists(ownName(migration, 'sequences'));
  for (const name of sequences) {
    if (sql.name === 'postgres' || sql.name === 'mssql') await knex.raw('DROP SEQUENCE IF EXISTS ??', [ownName(migration, `${name}_seq`)]);
    if (sql.name === 'mysql') await knex.schema.dropTableIfExists(ownName(migration, `${name}_seq`));
  }
}
