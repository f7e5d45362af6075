import type { RawConnection } from '../server/engine.ts';
import { pinnedKnex } from '../server/pinned-knex.ts';
import type { Perform, TransactionalMigratorOptions } from '../server/transactional-migrator.ts';
import type { PostgresDialect } from './dialect.ts';
import { postgresEngine } from './driver.ts';

/** What PostgreSQL adds to a migration: an advisory lock, a schema that may be missing, and limits to waiting. */
export function postgresMigration(sql: PostgresDialect): Pick<TransactionalMigratorOptions, 'tableQuery' | 'begin' | 'knexOn'> {
  return {
    tableQuery: 'SELECT 1 AS is_there WHERE to_regclass(?) IS NOT NULL',
    async begin(perform) {
      await perform(`BEGIN ISOLATION LEVEL READ COMMITTED; ${limits.wait}`);
      await perform('SELECT pg_advisory_xact_lock(hashtextextended(?, 0))', [`redrive migrate ${sql.own('')}`]);
      await perform(limits.work);
      await enterSchema(sql, perform);
    },
    knexOn: (connection, purpose) => pinnedKnex(postgresEngine.knexDialect, purpose === 'plan' ? withoutIndexing(connection) : connection),
  };
}

/** For another migration, which may take long; then for a table that is in use, whose other users must not queue up behind us for long. */
const limits = { wait: `SET LOCAL lock_timeout = '5min'`, work: `SET LOCAL lock_timeout = '5s'` };

/** Creates the schema where it is missing, and makes it that of all names without one. */
async function enterSchema(sql: PostgresDialect, perform: Perform): Promise<void> {
  const schema = sql.id(sql.names.schema);
  const { rows } = await perform('SELECT to_regnamespace(?) IS NULL AS is_missing', [schema]);
  // Even where it is there, IF NOT EXISTS would ask for the right to create it.
  if ((rows[0] as { readonly is_missing: boolean }).is_missing) await perform(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await perform(`SET LOCAL search_path = ${schema}`);
}

type Callback = (error: unknown, result?: unknown) => void;

/** A connection as Knex uses it, that builds no index. */
function withoutIndexing(connection: RawConnection): RawConnection {
  const real = connection as { query(config: { readonly text: string }, callback: Callback): unknown };
  return {
    query(config: { readonly text: string }, callback: Callback): unknown {
      if (/^\s*create\s+(?:unique\s+)?index\b/i.test(config.text)) return callback(null, { command: 'CREATE', rows: [], rowCount: 0 });
      return real.query(config, callback);
    },
  };
}
