import type { ServerEngine } from '../server/engine.ts';
import { ask, readRows, type TediousDriver } from './driver.ts';
import { explain, troubleOf } from './errors.ts';
import { parametersOf } from './parameters.ts';

/** How long a statement may take before its connection counts as dead. */
const answerWithinMs = 60_000;

/** Begins a transaction that ends with the first statement that fails, and waits for a lock for a while only. */
export const begin = 'SET XACT_ABORT ON; SET LOCK_TIMEOUT 5000; SET TRANSACTION ISOLATION LEVEL READ COMMITTED; BEGIN TRANSACTION';
/** A transaction that was ended by what went wrong in it cannot be rolled back. */
const rollback = 'IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION';

/** SQL Server by the `tedious` driver. */
export function mssqlEngine(driver: TediousDriver): ServerEngine {
  return {
    dialect: 'mssql',
    knexDialect: 'mssql',
    beginWrite: [begin],
    // A snapshot has to be allowed by the owner of the database. What is read is found by index and then looked up, and may be gone by then.
    beginRead: [begin],
    clockQuery: `SELECT DATEDIFF_BIG(millisecond, '1970-01-01', SYSUTCDATETIME()) AS now`,
    identityQuery: `SELECT CONCAT(@@SERVERNAME, ' ', DB_NAME()) AS id`,
    async perform(connection, { sql, bindings, timeoutMs = answerWithinMs }) {
      const { text, values } = parametersOf(sql === 'ROLLBACK' ? rollback : sql, bindings);
      const answer = await ask(driver, connection, { text, values, withinMs: timeoutMs });
      return { rows: readRows(answer), changes: answer.rowCount };
    },
    troubleOf,
    explain,
  };
}
