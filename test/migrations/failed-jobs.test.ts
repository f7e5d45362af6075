import Database from 'better-sqlite3';
// knex is CommonJS: plain Node sees its default export only.
import knexModule, { type Knex } from 'knex';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failedJobsMigrations } from '../../migrations/index.ts';
import { SqliteDialect } from '../../providers/database/dialects/sqlite/dialect.ts';
import type { Migration } from '../../src/store/sql-store.ts';
import { isRedriveError } from '../../src/errors.ts';
import { lastShape, makeCbqTable, publishedBytes, shapeNames, shapes } from '../cbq/published-table.ts';
import type { Redrive } from '../../src/redrive.ts';
import { isPending } from '../support/locked.ts';
import { sqliteRedrive } from '../support/sqlite-redrive.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

function setup(sql = ''): string {
  const filename = join(temporaryFolder(), 'app.db');
  const database = new Database(filename);
  database.exec(sql);
  database.close();
  return filename;
}

function open(filename: string): Knex {
  const knex = knexModule.knex({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true });
  onTestFinished(() => knex.destroy());
  return knex;
}

async function refusal(filename: string): Promise<{ code: string; message: string }> {
  try {
    await (await sqliteRedrive(filename)).migrate();
  } catch (error) {
    if (isRedriveError(error)) return error;
    throw error;
  }
  throw new Error('It was migrated');
}

const names = (filename: string): readonly string[] =>
  rows<{ name: string }>(filename, "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name").map(({ name }) => name);
const shape = shapes[lastShape];

describe('the failed-jobs table', () => {
  it('is made where there is none, so that an old cbq can write into it', async () => {
    const filename = setup();
    await (await sqliteRedrive(filename)).migrate();
    const columns = rows<{ name: string; notnull: number }>(filename, 'SELECT name, "notnull" FROM pragma_table_info(\'cbq_failed_jobs\')');
    expect(columns.slice(0, 14).map(({ name }) => name)).toEqual([
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
      'originalId',
    ]);
    expect(columns.slice(13).filter(({ notnull }) => notnull === 1)).toEqual([]);
  });

  it('that is a table of our own the bookkeeping has forgotten is taken as it is', async () => {
    const filename = setup();
    const redrive = await sqliteRedrive(filename);
    await redrive.migrate();
    const before = rows(filename, "SELECT sql FROM sqlite_master WHERE tbl_name = 'cbq_failed_jobs' ORDER BY name");
    rows(filename, "DELETE FROM redrive_migrations WHERE name LIKE 'failed_jobs%' RETURNING id");
    expect((await (await sqliteRedrive(filename)).migrate()).applied).toContain('failed_jobs_001_tables');
    expect(rows(filename, "SELECT sql FROM sqlite_master WHERE tbl_name = 'cbq_failed_jobs' ORDER BY name")).toEqual(before);
  });

  it('is known by its columns in whatever case', async () => {
    const filename = setup(`CREATE TABLE cbq_failed_jobs (${shape.toLowerCase()})`);
    await (await sqliteRedrive(filename)).migrate();
    expect(
      rows<{ name: string }>(filename, "SELECT name FROM pragma_table_info('cbq_failed_jobs')").filter(
        ({ name }) => name.toLowerCase() === 'originalid',
      ),
    ).toHaveLength(1);
  });
});

describe('a table of that name that is something else is refused, and left as it is', () => {
  it.each([
    [
      'without most columns of cbq',
      'CREATE TABLE cbq_failed_jobs (id INTEGER PRIMARY KEY, queue TEXT, error TEXT)',
      /it lacks connection, mapping, memento, properties, exceptionType, .*failedDate/,
    ],
    ['without one of them', `CREATE TABLE cbq_failed_jobs (${shape.replace('"memento" TEXT NOT NULL,', '')})`, /it lacks memento\./],
    [
      'with columns whose names are ours',
      `CREATE TABLE cbq_failed_jobs (${shape}, note TEXT, status INTEGER)`,
      /names Redrive needs: status, note\./,
    ],
    [
      'with a column that demands a value',
      `CREATE TABLE cbq_failed_jobs (${shape}, tenant TEXT NOT NULL, region TEXT NOT NULL DEFAULT 'eu')`,
      /must not be empty: tenant\./,
    ],
    [
      'with an originalId that refers to the jobs of cbq',
      `CREATE TABLE cbq_jobs (id INTEGER PRIMARY KEY); CREATE TABLE cbq_failed_jobs (${shape.replace('"originalId" VARCHAR(255)', '"originalId" BIGINT REFERENCES cbq_jobs (id)')})`,
      /refers to cbq_jobs.*000007_relax_originalId_constraints/,
    ],
  ])('%s', async (_, sql, reason) => {
    const filename = setup(sql);
    const theirs = (): readonly unknown[] =>
      rows(filename, "SELECT name, sql FROM sqlite_master WHERE name IN ('cbq_failed_jobs', 'cbq_jobs') ORDER BY name");
    const before = theirs();
    const { code, message } = await refusal(filename);
    expect(code).toBe('MIGRATION_FAILED');
    expect(message).toContain('the table cbq_failed_jobs is there already and cannot be used');
    expect(message).toMatch(reason);
    expect(message).toContain('logFailedJobsProperties.tableName');
    expect(theirs()).toEqual(before);
  });
});

describe('a database of somebody else that is refused', () => {
  const foreign = 'CREATE TABLE cbq_failed_jobs (id INTEGER PRIMARY KEY, queue TEXT, error TEXT)';
  const journalMode = (filename: string): unknown => {
    const database = new Database(filename, { readonly: true });
    try {
      return database.pragma('journal_mode', { simple: true });
    } finally {
      database.close();
    }
  };

  it.each([
    ['dispatch', (redrive: Redrive) => redrive.dispatch('some.job')],
    ['start', (redrive: Redrive) => redrive.start()],
    ['migrate', (redrive: Redrive) => redrive.migrate()],
  ])('by %s gets none of our tables for jobs, and keeps its journal', async (_, call) => {
    const filename = setup(foreign);
    const before = readFileSync(filename);
    await expect(call(await sqliteRedrive(filename))).rejects.toMatchObject({ code: 'MIGRATION_FAILED' });
    expect(names(filename)).toEqual(['cbq_failed_jobs']);
    expect(journalMode(filename)).toBe('delete');
    expect(readFileSync(filename).equals(before)).toBe(true);
  });

  it('is not touched either where it is opened for change, and not migrated', async () => {
    const filename = setup('CREATE TABLE notes (id INTEGER PRIMARY KEY)');
    const before = readFileSync(filename);
    const redrive = await sqliteRedrive(filename, { access: 'change' });
    await expect(redrive.dispatch('some.job')).rejects.toMatchObject({ code: 'STORE_UNMIGRATED' });
    expect(readFileSync(filename).equals(before)).toBe(true);
  });

  it('and is the one for failed jobs leaves that of the jobs unmade', async () => {
    const [jobs, log] = [setup(), setup(foreign)];
    const logFailedJobsProperties = { datasource: { client: 'better-sqlite3', connection: { filename: log } } };
    const redrive = await sqliteRedrive(jobs, { config: { logFailedJobsProperties } });
    await expect(redrive.start()).rejects.toMatchObject({ code: 'MIGRATION_FAILED', message: expect.stringContaining(log) as string });
    expect([names(jobs), names(log)]).toEqual([[], ['cbq_failed_jobs']]);
  });

  it.each([
    ['redrive_attempts', 'job_id, run, attempt, event_id, kind, rule, exception, stack_hash, fingerprint, started_at, ended_at'],
    ['redrive_sessions', 'pool, host, pid'],
    ['redrive_counts', 'session, completed'],
    ['redrive_groups', 'fingerprint, job, type, message, first_failed_at'],
    ['redrive_audit', 'entry_id, at, actor'],
    ['redrive_claims', 'name, at, lease_until'],
    ['redrive_bulk_jobs', 'bulk_retry, seq'],
    ['redrive_sequences', 'name, value'],
  ])('is one with a table %s that is not ours, which is told with the columns that it lacks', async (table, lacking) => {
    const filename = setup(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, queue TEXT)`);
    const { code, message } = await refusal(filename);
    expect(code).toBe('MIGRATION_FAILED');
    expect(message).toContain(`the table ${table} is there already and is not Redrive's: it lacks ${lacking}`);
    expect(names(filename)).toEqual([table]);
  });

  it('has the journal that lets readers and a writer work side by side once it was migrated', async () => {
    const filename = setup();
    makeCbqTable(filename, lastShape);
    expect(journalMode(filename)).toBe('delete');
    await (await sqliteRedrive(filename)).migrate();
    expect(journalMode(filename)).toBe('wal');
  });

  it('is migrated once those who read it have read it', async () => {
    const filename = setup();
    makeCbqTable(filename, lastShape);
    const reader = new Database(filename);
    onTestFinished(() => void reader.close());
    const reading = reader.prepare('SELECT id FROM cbq_failed_jobs').iterate();
    reading.next();
    const migrating = (await sqliteRedrive(filename)).migrate();
    expect(await isPending(migrating)).toBe(true);
    reading.return?.();
    expect((await migrating).applied).toContain('failed_jobs_001_tables');
    expect(journalMode(filename)).toBe('wal');
  });
});

const migrationOf = (knex: Knex): Migration => ({ knex, sql: new SqliteDialect({ prefix: 'redrive_' }) });

describe('rolled back', () => {
  const steps = failedJobsMigrations('cbq_failed_jobs');
  const up = async (knex: Knex): Promise<void> => {
    for (const step of steps) await step.up(migrationOf(knex));
  };
  const down = async (knex: Knex): Promise<void> => {
    for (const step of steps.toReversed()) await step.down(migrationOf(knex));
  };

  it('leaves nothing of what it made', async () => {
    const filename = setup();
    const knex = open(filename);
    await up(knex);
    expect(names(filename)).not.toEqual([]);
    await down(knex);
    expect(names(filename)).toEqual([]);
  });

  it.each(shapeNames)('gives a table that cbq made back with every row (%s)', async (given) => {
    const filename = setup();
    makeCbqTable(filename, given);
    const before = publishedBytes(filename, given);
    const knex = open(filename);
    await up(knex);
    await down(knex);
    expect(names(filename)).toEqual(['cbq_failed_jobs']);
    expect(publishedBytes(filename, given)).toEqual(before);
    expect(rows<{ name: string }>(filename, "SELECT name FROM pragma_table_info('cbq_failed_jobs')")).toHaveLength(14);
    // And it can be upgraded anew.
    await up(knex);
    expect(publishedBytes(filename, given)).toEqual(before);
  });
});
