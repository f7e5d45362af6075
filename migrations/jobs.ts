import type { Migration, MigrationStep } from '../src/store/sql-store.ts';
import { createIndex, createSequences, createTable, createTableUnlessThere, dropIfUnused, named, ownName, refuseName } from './parts.ts';

/** The jobs' tables: jobs, sessions, attempts with their stacks, announcements. `tableName` is that of the jobs. */
export function jobsMigrations(tableName: string): readonly MigrationStep[] {
  return [
    {
      name: named('jobs_001_tables', tableName, 'redrive_jobs'),
      async up(migration) {
        refuseName(migration, tableName);
        await createJobs(migration, tableName);
        await createSequences(migration);
        await createSessions(migration);
        await createAttempts(migration);
        await createAnnouncements(migration);
        await createQueues(migration);
      },
      async down(migration) {
        const { knex } = migration;
        await knex.schema.dropTableIfExists(tableName);
        for (const name of ['paused_queues', 'counts', 'announcements', 'attempts', 'stacks', 'sessions'])
          await knex.schema.dropTableIfExists(ownName(migration, name));
        await dropIfUnused(migration);
      },
    },
  ];
}

async function createJobs(migration: Migration, tableName: string): Promise<void> {
  await createTable(migration, tableName, (table) => {
    table.bigIncrements('id');
    table
      .string('uuid', 36)
      .notNullable()
      .unique({ indexName: `${tableName}_uuid` });
    table.string('queue').notNullable();
    table.string('mapping').notNullable().comment('the name of the job');
    table.text('memento', 'longtext').notNullable();
    table.string('status', 16).notNullable().comment('ready, waiting, reserved, completed, failed, canceled');
    table.integer('priority').notNullable().defaultTo(0);
    // An index that mixes directions is not known to every MariaDB.
    if (migration.sql.name === 'mysql') table.specificType('line_rank', 'bigint AS (-priority) STORED');
    table.bigInteger('ready_seq').comment('drawn when the job becomes ready: first in, first out');
    table.bigInteger('available_at').comment('when the job becomes, or became, ready');
    table.integer('run').notNullable().defaultTo(1);
    table.integer('attempt').notNullable().defaultTo(0).comment('attempts spent in this run');
    table.bigInteger('session');
    table.bigInteger('lease_seq');
    table.string('unique_key').comment('held by this job; one job at a time');
    table.string('unique_scope', 16);
    table.text('cancel_reason', 'longtext').comment('somebody wants the running job cancelled');
    table.bigInteger('created_at').notNullable();
    table.bigInteger('first_started_at').comment('first attempt of this run');
    table.bigInteger('reserved_at');
    table.bigInteger('ended_at');
    table.text('result', 'longtext');
  });
  // Partial indexes where there are such: jobs in other states cost the hot path nothing.
  const indexes = [
    {
      of: 'ready',
      columns: 'queue, priority DESC, ready_seq',
      where: `status = 'ready'`,
      columnsOfAll: 'status, queue, line_rank, ready_seq',
    },
    { of: 'waiting', columns: 'available_at', where: `status = 'waiting'`, columnsOfAll: 'status, available_at' },
    { of: 'reserved', columns: 'session', where: `status = 'reserved'`, columnsOfAll: 'status, session' },
    { of: 'ended', columns: 'status, ended_at', where: `status IN ('completed', 'canceled')` },
    { of: 'unique', columns: 'unique_key', where: 'unique_key IS NOT NULL', isUnique: true },
  ];
  for (const { of, ...index } of indexes) await createIndex(migration, { name: `${tableName}_${of}`, table: tableName, ...index });
}

async function createSessions(migration: Migration): Promise<void> {
  await createTableUnlessThere(migration, ownName(migration, 'sessions'), (table) => {
    table.bigIncrements('id');
    table.string('pool').notNullable();
    table.string('host').notNullable();
    table.integer('pid').notNullable();
    table.text('policies', 'longtext').notNullable().comment('what its jobs are judged by should it die');
    table.bigInteger('created_at').notNullable();
    table.bigInteger('renewed_at').notNullable();
    table.bigInteger('expires_at').notNullable();
    table.bigInteger('started_through').notNullable().defaultTo(0).comment('jobs up to this lease_seq have started');
    table.bigInteger('dead_at');
  });
}

async function createAttempts(migration: Migration): Promise<void> {
  await createTableUnlessThere(migration, ownName(migration, 'stacks'), (table) => {
    table.string('hash', 32).primary();
    table.text('body', 'longtext').notNullable();
  });
  await createTableUnlessThere(migration, ownName(migration, 'attempts'), (table) => {
    table.bigIncrements('id');
    table.string('job_id', 36).notNullable();
    table.integer('run').notNullable();
    table.integer('attempt').comment('null: did not count');
    table.string('event_id', 36).notNullable();
    table.string('kind', 16).notNullable();
    table.string('rule', 24).notNullable();
    table.text('exception', 'longtext').notNullable().comment('JSON, its stacks in redrive_stacks');
    table.string('stack_hash', 32).notNullable();
    table.string('fingerprint', 16).notNullable();
    table.bigInteger('started_at');
    table.bigInteger('ended_at').notNullable();
    table.bigInteger('retry_at');
    table.string('host').notNullable();
    table.integer('pid').notNullable();
    table.string('pool').notNullable();
    table.string('release');
    // Nulls differ from each other, so shutdowns may repeat.
    table.unique(['job_id', 'run', 'attempt'], { indexName: ownName(migration, 'attempts_once') });
    // By which it is seen that no attempt refers to a stack any more.
    table.index('stack_hash', ownName(migration, 'attempts_stack'));
  });
}

async function createQueues(migration: Migration): Promise<void> {
  await createTableUnlessThere(migration, ownName(migration, 'paused_queues'), (table) => {
    table.string('queue').primary();
    table.bigInteger('paused_at').notNullable();
    table.string('paused_by').notNullable();
  });
  // A row for each session: one row for all would make every worker wait for every other.
  await createTableUnlessThere(migration, ownName(migration, 'counts'), (table) => {
    table.string('queue').notNullable();
    table.bigInteger('session').notNullable().comment('0: sessions that are gone');
    table.bigInteger('completed').notNullable();
    table.primary(['queue', 'session']);
  });
}

async function createAnnouncements(migration: Migration): Promise<void> {
  await createTableUnlessThere(migration, ownName(migration, 'announcements'), (table) => {
    table.bigIncrements('id');
    table
      .string('event_id', 36)
      .notNullable()
      .unique({ indexName: ownName(migration, 'announcements_event') });
    table.string('kind', 16).notNullable().comment('failed, retrying, resolved');
    table.string('job_id', 36).notNullable();
    table.string('mapping').notNullable();
    table.integer('run').notNullable();
    table.bigInteger('session').comment('who tells it; null: whoever comes first');
    table.bigInteger('at').notNullable();
    table.text('record', 'longtext').comment('the failure, where the failed job is not in this database');
  });
}
