import type { Knex } from 'knex';

/** The name of a step, apart for each table name but the default one. */
export function named(step: string, tableName: string, defaultName: string): string {
  return tableName === defaultName ? step : `${step}:${tableName}`;
}

/** Numbers that only rise: the order of becoming ready, the order of failing. */
export async function createSequences(knex: Knex): Promise<void> {
  if (await knex.schema.hasTable('redrive_sequences')) return;
  await knex.schema.createTable('redrive_sequences', (table) => {
    table.string('name', 32).primary();
    table.bigInteger('value').notNullable();
  });
  await knex('redrive_sequences').insert([
    { name: 'ready', value: 0 },
    { name: 'failure', value: 0 },
  ]);
}

/** The sequences go with the last table that draws from them. */
export async function dropIfUnused(knex: Knex): Promise<void> {
  const users = await Promise.all(['redrive_sessions', 'redrive_groups'].map((table) => knex.schema.hasTable(table)));
  if (!users.includes(true)) await knex.schema.dropTableIfExists('redrive_sequences');
}
