import type { Knex } from 'knex';
import type { Migration, MigrationStep } from '../src/store/sql-store.ts';
import { createAudit, dropAudit } from './audit.ts';
import { addOwnColumns, createFailedJobsIndexes, leaveCbqTable, upgradeCbqTable } from './cbq-table.ts';
import { createClaims, dropClaims } from './claims.ts';
import { createRetries, dropRetries } from './retries.ts';
import { createSequences, createTable, createTableUnlessThere, dropIfUnused, named, ownName, refuseName } from './parts.ts';

/**
 * The failed-jobs log's tables: failed jobs, in cbq's columns and some of our own, and failure groups. A table that
 * cbq made is upgraded where it stands, its rows untouched; the log numbers them afterwards.
 */
export function failedJobsMigrations(tableName: string): readonly MigrationStep[] {
  return [
    {
      name: named('failed_jobs_001_tables', tableName, 'cbq_failed_jobs'),
      async up(migration) {
        const { knex } = migration;
        refuseName(migration, tableName);
        if (await knex.schema.hasTable(tableName)) await upgradeCbqTable(migration, tableName);
        else await createFailedJobs(migration, tableName);
        await createSequences(migration);
        await createGroups(migration);
        await createSeries(migration);
      },
      async down(migration) {
        const { knex } = migration;
        // What cbq wrote was there before Redrive, and outlives it.
        if (await hasCbqRows(knex, tableName)) await leaveCbqTable(migration, tableName);
        else await knex.schema.dropTableIfExists(tableName);
        for (const name of ['series', 'groups']) await knex.schema.dropTableIfExists(ownName(migration, name));
        await dropIfUnused(migration);
      },
    },
    {
      name: named('failed_jobs_002_audit', tableName, 'cbq_failed_jobs'),
      up: createAudit,
      down: dropAudit,
    },
    {
      name: named('failed_jobs_003_claims', tableName, 'cbq_failed_jobs'),
      up: createClaims,
      down: dropClaims,
    },
    {
      name: named('failed_jobs_004_retries', tableName, 'cbq_failed_jobs'),
      up: (migration) => createRetries(migration, tableName),
      down: (migration) => dropRetries(migration, tableName),
    },
  ];
}

async function createFailedJobs(migration: Migration, tableName: string): Promise<void> {
  await createTable(migration, tableName, (table) => {
    addCbqColumns(table);
    addOwnColumns(table);
  });
  await createFailedJobsIndexes(migration, tableName);
}

async function hasCbqRows(knex: Knex, tableName: string): Promise<boolean> {
  if (!(await knex.schema.hasTable(tableName))) return false;
  return (await knex(tableName).whereNull('event_id').first('id')) !== undefined;
}

/** The columns of the table cbq publishes, with its names and meanings; text has no limit here. */
function addCbqColumns(table: Knex.CreateTableBuilder): void {
  table.bigIncrements('id');
  table.string('connection').notNullable();
  table.string('queue').notNullable();
  table.string('mapping').notNullable();
  table.text('memento', 'longtext').notNullable();
  table.text('properties', 'longtext').notNullable();
  table.text('exceptionType', 'longtext');
  table.text('exceptionMessage', 'longtext').notNullable();
  table.text('exceptionDetail', 'longtext');
  table.text('exceptionExtendedInfo', 'longtext');
  table.text('exceptionStackTrace', 'longtext').notNullable();
  table.text('exception', 'longtext').notNullable();
  table.bigInteger('failedDate').notNullable().comment('unix seconds');
  table.string('originalId').comment('the id of the job; null where an old cbq had none');
}

async function createGroups(migration: Migration): Promise<void> {
  await createTableUnlessThere(migration, ownName(migration, 'groups'), (table) => {
    table.string('fingerprint', 16).primary();
    table.string('job').notNullable();
    table.text('type', 'longtext').notNullable();
    table.text('message', 'longtext').notNullable().comment('of the first failure of the group');
    table.bigInteger('first_failed_at').notNullable();
  });
}

async function createSeries(migration: Migration): Promise<void> {
  await createTableUnlessThere(migration, ownName(migration, 'series'), (table) => {
    table.string('series', 16).primary().comment('a hash of the others');
    table.string('connection').notNullable();
    table.string('queue').notNullable();
    table.string('kind', 16).notNullable();
    table.string('fingerprint', 16).notNullable();
  });
}
