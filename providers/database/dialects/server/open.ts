// knex is CommonJS: plain Node sees its default export only.
import knexModule, { type Knex } from 'knex';
import { RedriveError } from '../../../../src/errors.ts';
import type { TableNames } from '../../../../src/store/sql-dialect.ts';
import type { StoreAccess } from '../../../../src/store/sql-store.ts';
import type { GivenDatabase } from '../given-database.ts';
import type { RawConnection, ServerEngine } from './engine.ts';
import { poolOf, type ConnectionPool } from './pool.ts';
import { ServerStore, type ServerStoreParts } from './server-store.ts';

/** Connections of a pool of ours; one is enough for a pool of workers, more let dispatches and settlements go side by side. */
const poolLimits = { min: 0, max: 10 };
/** How long a call waits for a connection. */
const acquirePatienceMs = 10_000;

/** What opening a server needs to know of its kind. */
export interface ServerKind {
  readonly engine: ServerEngine;
  /** Knex's `client`, and the npm package of the driver. */
  readonly client: string;
  readonly driver: { readonly name: string; readonly install: string; load(): Promise<unknown> };
  /** Where a config leads, without passwords, for messages before anything is open. */
  describe(config: Knex.Config): string;
  /** The `connection` of a pool of ours: what was written, with time limits where it has none. */
  connection(written: Knex.Config['connection']): Knex.Config['connection'];
  /** Looks at what was reached: its version, its schema. Throws coded errors, such as `STORE_TOO_OLD`. */
  parts(reached: Reached): Promise<Pick<ServerStoreParts, 'sql' | 'location' | 'migrator' | 'wakeUps'>>;
}

/** A server that answered. */
export interface Reached {
  readonly connection: RawConnection;
  readonly pool: ConnectionPool;
  readonly knex: Knex;
  readonly names: TableNames;
  readonly access: StoreAccess;
}

/** Opens the store of a server. Throws coded errors, and leaves nothing open then. */
export async function openServer(kind: ServerKind, given: GivenDatabase, access: StoreAccess): Promise<ServerStore> {
  if (given.instance === undefined) await requireDriver(kind);
  const knex = given.instance ?? ownKnex(kind, given.config);
  const pool = poolOf(knex, given.instance === undefined ? 'ours' : 'theirs');
  try {
    const connection = await pool.acquire();
    try {
      const parts = await kind.parts({ connection, pool, knex, names: given.names, access });
      return await ServerStore.open({ engine: kind.engine, pool, access, ...parts }, connection);
    } finally {
      await pool.release(connection);
    }
  } catch (error) {
    await pool.close();
    throw kind.engine.explain(error, kind.describe(given.config));
  }
}

async function requireDriver({ driver }: ServerKind): Promise<void> {
  try {
    await driver.load();
  } catch (error) {
    throw new RedriveError('DRIVER_MISSING', `This database needs the package ${driver.name}; run "${driver.install}"`, { cause: error });
  }
}

/** Knex's log goes to the console; what it has to say arrives as an error as well. */
const silent = { warn: () => undefined, error: () => undefined, debug: () => undefined, deprecate: () => undefined };

function ownKnex(kind: ServerKind, config: Knex.Config): Knex {
  const { searchPath, pool, acquireConnectionTimeout = acquirePatienceMs } = config;
  return knexModule.knex({
    client: kind.client,
    connection: kind.connection(config.connection) ?? {},
    pool: { ...poolLimits, ...pool },
    acquireConnectionTimeout,
    log: silent,
    ...(searchPath === undefined ? {} : { searchPath }),
  });
}
