import type { Database } from 'better-sqlite3';
import type { Knex } from 'knex';
import { isRedriveError, RedriveError } from '../../../../src/errors.ts';
import type { Statement, StatementResult } from '../../../../src/store/script.ts';
import type { SqlDialect } from '../../../../src/store/sql-dialect.ts';
import type { Migration, MigrationReport, MigrationStep, PlannedStep } from '../../../../src/store/sql-store.ts';

export const migrationTable = 'redrive_migrations';

export interface MigrateOptions {
  /** Has one connection only, which is `database`. */
  readonly knex: Knex;
  readonly sql: SqlDialect;
  readonly database: Database;
  readonly location: string;
  readonly patiently: <T>(attempt: () => T, location: string) => Promise<T>;
}

/** Names of the steps the file has not seen, by Knex's own bookkeeping. */
export function pendingSteps(steps: readonly MigrationStep[], execute: (statement: Statement) => StatementResult): readonly string[] {
  const known = execute({ sql: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", bindings: [migrationTable] });
  if (known.rows.length === 0) return steps.map((step) => step.name);
  const done = new Set(
    (execute({ sql: `SELECT name FROM ${migrationTable}`, bindings: [] }).rows as { name: string }[]).map((row) => row.name),
  );
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
    database.exec(end);
    return result;
  } catch (error) {
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

export async function runPending(steps: readonly MigrationStep[], { knex, sql }: Migration): Promise<readonly PlannedStep[]> {
  const bookkeeping = await captured(knex, () => createBookkeeping(knex));
  const done = await stepsDone(knex);
  const last = (await knex(migrationTable).max({ batch: 'batch' }).first()) as { batch: number | null } | undefined;
  const batch = (last?.batch ?? 0) + 1;
  const ran: PlannedStep[] = [];
  for (const step of steps.filter(({ name }) => !done.has(name))) {
    const statements = await captured(knex, async () => {
      await step.up({ knex, sql });
      await knex(migrationTable).insert({ name: step.name, batch, migration_time: new Date() });
    });
    ran.push({ name: step.name, statements: ran.length === 0 ? [...bookkeeping, ...statements] : statements });
  }
  return ran;
}

export async function undoAll(steps: readonly MigrationStep[], { knex, sql }: Migration): Promise<readonly PlannedStep[]> {
  if (!(await knex.schema.hasTable(migrationTable))) return [];
  const done = await stepsDone(knex);
  const undone: PlannedStep[] = [];
  for (const step of steps.filter(({ name }) => done.has(name)).toReversed()) {
    const statements = await captured(knex, async () => {
      await step.down({ knex, sql });
      await knex(migrationTable).where('name', step.name).delete();
      if ((await stepsDone(knex)).size === 0) await knex.schema.dropTable(migrationTable);
    });
    undone.push({ name: step.name, statements });
  }
  return undone;
}

async function stepsDone(knex: Knex): Promise<ReadonlySet<string>> {
  return new Set((await knex<{ name: string }>(migrationTable).select('name')).map((row) => row.name));
}

const readsOnly = /^\s*(?:select|pragma)\b/i;

/** Runs a task and returns what it executed, values in place. */
async function captured(knex: Knex, task: () => Promise<void>): Promise<readonly string[]> {
  const statements: string[] = [];
  const note = ({ sql, bindings = [] }: { readonly sql: string; readonly bindings?: readonly unknown[] }): void => {
    // As the driver has it, not as Knex would write it.
    const values = bindings.map((value) => (value instanceof Date ? value.getTime() : value));
    if (!readsOnly.test(sql)) statements.push(knex.raw(sql, values as Knex.RawBinding[]).toQuery());
  };
  knex.on('query', note);
  try {
    await task();
  } finally {
    knex.removeListener('query', note);
  }
  return statements;
}

/** The columns of Knex's own bookkeeping, so that its tools can read it. */
async function createBookkeeping(knex: Knex): Promise<void> {
  if (await knex.schema.hasTable(migrationTable)) return;
  await knex.schema.createTable(migrationTable, (table) => {
    table.increments('id');
    table.string('name');
    table.integer('batch');
    table.timestamp('migration_time');
  });
}

/** Tells why nothing was done. */
export function refused({ location }: Pick<MigrateOptions, 'location'>, what: string): (error: unknown) => never {
  return (error) => {
    if (isRedriveError(error) && error.code !== 'MIGRATION_FAILED') throw error;
    throw new RedriveError('MIGRATION_FAILED', `${location} could not be ${what}, and nothing was changed: ${reason(error)}`, {
      cause: error,
    });
  };
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Knex puts the whole statement in front.
  const message = error.message.slice(error.message.lastIndexOf(' - ') + 1).replace(/^- /, '');
  const taken = /^(?:table|index) [`"]?([^`"]+)[`"]? already exists$/.exec(message)?.[1];
  if (taken === undefined) return message;
  return `${taken} is there already and was not made by Redrive; rename it, or give Redrive another name (tableName)`;
}
