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

/** The npm package that speaks with a kind of server, an optional peer dependency. */
export interface Driver {
  readonly name: string;
  readonly install: string;
  load(): Promise<unknown>;
}

/** What opening a server needs to know of its kind. */
export interface ServerKind {
  readonly engine: ServerEngine;
  /** Knex's `client`, and the npm package of the driver. */
  readonly client: string;
  readonly driver: Driver;
  /** Where a config leads, without passwords, for messages before anything is open. */
  describe(config: Knex.Config): string;
  /** The `connection` of a pool of ours: what was written, with time limits where it has none. */
  connection(written: Knex.Config['connection']): Knex.Config['connection'];
  /** Makes settings of each new connection of a pool of ours. */
  readonly prepare?: (connection: RawConnection) => Promise<void>;
  /** Looks at what was reached: its version, its schema. Throws coded errors, such as `STORE_TOO_OLD`. The engine may know more by then. */
  parts(
    reached: Reached,
  ): Promise<Pick<ServerStoreParts, 'sql' | 'location' | 'migrator' | 'wakeUps'> & { readonly engine?: ServerEngine }>;
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
  if (given.instance === undefined) await loadDriver(kind.driver);
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

/** The driver's module. Throws `DRIVER_MISSING` where it is not installed. */
export async function loadDriver(driver: Driver): Promise<unknown> {
  try {
    return await driver.load();
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
    pool: { ...poolLimits, ...pool, afterCreate: afterCreate(kind, pool) },
    acquireConnectionTimeout,
    log: silent,
    ...(searchPath === undefined ? {} : { searchPath }),
  });
}

type Done = (error: unknown, connection: RawConnection) => void;

/** Our settings, and then what the config says is to be done with a new connection. */
function afterCreate({ prepare }: ServerKind, pool: Knex.PoolConfig | undefined): (connection: RawConnection, done: Done) => void {
  const theirs = pool?.afterCreate as ((connection: RawConnection, done: Done) => void) | undefined;
  const begin = async (connection: RawConnection, done: Done): Promise<void> => {
    const fault = await faultOf(prepare?.(connection));
    if (fault === undefined && theirs !== undefined) theirs(connection, done);
    else done(fault, connection);
  };
  return (connection, done) => void begin(connection, done);
}

/** What a promise was rejected with; undefined where it was not. */
async function faultOf(promise: Promise<void> | undefined): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}
