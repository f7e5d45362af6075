import type { Database } from 'better-sqlite3';
import type { Knex } from 'knex';
import type { Statement, StatementResult } from '../../../../src/store/script.ts';
import type { SqlDialect } from '../../../../src/store/sql-dialect.ts';
import type { MigrationReport, MigrationStep } from '../../../../src/store/sql-store.ts';
import { bookkeepingOf, refused, runPending, undoAll } from '../steps.ts';

export interface MigrateOptions {
  /** Has one connection only, which is `database`. */
  readonly knex: Knex;
  readonly sql: SqlDialect;
  readonly database: Database;
  readonly location: string;
  readonly patiently: <T>(attempt: () => T, location: string) => Promise<T>;
}

/** Names of the steps the file has not seen, by Knex's own bookkeeping. */
export function pendingSteps(
  steps: readonly MigrationStep[],
  sql: SqlDialect,
  execute: (statement: Statement) => StatementResult,
): readonly string[] {
  const table = bookkeepingOf(sql);
  const known = execute({ sql: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", bindings: [table] });
  if (known.rows.length === 0) return steps.map((step) => step.name);
  const rows = execute({ sql: `SELECT name FROM ${sql.id(table)}`, bindings: [] }).rows as readonly { readonly name: string }[];
  const done = new Set(rows.map(({ name }) => name));
  return steps.map((step) => step.name).filter((name) => !done.has(name));
}

/**
 * Runs pending steps in one transaction of our own, with Knex's schema builder and in Knex's bookkeeping table.
 * Knex's migrator is not asked: it takes its lock and each step in transactions of its own, so a process that dies
 * half-way leaves its lock behind. Here a death leaves nothing behind, and a second process waits for the first.
 */
export async function migrateFile(steps: readonly MigrationStep[], options: MigrateOptions): Promise<MigrationReport> {
  const ran = await inTransaction(options, 'COMMIT', () => runPending(steps, options)).catch(refused(options, 'migrated'));
  return { applied: ran.map((step) => step.name), pending: [] };
}

/** Undoes the steps that have run, in one transaction as well. Returns their names, the last one first. */
export async function rollbackFile(steps: readonly MigrationStep[], options: MigrateOptions): Promise<readonly string[]> {
  const undone = await inTransaction(options, 'COMMIT', () => undoAll(steps, options)).catch(refused(options, 'rolled back'));
  return undone.map((step) => step.name);
}

/** Runs a task that may await in a transaction that holds the right to write from its first statement. */
export async function inTransaction<T>(options: MigrateOptions, end: 'COMMIT' | 'ROLLBACK', task: () => Promise<T>): Promise<T> {
  const { database, location, patiently } = options;
  await patiently(() => database.exec('BEGIN IMMEDIATE'), location);
  try {
    const result = await task();
    // Outside of WAL a commit waits for those who read.
    await patiently(() => database.exec(end), location);
    return result;
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
