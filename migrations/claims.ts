import type { Knex } from 'knex';

/** What many processes do one at a time, or once: scheduled clean-ups, alerts. */
export async function createClaims(knex: Knex): Promise<void> {
  if (await knex.schema.hasTable('redrive_claims')) return;
  await knex.schema.createTable('redrive_claims', (table) => {
    table.string('name').primary();
    table.bigInteger('at').notNullable().comment('when it was last done; epoch milliseconds');
    table.bigInteger('lease_until').comment('somebody is at it until then');
    table.text('detail', 'longtext').comment('JSON, for whoever takes it over');
    table.integer('version').notNullable().comment('rises with every change');
  });
}
