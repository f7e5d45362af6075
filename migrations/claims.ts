import type { Migration } from '../src/store/sql-store.ts';
import { createIndex, createTableUnlessThere, dropIndex, ownName } from './parts.ts';

/** What processes do one at a time, or once: scheduled clean-ups, alerts; and the index by which alerts find new groups. */
export async function createClaims(migration: Migration): Promise<void> {
  const name = ownName(migration, 'claims');
  const groups = ownName(migration, 'groups');
  await createIndex(migration, { name: `${groups}_first`, table: groups, columns: 'first_failed_at' });
  await createTableUnlessThere(migration, name, (table) => {
    table.string('name').primary();
    table.bigInteger('at').notNullable().comment('when it was last done; epoch milliseconds');
    table.bigInteger('lease_until').comment('somebody is at it until then');
    table.text('detail', 'longtext').comment('JSON, for whoever takes it over');
    table.bigInteger('version').notNullable().comment('rises with every change');
  });
}

export async function dropClaims(migration: Migration): Promise<void> {
  const groups = ownName(migration, 'groups');
  await migration.knex.schema.dropTableIfExists(ownName(migration, 'claims'));
  if (await migration.knex.schema.hasTable(groups)) await dropIndex(migration, `${groups}_first`, groups);
}
