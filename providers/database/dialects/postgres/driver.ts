import { numbered } from './placeholders.ts';
import type { ServerEngine } from '../server/engine.ts';
import { explain, troubleOf } from './errors.ts';

/** How long a statement may take before its connection counts as dead: the other end may have vanished without a word. */
const statementPatienceMs = 60_000;

/**
 * What a transaction of ours allows itself, whatever the server's own settings are. It waits for a lock for a while only, and a process
 * that is stopped in the middle of it holds up the others for a while only.
 */
const limits = `SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '5s'`;

/** What this module uses of a connection of the `pg` driver. */
export interface PgConnection {
  readonly host: string;
  readonly port: number;
  readonly database?: string | undefined;
  query(config: {
    readonly text: string;
    readonly values: readonly unknown[];
    readonly types: TypeParsers;
    readonly query_timeout: number;
  }): Promise<PgResult | readonly PgResult[]>;
}

interface PgResult {
  readonly rows: readonly unknown[];
  readonly rowCount: number | null;
}

interface TypeParsers {
  getTypeParser(oid: number, format?: string): (text: string) => unknown;
}

const numericTypes = new Set([20, 21, 23, 26, 700, 701, 1700]);
const booleanType = 16;

/** Of our statements only: the program's own way of reading numbers is not touched, and not relied upon. */
const types: TypeParsers = {
  getTypeParser(oid) {
    if (numericTypes.has(oid)) return Number;
    return oid === booleanType ? (text) => text === 't' : (text) => text;
  },
};

/** PostgreSQL by the `pg` driver. */
export const postgresEngine: ServerEngine = {
  dialect: 'postgres',
  knexDialect: 'postgresql',
  beginWrite: [`BEGIN ISOLATION LEVEL READ COMMITTED; ${limits}`],
  beginRead: [`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${limits}`],
  clockQuery: 'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now',
  identityQuery: `SELECT system_identifier::text || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS id FROM pg_control_system()`,
  async perform(connection, { sql, bindings, timeoutMs = statementPatienceMs }) {
    const answer = await (connection as PgConnection).query({
      text: numbered(sql),
      values: bindings,
      types,
      query_timeout: timeoutMs,
    });
    // Of several statements at once the last one counts.
    const result = 'rows' in answer ? answer : answer.at(-1);
    return { rows: result?.rows ?? [], changes: result?.rowCount ?? 0 };
  },
  troubleOf,
  explain,
};
