import type { Migration } from '../src/store/sql-store.ts';
import { createIndex, createTableUnlessThere, ownName } from './parts.ts';

/** What retries need beyond the failed jobs: the edited job beside the one as dispatched, and bulk retries with their jobs. */
export async function createRetries(migration: Migration, failedJobs: string): Promise<void> {
  const { knex } = migration;
  if (!(await knex.schema.hasColumn(failedJobs, editedMemento)))
    await knex.schema.alterTable(failedJobs, (table) => void table.text(editedMemento, 'longtext'));
  await createBulkRetries(migration);
  await createBulkJobs(migration);
}

export async function dropRetries(migration: Migration, failedJobs: string): Promise<void> {
  const { knex } = migration;
  for (const name of ['bulk_jobs', 'bulk_retries']) await knex.schema.dropTableIfExists(ownName(migration, name));
  if ((await knex.schema.hasTable(failedJobs)) && (await knex.schema.hasColumn(failedJobs, editedMemento)))
    await knex.raw('ALTER TABLE ?? DROP COLUMN ??', [failedJobs, editedMemento]);
}

const editedMemento = 'edited_memento';

async function createBulkRetries(migration: Migration): Promise<void> {
  const name = ownName(migration, 'bulk_retries');
  await createTableUnlessThere(migration, name, (table) => {
    table.bigIncrements('id');
    table
      .string('token', 36)
      .notNullable()
      .unique({ indexName: `${name}_token` });
    table.string('actor').notNullable();
    table.text('chosen_by', 'longtext').notNullable().comment('the filter, as JSON');
    table.text('options', 'longtext').notNullable().comment('JSON');
    table.string('state', 16).notNullable().comment('running, paused, cancelled, stopped, done');
    table.text('reason', 'longtext').comment('why it stopped by itself');
    table.bigInteger('through_seq').notNullable().comment('the last failure there was at the start');
    table.string('collecting', 64).comment('where collecting its jobs goes on, as JSON; null: they are all collected');
    table.bigInteger('matched').notNullable().defaultTo(0);
    table.bigInteger('fence').notNullable().comment('rises with every driver');
    table.bigInteger('driven_until').notNullable().comment('when the lease of its driver ends; 0: it has none');
    table.bigInteger('next_at').notNullable().comment('nothing is moved before');
    table.bigInteger('created_at').notNullable();
    table.bigInteger('ended_at');
    table.text('tally', 'longtext').comment('the numbers of one whose jobs are removed, as JSON');
  });
}

async function createBulkJobs(migration: Migration): Promise<void> {
  const name = ownName(migration, 'bulk_jobs');
  await createTableUnlessThere(migration, name, (table) => {
    table.bigInteger('bulk_retry').notNullable();
    table.bigInteger('seq').notNullable().comment('the failure_seq that it was chosen by');
    table.bigInteger('failed_job').notNullable();
    table.string('job_id', 36).comment('null for what an old cbq wrote, until it is moved');
    table.integer('run').notNullable().comment('the run that moving it opens');
    table.string('state', 8).notNullable().comment('pending, moved, skipped');
    table.string('outcome', 12).comment('of that run: resolved, failed, cancelled');
    table.text('detail', 'longtext').comment('why it was skipped');
    table.primary(['bulk_retry', 'seq']);
  });
  await createIndex(migration, { name: `${name}_job`, table: name, columns: 'job_id' });
  await createIndex(migration, { name: `${name}_state`, table: name, columns: 'bulk_retry, state, outcome' });
}
