import { RedriveError } from '../../../../src/errors.ts';
import type { RawConnection } from '../server/engine.ts';
import { pinnedKnex } from '../server/pinned-knex.ts';
import type { Purpose, TransactionalMigratorOptions } from '../server/transactional-migrator.ts';
import type { MssqlDialect } from './dialect.ts';
import { ask, type Answer, type TediousDriver } from './driver.ts';
import { begin } from './engine.ts';

/** How long another migration is waited for: less than a statement may take. */
const patienceMs = 50_000;

/** What a migration needs of SQL Server: a lock of its own, which ends with the transaction, and a Knex instance on our own requests. */
export function mssqlMigration(
  driver: TediousDriver,
  sql: MssqlDialect,
  database: string,
): Pick<TransactionalMigratorOptions, 'tableQuery' | 'begin' | 'knexOn'> {
  return {
    tableQuery: 'SELECT 1 AS is_there WHERE OBJECT_ID(?) IS NOT NULL',
    async begin(perform) {
      await perform(begin);
      const lock = `DECLARE @got int; EXEC @got = sp_getapplock @Resource = ?, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = ${patienceMs}; SELECT @got AS got`;
      const { rows } = await perform(lock, [`redrive migrate ${sql.names.prefix}`]);
      // Below zero: it was not given.
      if ((rows[0] as { readonly got: number }).got < 0)
        throw new RedriveError(
          'STORE_LOCKED',
          'The database is being migrated by another process, and that does not end; see sys.dm_tran_locks',
        );
    },
    knexOn(connection, purpose) {
      const knex = pinnedKnex('mssql', connection);
      Object.assign(knex.client, {
        // Where Knex looks for the columns of a table.
        connectionSettings: { database },
        async _query(on: RawConnection, query: Query) {
          const { rows } = await run(driver, on, query, purpose);
          return Object.assign(query, { response: rows });
        },
      });
      return knex;
    },
  };
}

/** A statement of Knex's, with `@p0` and so on in its text. */
interface Query {
  readonly sql: string;
  readonly bindings?: readonly unknown[];
}

async function run(driver: TediousDriver, connection: RawConnection, { sql, bindings = [] }: Query, purpose: Purpose): Promise<Answer> {
  if (purpose === 'plan' && /^\s*create\s+(?:unique\s+)?index\b/i.test(sql)) return { rows: [], rowCount: 0 };
  return ask(driver, connection, { text: sql, values: bindings, withinMs: 0 });
}
