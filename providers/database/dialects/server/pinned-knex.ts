// knex is CommonJS: plain Node sees its default export only.
import knexModule, { type Knex } from 'knex';
import type { RawConnection } from './engine.ts';

/**
 * A Knex instance of our own that runs everything on one given connection, whoever's pool that is of: it knows nothing of how
 * a user's instance renames tables and columns, or reads rows. Without a connection it only builds queries.
 */
export function pinnedKnex(client: string, connection?: RawConnection): Knex {
  const knex = knexModule.knex({ client });
  if (connection !== undefined) {
    Object.assign(knex.client, { acquireConnection: async () => connection, releaseConnection: async () => undefined });
  }
  return knex;
}
