import Database from 'better-sqlite3';
// knex is CommonJS: plain Node sees its default export only.
import knexModule, { type Knex } from 'knex';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failedJobsMigrations } from '../../migrations/index.ts';
import { SqliteDialect } from '../../providers/database/dialects/sqlite/dialect.ts';
import type { Migration } from '../../src/store/sql-store.ts';
import { isRedriveError } from '../../src/errors.ts';
import { lastShape, makeCbqTable, publishedBytes, shapeNames, shapes } from '../cbq/published-table.ts';
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
