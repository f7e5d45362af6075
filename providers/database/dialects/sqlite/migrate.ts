import type { Database } from 'better-sqlite3';
import type { Knex } from 'knex';
import { RedriveError } from '../../../../src/errors.ts';
import type { Statement, StatementResult } from '../../../../src/store/script.ts';
import type { MigrationReport, MigrationStep } from '../../../../src/store/sql-store.ts';

export const migrationTable = 'redrive_migrations';

export interface MigrateOptions {
  /** Has one connection only, which is `database`. */
  readonly knex: Knex;
  readonly database: Database;
  readonly location: string;
  readonly patiently: <T>(attempt: () => T, location: string) => Promise<T>;
}

/** Names of the steps the file has not seen, by Knex's own bookkeeping. */
export function pendingSteps(steps: readonly MigrationStep[], execute: (statement: Statement) => StatementResult): readonly string[] {
  const known = execute({ sql: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", bindings: [migrationTable] });
  if (known.rows.length === 0) return steps.map((step) => step.name);
  const done = new Set((execute({ sql: `SELECT name FROM ${migrationTable}`, bindings: [] }).rows as { name: string }[]).map((row) => row.name));
  return steps.map((step) => step.name).filter((name) => !done.has(name));
}

/**
 * Runs pending steps in one transaction of our own, with Knex's schema builder and in Knex's bookkeeping table.
 * Knex's migrator is not asked: it takes its lock and each step in transactions of its own, so a process that dies
 * half-way leaves its lock behind. Here a death leaves nothing behind, and a second process waits for the first.
 */
export async function migrateFile(steps: readonly MigrationStep[], options: MigrateOptions): Promise<MigrationReport> {
  const { knex, database, location, patiently } = options;
  await patiently(() => database.exec('BEGIN IMMEDIATE'), location);
  try {
    const applied = await runPending(steps, knex);
    database.exec('COMMIT');
    return { applied, pending: [] };
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw new RedriveError('MIGRATION_FAILED', `${location} could not be migrated, and nothing was changed: ${reason(error)}`, { cause: error });
  }
}

async function runPending(steps: readonly MigrationStep[], knex: Knex): Promise<readonly string[]> {
  if (!(await knex.schema.hasTable(migrationTable))) await createBookkeeping(knex);
  const done = new Set((await knex<{ name: string }>(migrationTable).select('name')).map((row) => row.name));
  const pending = steps.filter((step) => !done.has(step.name));
  const last = (await knex(migrationTable).max({ batch: 'batch' }).first()) as { batch: number | null } | undefined;
  const batch = (last?.batch ?? 0) + 1;
  for (const step of pending) {
    await step.up(knex);
    await knex(migrationTable).insert({ name: step.name, batch, migration_time: new Date() });
  }
  return pending.map((step) => step.name);
}

/** The columns of Knex's own bookkeeping, so that its tools can read it. */
async function createBookkeeping(knex: Knex): Promise<void> {
  await knex.schema.createTable(migrationTable, (table) => {
    table.increments('id');
    table.string('name');
    table.integer('batch');
    table.timestamp('migration_time');
  });
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Knex puts the whole statement in front.
  const message = error.message.slice(error.message.lastIndexOf(' - ') + 1).replace(/^- /, '');
  const taken = /^(?:table|index) [`"]?([^`"]+)[`"]? already exists$/.exec(message)?.[1];
  if (taken === undefined) return message;
  return `${taken} is there already and was not made by Redrive; rename it, or give Redrive another name (tableName)`;
}
