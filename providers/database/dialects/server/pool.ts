import type { Knex } from 'knex';
import type { RawConnection } from './engine.ts';

/** Knex's own mark: such a connection is closed by the next one who would be given it. */
const condemned = '__knex__disposed';

/** What Knex's types leave open of its client. */
interface KnexClient {
  acquireConnection(): Promise<RawConnection>;
  releaseConnection(connection: RawConnection): Promise<void>;
}

/** Connections to one server. */
export interface ConnectionPool {
  /** Rejects with the driver's error, or with Knex's where none became free in time. */
  acquire(): Promise<RawConnection>;
  /** Gives a connection back. With a fault it is closed, and not handed out again. */
  release(connection: RawConnection, fault?: unknown): Promise<void>;
  /** Closes the pool, unless it is the user's. */
  close(): Promise<void>;
}

/** The pool of a Knex instance. `isOurs`: nobody else uses the instance, and it is closed with the store. */
export function poolOf(knex: Knex, isOurs: 'ours' | 'theirs'): ConnectionPool {
  const client = knex.client as KnexClient;
  return {
    acquire: () => client.acquireConnection(),
    async release(connection, fault) {
      if (fault !== undefined) Object.assign(connection, { [condemned]: fault });
      await client.releaseConnection(connection);
    },
    async close() {
      if (isOurs === 'ours') await knex.destroy();
    },
  };
}
