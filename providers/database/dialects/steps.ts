import type { Knex } from 'knex';
import { isRedriveError, RedriveError } from '../../../src/errors.ts';
import type { SqlDialect } from '../../../src/store/sql-dialect.ts';
import type { Migration, MigrationStep, PlannedStep } from '../../../src/store/sql-store.ts';

/** The unquoted name of the table that keeps what has run: apart from the application's own `knex_migrations`. */
export function bookkeepingOf({ names }: SqlDialect): string {
  return `${names.prefix}migrations`;
}

/** Runs the steps that have not run; returns them with what they executed. Whoever calls sees to it that nobody else migrates. */
export async function runPending(steps: readonly MigrationStep[], { knex, sql }: Migration): Promise<readonly PlannedStep[]> {
  const table = bookkeepingOf(sql);
  const bookkeeping = await captured({ knex, sql }, () => createBookkeeping(knex, table));
  const done = await stepsDone(knex, table);
  const last = (await knex(table).max({ batch: 'batch' }).first()) as { batch: number | null } | undefined;
  const batch = (last?.batch ?? 0) + 1;
  const ran: PlannedStep[] = [];
  for (const step of steps.filter(({ name }) => !done.has(name))) {
    const statements = await captured({ knex, sql }, async () => {
      await step.up({ knex, sql });
      await knex(table).insert({ name: step.name, batch, migration_time: new Date() });
    });
    ran.push({ name: step.name, statements: ran.length === 0 ? [...bookkeeping, ...statements] : statements });
  }
  return ran;
}

/** Undoes the steps that have run, the last one first; returns them with what they executed. */
export async function undoAll(steps: readonly MigrationStep[], { knex, sql }: Migration): Promise<readonly PlannedStep[]> {
  const table = bookkeepingOf(sql);
  if (!(await knex.schema.hasTable(table))) return [];
  const done = await stepsDone(knex, table);
  const undone: PlannedStep[] = [];
  for (const step of steps.filter(({ name }) => done.has(name)).toReversed()) {
    const statements = await captured({ knex, sql }, async () => {
      await step.down({ knex, sql });
      await knex(table).where('name', step.name).delete();
      if ((await stepsDone(knex, table)).size === 0) await knex.schema.dropTable(table);
    });
    undone.push({ name: step.name, statements });
  }
  return undone;
}

async function stepsDone(knex: Knex, table: string): Promise<ReadonlySet<string>> {
  return new Set((await knex<{ name: string }>(table).select('name')).map((row) => row.name));
}

const readsOnly = /^\s*(?:select|pragma|show)\b/i;

interface Executed {
  readonly sql: string;
  readonly bindings?: readonly unknown[];
}

/** Runs a task and returns what it executed, values in place. */
async function captured(migration: Migration, task: () => Promise<void>): Promise<readonly string[]> {
  const { knex } = migration;
  const statements: string[] = [];
  const note = (executed: Executed): void => {
    if (!readsOnly.test(executed.sql)) statements.push(withValues(migration, executed));
  };
  knex.on('query', note);
  try {
    await task();
  } finally {
    knex.removeListener('query', note);
  }
  return statements;
}

function withValues({ knex, sql: { name } }: Migration, { sql, bindings = [] }: Executed): string {
  // As the driver has it, not as Knex would write it.
  const values = bindings.map((value) => (value instanceof Date && name === 'sqlite' ? value.getTime() : value)) as Knex.RawBinding[];
  if (name !== 'postgres') return knex.raw(sql, values).toQuery();
  return values.length === 0
    ? sql
    : sql.replaceAll(/\$(\d+)/g, (_mark, number: string) => literal(knex, values[Number(number) - 1] ?? null));
}

function literal(knex: Knex, value: Knex.RawBinding): string {
  return knex.raw('?', [value instanceof Date ? value.toISOString() : value]).toQuery();
}

/** The columns of Knex's own bookkeeping, so that its tools can read it. */
async function createBookkeeping(knex: Knex, name: string): Promise<void> {
  if (await knex.schema.hasTable(name)) return;
  await knex.schema.createTable(name, (table) => {
    table.increments('id');
    table.string('name');
    table.integer('batch');
    table.timestamp('migration_time');
  });
}

/** Tells why nothing was done. */
export function refused({ location }: { readonly location: string }, what: string): (error: unknown) => never {
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
  const taken = /^(?:table|index|relation) [`'"]?(.+?)[`'"]? already exists$/i.exec(message)?.[1];
  if (taken === undefined) return message;
  return `${taken} is there already and was not made by Redrive; rename it, or give Redrive another name (tableName)`;
}
