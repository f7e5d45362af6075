import type { Knex } from 'knex';
import type { MigrationStep } from '../src/store/sql-store.ts';
import { createSequences, dropIfUnused, named } from './parts.ts';

/** The jobs' tables: jobs, sessions, attempts with their stacks, announcements. `tableName` is that of the jobs. */
export function jobsMigrations(tableName: string): readonly MigrationStep[] {
  return [
    {
      name: named('jobs_001_tables', tableName, 'redrive_jobs'),
      async up(knex) {
        await createJobs(knex, tableName);
        await createSequences(knex);
        if (!(await knex.schema.hasTable('redrive_sessions'))) await createSessions(knex);
        if (!(await knex.schema.hasTable('redrive_attempts'))) await createAttempts(knex);
        if (!(await knex.schema.hasTable('redrive_announcements'))) await createAnnouncements(knex);
        if (!(await knex.schema.hasTable('redrive_paused_queues'))) await createQueues(knex);
      },
      async down(knex) {
        await knex.schema.dropTableIfExists(tableName);
        for (const table of [
          'redrive_paused_queues',
          'redrive_counts',
          'redrive_announcements',
          'redrive_attempts',
          'redrive_stacks',
          'redrive_sessions',
        ])
          await knex.schema.dropTableIfExists(table);
        await dropIfUnused(knex);
      },
    },
  ];
}

async function createJobs(knex: Knex, tableName: string): Promise<void> {
  await knex.schema.createTable(tableName, (table) => {
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
  // Partial indexes: jobs in other states cost the hot path nothing.
  await knex.raw(`CREATE INDEX ?? ON ?? (queue, priority DESC, ready_seq) WHERE status = 'ready'`, [`${tableName}_ready`, tableName]);
  await knex.raw(`CREATE INDEX ?? ON ?? (available_at) WHERE status = 'waiting'`, [`${tableName}_waiting`, tableName]);
  await knex.raw(`CREATE INDEX ?? ON ?? (session) WHERE status = 'reserved'`, [`${tableName}_reserved`, tableName]);
  await knex.raw(`CREATE INDEX ?? ON ?? (ended_at) WHERE status IN ('completed', 'canceled')`, [`${tableName}_ended`, tableName]);
  await knex.raw(`CREATE UNIQUE INDEX ?? ON ?? (unique_key) WHERE unique_key IS NOT NULL`, [`${tableName}_unique`, tableName]);
}

async function createSessions(knex: Knex): Promise<void> {
  await knex.schema.createTable('redrive_sessions', (table) => {
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

async function createAttempts(knex: Knex): Promise<void> {
  await knex.schema.createTable('redrive_stacks', (table) => {
    table.string('hash', 32).primary();
    table.text('body', 'longtext').notNullable();
  });
  await knex.schema.createTable('redrive_attempts', (table) => {
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
    table.unique(['job_id', 'run', 'attempt'], { indexName: 'redrive_attempts_once' });
  });
}

async function createQueues(knex: Knex): Promise<void> {
  await knex.schema.createTable('redrive_paused_queues', (table) => {
    table.string('queue').primary();
    table.bigInteger('paused_at').notNullable();
    table.string('paused_by').notNullable();
  });
  // A row for each session: one row for all would make every worker wait for every other.
  await knex.schema.createTable('redrive_counts', (table) => {
    table.string('queue').notNullable();
    table.bigInteger('session').notNullable().comment('0: sessions that are gone');
    table.bigInteger('completed').notNullable();
    table.primary(['queue', 'session']);
  });
}

async function createAnnouncements(knex: Knex): Promise<void> {
  await knex.schema.createTable('redrive_announcements', (table) => {
    table.bigIncrements('id');
    table.string('event_id', 36).notNullable().unique({ indexName: 'redrive_announcements_event' });
    table.string('kind', 16).notNullable().comment('failed, retrying, resolved');
    table.string('job_id', 36).notNullable();
    table.string('mapping').notNullable();
    table.integer('run').notNullable();
    table.bigInteger('session').comment('who tells it; null: whoever comes first');
    table.bigInteger('at').notNullable();
    table.text('record', 'longtext').comment('the failure, where the failed job is not in this database');
  });
}
