import type { Database } from 'better-sqlite3';
import type { Statement, StatementResult } from '../../../../src/store/script.ts';
import type { SqlDialect } from '../../../../src/store/sql-dialect.ts';
import type { Loss, MigrationStep, PlannedStep, StepsPlan } from '../../../../src/store/sql-store.ts';
import { bookkeepingOf, refused, runPending, undoAll } from '../steps.ts';
import { inTransaction, type MigrateOptions } from './migrate.ts';
import { openKnex, poolOf } from './open.ts';

/** Of a file what a step may ask about. */
export interface Schema {
  readonly location: string;
  readonly statements: readonly string[];
  /** The bookkeeping's rows. */
  readonly done: readonly { readonly name: string; readonly batch: number }[];
}

export function readSchema(location: string, dialect: SqlDialect, execute: (statement: Statement) => StatementResult): Schema {
  // Tables first: an index needs its table.
  const sql = `SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY type DESC`;
  const made = execute({ sql, bindings: [] }).rows as { name: string; sql: string }[];
  const isKept = made.some(({ name }) => name === bookkeepingOf(dialect));
  const done = isKept ? execute({ sql: `SELECT name, batch FROM ${dialect.id(bookkeepingOf(dialect))}`, bindings: [] }).rows : [];
  return { location, statements: made.map((row) => row.sql), done: done as Schema['done'] };
}

/** Runs the pending steps on a copy of the schema in memory, and tells what they executed: the file is only read. */
export async function planMigration(steps: readonly MigrationStep[], schema: Schema, sql: SqlDialect): Promise<readonly PlannedStep[]> {
  const knex = openKnex(':memory:', false);
  try {
    const database = await poolOf(knex).acquireConnection();
    copy(schema, database, sql);
    await poolOf(knex).releaseConnection(database);
    return await runPending(steps, { knex, sql }).catch(refused(schema, 'migrated'));
  } finally {
    await knex.destroy();
  }
}

function copy(schema: Schema, database: Database, sql: SqlDialect): void {
  for (const statement of schema.statements) {
    try {
      database.exec(statement);
    } catch {
      // A table of an extension that is not loaded here: none of ours.
    }
  }
  const insert = `INSERT INTO ${sql.id(bookkeepingOf(sql))} (name, batch) VALUES (?, ?)`;
  for (const { name, batch } of schema.done) database.prepare(insert).run(name, batch);
}

/** Undoes the steps in a transaction, looks at what is gone, and takes it back. */
export async function planRollback(steps: readonly MigrationStep[], options: MigrateOptions): Promise<StepsPlan> {
  const { database } = options;
  const before = columnsByTable(database);
  const [undone, after] = await inTransaction(
    options,
    'ROLLBACK',
    async () => [await undoAll(steps, options), columnsByTable(database)] as const,
  ).catch(refused(options, 'rolled back'));
  const losses = [...before].flatMap(([table, columns]): Loss[] => {
    const kept = after.get(table);
    const gone = columns.filter((column) => kept?.includes(column) !== true);
    if (gone.length === 0) return [];
    return [{ table, ...(kept === undefined ? {} : { columns: gone }), rows: rowsOf(database, table) }];
  });
  return { steps: undone, losses };
}

function columnsByTable(database: Database): ReadonlyMap<string, readonly string[]> {
  const sql = `SELECT m.name AS "table", c.name AS "column" FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY m.rowid, c.cid`;
  const tables = new Map<string, string[]>();
  for (const { table, column } of database.prepare(sql).all() as { table: string; column: string }[]) {
    tables.set(table, [...(tables.get(table) ?? []), column]);
  }
  return tables;
}

function rowsOf(database: Database, table: string): number {
  const row = database.prepare(`SELECT count(*) AS count FROM "${table.replaceAll('"', '""')}"`).get() as { count: number };
  return row.count;
}
