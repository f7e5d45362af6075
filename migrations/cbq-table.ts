import type { Knex } from 'knex';
import { RedriveError } from '../src/errors.ts';
import type { Migration } from '../src/store/sql-store.ts';
import { createIndex, dropIndex } from './parts.ts';

/** The columns that cbq's first migration made. Later ones changed the type of `failedDate` and added `originalId`. */
const publishedColumns = [
  'id',
  'connection',
  'queue',
  'mapping',
  'memento',
  'properties',
  'exceptionType',
  'exceptionMessage',
  'exceptionDetail',
  'exceptionExtendedInfo',
  'exceptionStackTrace',
  'exception',
  'failedDate',
] as const;

/** Our own columns. Nullable, so that rows an old cbq writes are rows like any other. */
const ownColumns: Readonly<Record<string, (table: Knex.CreateTableBuilder) => Knex.ColumnBuilder>> = {
  job_id: (table) => table.string('job_id', 36),
  failure_seq: (table) => table.bigInteger('failure_seq').comment('drawn at each terminal failure: what is higher came after'),
  status: (table) => table.string('status', 16).comment('failed, retrying, resolved'),
  kind: (table) => table.string('kind', 16),
  rule: (table) => table.string('rule', 24),
  fingerprint: (table) => table.string('fingerprint', 16),
  series: (table) => table.string('series', 16),
  run: (table) => table.integer('run'),
  attempts: (table) => table.integer('attempts'),
  max_attempts: (table) => table.integer('max_attempts'),
  created_at: (table) => table.bigInteger('created_at'),
  started_at: (table) => table.bigInteger('started_at'),
  failed_at: (table) => table.bigInteger('failed_at').comment('epoch milliseconds'),
  worker_host: (table) => table.string('worker_host'),
  worker_pid: (table) => table.integer('worker_pid'),
  worker_pool: (table) => table.string('worker_pool'),
  release: (table) => table.string('release'),
  note: (table) => table.text('note', 'longtext'),
  event_id: (table) => table.string('event_id', 36),
};

export function addOwnColumns(table: Knex.CreateTableBuilder): void {
  for (const add of Object.values(ownColumns)) add(table);
}

/** Does nothing for an index that is there. */
export async function createFailedJobsIndexes(migration: Migration, tableName: string): Promise<void> {
  await createIndex(migration, { name: `${tableName}_job`, table: tableName, columns: 'job_id', isUnique: true });
  const { sql } = migration;
  // The order of lists is that of (failed_at, id); elsewhere an index holds the table's key anyway.
  const order = sql.name === 'postgres' ? ['failed_at', 'id'] : ['failed_at'];
  for (const [name, narrower] of listIndexes) {
    const columns = ['status', ...narrower, ...order].map((column) => sql.id(column)).join(', ');
    await createIndex(migration, { name: `${tableName}_${name}`, table: tableName, columns });
  }
}

/** What lists and figures need. A series stands for connection, queue, kind, job, type and group. */
const listIndexes = [
  ['time', []],
  ['series', ['series']],
  ['release', ['release']],
] as const;

/**
 * Adds to a table that cbq made what it lacks; nothing that is there is changed. A table of our own that the
 * bookkeeping has forgotten passes as well. Throws `MIGRATION_FAILED` for a table that is something else.
 */
export async function upgradeCbqTable(migration: Migration, tableName: string): Promise<void> {
  const { knex } = migration;
  const found = new Map(Object.entries(await knex(tableName).columnInfo()).map(([name, info]) => [name.toLowerCase(), info]));
  const has = (name: string): boolean => found.has(name.toLowerCase());
  const fault = faultOf(found, has) ?? (await foreignKeyFault(knex, tableName));
  if (fault !== undefined) throw refused(tableName, fault);
  await widen(migration, tableName, found);
  await knex.schema.alterTable(tableName, (table) => {
    if (!has('originalId')) table.string('originalId');
    if (!has('job_id')) addOwnColumns(table);
  });
  await createFailedJobsIndexes(migration, tableName);
}

/** Columns that hold text of any length here, and 255 characters in what cbq publishes for a server. */
const texts = [
  'memento',
  'properties',
  'exceptionType',
  'exceptionMessage',
  'exceptionDetail',
  'exceptionExtendedInfo',
  'exceptionStackTrace',
  'exception',
];

/**
 * Makes room: a message that does not fit would be a failure that cannot be written. The rows stay as they are, and cbq can go
 * on writing. On MySQL the table may be in an alphabet that lacks letters (cbq's NVARCHAR is one), which is widened as well; SQLite
 * keeps any text in any column.
 */
async function widen({ knex, sql }: Migration, tableName: string, found: ReadonlyMap<string, Knex.ColumnInfo>): Promise<void> {
  const narrow = texts.filter((name) => !['longtext', 'text'].includes(found.get(name.toLowerCase())?.type ?? ''));
  // For a while cbq kept its jobs' numbers there; ours have ids that are text.
  const isNumeric = /int/.test(found.get('originalid')?.type ?? '');
  if (sql.name === 'postgres') {
    for (const name of narrow) await knex.raw('ALTER TABLE ?? ALTER COLUMN ?? TYPE text', [tableName, name]);
    if (isNumeric) await knex.raw('ALTER TABLE ?? ALTER COLUMN ?? TYPE varchar(255)', [tableName, 'originalId']);
  }
  if (sql.name === 'mssql') return widenOnMssql(knex, tableName, found);
  if (sql.name !== 'mysql') return;
  const tight = texts.filter((name) => found.get(name.toLowerCase())?.type !== 'longtext');
  if (tight.length === 0 && !isNumeric) return;
  const changes = tight.map((name) => {
    const isNullable = found.get(name.toLowerCase())?.nullable === true;
    return `MODIFY ${sql.id(name)} LONGTEXT CHARACTER SET utf8mb4${isNullable ? '' : ' NOT NULL'}`;
  });
  if (isNumeric) changes.push(`MODIFY ${sql.id('originalId')} VARCHAR(255) CHARACTER SET utf8mb4`);
  await knex.raw(`ALTER TABLE ?? CONVERT TO CHARACTER SET utf8mb4, ${changes.join(', ')}`, [tableName]);
}

/** cbq's text there is of one alphabet (VARCHAR), and of 255 characters in some columns. One column a statement. */
async function widenOnMssql(knex: Knex, tableName: string, found: ReadonlyMap<string, Knex.ColumnInfo>): Promise<void> {
  const alter = async (name: string, type: string): Promise<void> => {
    const isNullable = found.get(name.toLowerCase())?.nullable === true;
    await knex.raw(`ALTER TABLE ?? ALTER COLUMN ?? ${type} ${isNullable ? 'NULL' : 'NOT NULL'}`, [tableName, name]);
  };
  for (const name of texts) {
    const { type, maxLength } = found.get(name.toLowerCase()) ?? {};
    if (type !== 'nvarchar' || Number(maxLength) !== -1) await alter(name, 'nvarchar(max)');
  }
  for (const name of ['connection', 'queue', 'mapping']) if (found.get(name)?.type === 'varchar') await alter(name, 'nvarchar(255)');
  const { type: ofOriginalId } = found.get('originalid') ?? {};
  if (ofOriginalId !== undefined && ofOriginalId !== 'nvarchar') await alter('originalId', 'nvarchar(255)');
}

/** Gives the table back to cbq: our columns go, every row stays. */
export async function leaveCbqTable(migration: Migration, tableName: string): Promise<void> {
  const { knex } = migration;
  for (const index of ['job', ...listIndexes.map(([name]) => name)]) await dropIndex(migration, `${tableName}_${index}`, tableName);
  // One statement, and one copy of the table where it takes one.
  if (migration.sql.name === 'mysql')
    await knex.schema.alterTable(tableName, (table) => void table.dropColumns(...Object.keys(ownColumns)));
  else for (const column of Object.keys(ownColumns)) await knex.raw('ALTER TABLE ?? DROP COLUMN ??', [tableName, column]);
}

function faultOf(found: ReadonlyMap<string, Knex.ColumnInfo>, has: (name: string) => boolean): string | undefined {
  const lacking = publishedColumns.filter((name) => !has(name));
  if (lacking.length > 0) return `it is not cbq's: it lacks ${lacking.join(', ')}`;
  const own = Object.keys(ownColumns);
  const taken = own.filter(has);
  if (taken.length > 0 && taken.length < own.length) return `it has columns whose names Redrive needs: ${taken.join(', ')}`;
  const known = new Set([...publishedColumns, 'originalId', ...own].map((name) => name.toLowerCase()));
  const demanding = [...found]
    .filter(([name, { nullable, defaultValue }]) => !known.has(name) && !nullable && defaultValue === null)
    .map(([name]) => name);
  // A failure that cannot be written would be tried again and again.
  if (demanding.length > 0) return `it has columns that Redrive would not fill in, and that must not be empty: ${demanding.join(', ')}`;
  return undefined;
}

/** For a while `originalId` referred to `cbq_jobs`, where the ids of our jobs are not found. */
async function foreignKeyFault(knex: Knex, tableName: string): Promise<string | undefined> {
  if ((knex.client as { readonly dialect: string }).dialect !== 'sqlite3') return undefined;
  const keys = await knex.raw<readonly { name: string; parent: string }[]>(
    'SELECT "from" AS name, "table" AS parent FROM pragma_foreign_key_list(?)',
    [tableName],
  );
  const key = keys.find(({ name }) => name.toLowerCase() === 'originalid');
  return key === undefined
    ? undefined
    : `its originalId refers to ${key.parent}, which has none of Redrive's jobs; run cbq's migrations through 2000_01_01_000007_relax_originalId_constraints`;
}

function refused(tableName: string, fault: string): RedriveError {
  return new RedriveError(
    'MIGRATION_FAILED',
    `the table ${tableName} is there already and cannot be used: ${fault}. Rename it, or give Redrive another name (logFailedJobsProperties.tableName)`,
  );
}
