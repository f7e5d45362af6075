import type { Migration } from '../src/store/sql-store.ts';
import { createTableUnlessThere, ownName } from './parts.ts';

/** Who did what, when, to how many. */
export async function createAudit(migration: Migration): Promise<void> {
  const name = ownName(migration, 'audit');
  await createTableUnlessThere(migration, name, (table) => {
    table.bigIncrements('id');
    table
      .string('entry_id', 36)
      .notNullable()
      .unique({ indexName: `${name}_entry` })
      .comment('parts of one act share it');
    table.bigInteger('at').notNullable().comment('epoch milliseconds');
    table.string('actor').notNullable();
    table.string('action', 32).notNullable();
    table.text('chosen_by', 'longtext').comment('the filter, as JSON');
    table.text('ids', 'longtext').notNullable().comment('the first of those it was done to, as JSON');
    table.bigInteger('amount').notNullable();
    table.text('detail', 'longtext').comment('JSON');
  });
}

export async function dropAudit(migration: Migration): Promise<void> {
  await migration.knex.schema.dropTableIfExists(ownName(migration, 'audit'));
}
