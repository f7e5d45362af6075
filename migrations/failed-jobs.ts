import type { Knex } from 'knex';
import type { MigrationStep } from '../src/store/sql-store.ts';
import { createSequences, dropIfUnused, named } from './parts.ts';

/** The failed-jobs log's tables: failed jobs, in cbq's columns and some of our own, and failure groups. */
export function failedJobsMigrations(tableName: string): readonly MigrationStep[] {
  return [
    {
      name: named('failed_jobs_001_tables', tableName, 'cbq_failed_jobs'),
      async up(knex) {
        await createFailedJobs(knex, tableName);
        await createSequences(knex);
        if (!(await knex.schema.hasTable('redrive_groups'))) await createGroups(knex);
      },
      async down(knex) {
        await knex.schema.dropTableIfExists(tableName);
        await knex.schema.dropTableIfExists('redrive_groups');
        await dropIfUnused(knex);
      },
    },
  ];
}

async function createFailedJobs(knex: Knex, tableName: string): Promise<void> {
  await knex.schema.createTable(tableName, (table) => {
    addCbqColumns(table);
    addOwnColumns(table);
  });
  await knex.raw('CREATE UNIQUE INDEX ?? ON ?? (job_id)', [`${tableName}_job`, tableName]);
  await knex.raw('CREATE INDEX ?? ON ?? (status, failure_seq)', [`${tableName}_status`, tableName]);
  await knex.raw('CREATE INDEX ?? ON ?? (queue, failure_seq)', [`${tableName}_queue`, tableName]);
  await knex.raw('CREATE INDEX ?? ON ?? (fingerprint, failure_seq)', [`${tableName}_fingerprint`, tableName]);
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
  table.integer('failedDate').unsigned().notNullable().comment('unix seconds');
  table.string('originalId').notNullable().comment('the id of the job');
}

/** Nullable, so that rows an old cbq wrote are rows like any other. */
function addOwnColumns(table: Knex.CreateTableBuilder): void {
  table.string('job_id', 36);
  table.bigInteger('failure_seq').comment('drawn at each terminal failure: the order of lists');
  table.string('status', 16).comment('failed, retrying, resolved');
  table.string('kind', 16);
  table.string('rule', 24);
  table.string('fingerprint', 16);
  table.integer('run');
  table.integer('attempts');
  table.integer('max_attempts');
  table.bigInteger('created_at');
  table.bigInteger('started_at');
  table.bigInteger('failed_at').comment('epoch milliseconds');
  table.string('worker_host');
  table.integer('worker_pid');
  table.string('worker_pool');
  table.string('release');
  table.text('note', 'longtext');
  table.string('event_id', 36);
}

async function createGroups(knex: Knex): Promise<void> {
  await knex.schema.createTable('redrive_groups', (table) => {
    table.string('fingerprint', 16).primary();
    table.string('job').notNullable();
    table.text('type', 'longtext').notNullable();
    table.text('message', 'longtext').notNullable().comment('of the first failure of the group');
    table.bigInteger('first_failed_at').notNullable();
  });
}
