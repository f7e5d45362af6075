import type { Knex } from 'knex';
import { isRedriveError, RedriveError } from '../../../src/errors.ts';
import type { SqlDialect } from '../../../src/store/sql-dialect.ts';
import type { Migration, MigrationStep, PlannedStep } from '../../../src/store/sql-store.ts';

/** The unquoted name of the table that keeps what has run: apart from the application's own `knex_migrations`. */
export function bookkeepingOf({ names }: SqlDialect): string {
  return `${names.prefix}migrations`;
}

/** Runs the steps that have not run; returns them with what they executed. Whoever calls sees to it that nobody else migrates. */
export async function runPending(steps: readonly MigrationStep[], migration: Migration): Promise<readonly PlannedStep[]> {
  const bookkeeping = await createBookkeeping(migration);
  const done = await stepsDone(migration);
  const batch = await nextBatch(migration);
  const ran: PlannedStep[] = [];
  for (const step of steps.filter(({ name }) => !done.has(name))) {
    const { name, statements } = await runStep(step, migration, batch);
    ran.push({ name, statements: ran.length === 0 ? [...bookkeeping, ...statements] : statements });
  }
  return ran;
}

/** Undoes the steps that have run, the last one first; returns them with what they executed. */
export async function undoAll(steps: readonly MigrationStep[], migration: Migration): Promise<readonly PlannedStep[]> {
  if (!(await migration.knex.schema.hasTable(bookkeepingOf(migration.sql)))) return [];
  const left = new Set(await stepsDone(migration));
  const undone: PlannedStep[] = [];
  for (const step of steps.filter(({ name }) => left.has(name)).toReversed()) {
    left.delete(step.name);
    undone.push(await undoStep(step, migration, left));
  }
  return undone;
}

/** Runs one step, and notes that it has run. */
export async function runStep(step: MigrationStep, migration: Migration, batch: number): Promise<PlannedStep> {
  const { knex, sql } = migration;
  const statements = await captured(migration, async () => {
    await step.up(migration);
    await knex(bookkeepingOf(sql)).insert({ name: step.name, batch, migration_time: new Date() });
  });
  return { name: step.name, statements };
}

/** Undoes one step, and the note of it; where no step is left, what keeps the notes goes as well. */
export async function undoStep(step: MigrationStep, migration: Migration, left: ReadonlySet<string>): Promise<PlannedStep> {
  const { knex, sql } = migration;
  const table = bookkeepingOf(sql);
  const statements = await captured(migration, async () => {
    await step.down(migration);
    await knex(table).where('name', step.name).delete();
    if (left.size === 0) await knex.schema.dropTable(table);
  });
  return { name: step.name, statements };
}

/** Names of all steps that have run. */
export async function stepsDone({ knex, sql }: Migration): Promise<ReadonlySet<string>> {
  return new Set((await knex<{ name: string }>(bookkeepingOf(sql)).select('name')).map((row) => row.name));
}

/** Knex's number for the steps that run together. */
export async function nextBatch({ knex, sql }: Migration): Promise<number> {
  const last = (await knex(bookkeepingOf(sql)).max({ batch: 'batch' }).first()) as { batch: number | null } | undefined;
  return (last?.batch ?? 0) + 1;
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
  let next = 0;
  // A name may hold the mark of a value.
  if (name === 'mssql') return sql.replaceAll(/@p(\d+)/g, (_mark, number: string) => literal(knex, values[Number(number)] ?? null));
  if (name !== 'postgres') return sql.replaceAll(quotedOrMark, (found) => (found === '?' ? literal(knex, values[next++] ?? null) : found));
  return values.length === 0
    ? sql
    : sql.replaceAll(/\$(\d+)/g, (_mark, number: string) => literal(knex, values[Number(number) - 1] ?? null));
}

const quotedOrMark = /`(?:[^`]|``)*`|"(?:[^"]|"")*"|'(?:[^'\\]|\\.|'')*'|\?/g;

function literal(knex: Knex, value: Knex.RawBinding): string {
  // Without the letters of ISO, which MySQL does not read.
  return knex.raw('?', [value instanceof Date ? value.toISOString().replace('T', ' ').replace('Z', '') : value]).toQuery();
}

/** The columns of Knex's own bookkeeping, so that its tools can read it. Returns what was executed: nothing where it is there. */
export function createBookkeeping(migration: Migration): Promise<readonly string[]> {
  const { schema } = migration.knex;
  const name = bookkeepingOf(migration.sql);
  return captured(migration, async () => {
    if (await schema.hasTable(name)) return;
    await schema.createTable(name, (table) => {
      table.increments('id');
      table.string('name');
      table.integer('batch');
      table.timestamp('migration_time');
    });
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

/** What an error says to somebody who migrates, without the statement that Knex puts in front. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Knex puts the whole statement in front.
  const message = error.message.slice(error.message.lastIndexOf(' - ') + 1).replace(/^- /, '');
  const taken =
    /^There is already an object named '(.+?)' in the database/.exec(message)?.[1] ??
    /^(?:table|index|relation) [`'"]?(.+?)[`'"]? already exists$/i.exec(message)?.[1];
  if (taken === undefined) return message;
  return `${taken} is there already and was not made by Redrive; rename it, or give Redrive another name (tableName)`;
}
