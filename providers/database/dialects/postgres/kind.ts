import type { Knex } from 'knex';
import { RedriveError } from '../../../../src/errors.ts';
import type { RawConnection } from '../server/engine.ts';
import type { Reached, ServerKind } from '../server/open.ts';
import type { ServerStoreParts } from '../server/server-store.ts';
import { TransactionalMigrator } from '../server/transactional-migrator.ts';
import { PostgresDialect } from './dialect.ts';
import { postgresEngine, type PgConnection } from './driver.ts';
import { PostgresWakeUps, type ListeningConnection } from './listen.ts';
import { postgresMigration } from './migrate.ts';

const oldestVersion = 13;
/** How long connecting may take: a host that swallows packets answers never. */
const connectPatienceMs = 10_000;

/** How PostgreSQL is opened. */
export const postgresKind: ServerKind = {
  engine: postgresEngine,
  client: 'pg',
  driver: { name: 'pg', install: 'npm install pg@8', load: () => import('pg') },
  describe: ({ connection }) => describe(connection),
  connection: withLimits,
  parts: async (reached) => partsOf(reached),
};

interface Facts {
  readonly version: number;
  readonly server: string;
  /** Null where the connection's search path leads to no schema. */
  readonly schema: string | null;
}

async function partsOf({
  connection,
  pool,
  knex,
  names,
}: Reached): Promise<Pick<ServerStoreParts, 'sql' | 'location' | 'migrator' | 'wakeUps'>> {
  const { host, port, database } = connection as PgConnection;
  const address = `postgres://${host}:${port}/${database ?? ''}`;
  const sql = `SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_version') AS server, current_schema() AS schema`;
  const facts = (await postgresEngine.perform(connection, { sql, bindings: [] })).rows[0] as Facts;
  if (facts.version < oldestVersion)
    throw new RedriveError('STORE_TOO_OLD', `${address} is PostgreSQL ${facts.server}; Redrive needs ${oldestVersion} or later`);
  const schema = names.schema ?? facts.schema;
  if (schema === null)
    throw new RedriveError(
      'CONFIG_INVALID',
      `${address}: the search path of this connection leads to no schema; give properties.schema, or create the schema`,
    );
  const dialect = new PostgresDialect({ schema, prefix: names.prefix });
  const location = names.schema === undefined ? address : `${address} (schema ${schema})`;
  const perform = async (text: string, bindings: readonly unknown[]): Promise<void> => {
    const one = await pool.acquire();
    try {
      await postgresEngine.perform(one, { sql: text, bindings });
    } finally {
      await pool.release(one);
    }
  };
  return {
    sql: dialect,
    location,
    migrator: new TransactionalMigrator({ engine: postgresEngine, pool, sql: dialect, location, ...postgresMigration(dialect) }),
    wakeUps: new PostgresWakeUps({ names: dialect.names, connect: listeningOf(knex), perform }),
  };
}

/** Beside the pool, whose connections are few; a pool of another library's making does not tell how it connects. */
function listeningOf(knex: Knex): (() => Promise<ListeningConnection>) | undefined {
  const client = knex.client as { readonly config: { readonly connectionPool?: unknown }; acquireRawConnection(): Promise<RawConnection> };
  if (client.config.connectionPool !== undefined) return undefined;
  return async () => (await client.acquireRawConnection()) as ListeningConnection;
}

function withLimits(written: Knex.Config['connection']): Knex.Config['connection'] {
  const limits = { connectionTimeoutMillis: connectPatienceMs, keepAlive: true, application_name: 'redrive' };
  if (typeof written === 'string') return { ...limits, connectionString: written };
  if (typeof written !== 'function') return { ...limits, ...written };
  return async () => ({ ...limits, ...(await written()) });
}

function describe(connection: Knex.Config['connection']): string {
  if (typeof connection === 'function') return 'The PostgreSQL server';
  const { host, port, database } = partsOfConnection(connection);
  return `postgres://${host}:${port}/${database}`;
}

/** Where a connection leads by its config, with what the driver would fill in. */
export function partsOfConnection(connection: unknown): {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  readonly user: string;
} {
  const { PGHOST = 'localhost', PGPORT = '5432', PGUSER = '', PGDATABASE } = process.env;
  const given = (typeof connection === 'object' && connection !== null ? connection : {}) as Readonly<Record<string, unknown>>;
  const text = typeof connection === 'string' ? connection : given['connectionString'];
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
  const pick = (ofUrl: string | undefined, name: string, otherwise: string): string => {
    const value = ofUrl === undefined || ofUrl === '' ? given[name] : decodeURIComponent(ofUrl);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise;
  };
  const user = pick(url?.username, 'user', PGUSER);
  return {
    host: pick(url?.searchParams.get('host') ?? url?.hostname, 'host', PGHOST),
    port: pick(url?.port, 'port', PGPORT),
    database: pick(url?.pathname.slice(1), 'database', PGDATABASE ?? user),
    user,
  };
}
