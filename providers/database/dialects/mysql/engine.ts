import type { QueryOptions, ResultSetHeader, TypeCastField, TypeCastNext } from 'mysql2';
import { RedriveError } from '../../../../src/errors.ts';
import type { StatementResult } from '../../../../src/store/script.ts';
import type { RawConnection, ServerEngine } from '../server/engine.ts';
import { explain, troubleOf } from './errors.ts';

/** What the engine needs of mysql2. */
export interface MysqlDriver {
  /** Writes values into a statement in place of its `?`, escaped. */
  readonly format: (sql: string, values: readonly unknown[], stringifyObjects: boolean, timeZone: string) => string;
}

export interface MysqlEngineOptions extends MysqlDriver {
  /** Largest statement the server accepts, in bytes (`max_allowed_packet`). */
  readonly maxPacketBytes: number;
  /** Our own connections are READ COMMITTED from the start; those of a user's pool are asked for it at each transaction. */
  readonly connections: 'ours' | 'theirs';
}

/** A connection of mysql2, with callbacks. */
interface Connection {
  query(options: QueryOptions, done: (error: Error | null, result: unknown) => void): void;
}

/** How long the server may take for one statement before its connection is given up. */
const answerWithinMs = 60_000;
/** What the packet holds beside the statement. */
const packetOverheadBytes = 1_024;
/** UTF-8 takes no more for one of JavaScript's characters. */
const mostBytesPerCharacter = 3;

/** MySQL and MariaDB through mysql2. Values are escaped on this side: prepared statements do not take every `?`, such as that of a LIMIT. */
export function mysqlEngine({ format, maxPacketBytes, connections }: MysqlEngineOptions): ServerEngine {
  const isolation = connections === 'ours' ? [] : ['SET TRANSACTION ISOLATION LEVEL READ COMMITTED'];
  return {
    dialect: 'mysql',
    knexDialect: 'mysql',
    beginWrite: [...isolation, 'START TRANSACTION'],
    // A snapshot is of a whole transaction only under REPEATABLE READ.
    beginRead: ['SET TRANSACTION ISOLATION LEVEL REPEATABLE READ', 'START TRANSACTION READ ONLY'],
    clockQuery: `SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 AS now`,
    // The same server and the same database; two servers do not share a directory and a name.
    identityQuery: `SELECT CONCAT_WS(' ', @@hostname, @@port, @@datadir, DATABASE()) AS id`,
    perform(connection, statement) {
      const sql = format(statement.sql, statement.bindings, false, 'Z');
      if (exceeds(sql, maxPacketBytes - packetOverheadBytes)) return Promise.reject(tooLarge(sql, maxPacketBytes));
      const { timeoutMs: timeout = answerWithinMs } = statement;
      return query(connection as Connection, sql, { ...rowsAsWeReadThem, timeout });
    },
    troubleOf,
    explain,
  };
}

/** Runs a statement that may take as long as it takes, such as one that builds an index. */
export async function execute(connection: RawConnection, sql: string): Promise<void> {
  await query(connection as Connection, sql, { ...rowsAsWeReadThem, timeout: 0 });
}

function query(connection: Connection, sql: string, options: Omit<QueryOptions, 'sql'> = rowsAsWeReadThem): Promise<StatementResult> {
  return new Promise((resolve, reject) => {
    connection.query({ ...options, sql }, (error, result) => {
      if (error === null) resolve(readResult(result));
      else reject(error);
    });
  });
}

/** Given with each statement, since a user's connection may be set otherwise. */
const rowsAsWeReadThem = {
  timeout: answerWithinMs,
  rowsAsArray: false,
  nestTables: false,
  namedPlaceholders: false,
  typeCast: readValue,
} as const;

/** Whole numbers of any width and sums are numbers; times are text as the server writes them, in no time zone of this process. */
function readValue(field: TypeCastField, next: TypeCastNext): unknown {
  switch (field.type as string) {
    case 'LONGLONG':
    case 'DECIMAL':
    case 'NEWDECIMAL': {
      const text = field.string();
      return text === null ? null : Number(text);
    }
    case 'TIMESTAMP':
    case 'DATETIME':
    case 'DATE':
      return field.string();
    default:
      return next();
  }
}

function readResult(result: unknown): StatementResult {
  if (Array.isArray(result)) return { rows: result, changes: result.length };
  const { affectedRows, insertId } = result as ResultSetHeader;
  return { rows: [], changes: affectedRows, insertId };
}

function exceeds(sql: string, bytes: number): boolean {
  return sql.length * mostBytesPerCharacter > bytes && Buffer.byteLength(sql) > bytes;
}

/** Said before it is sent: the server would close the connection, often before its reason could be read. */
function tooLarge(sql: string, maxPacketBytes: number): RedriveError {
  return new RedriveError(
    'PAYLOAD_TOO_LARGE',
    `A statement of ${Buffer.byteLength(sql)} bytes is more than the server takes (max_allowed_packet is ${maxPacketBytes}); raise that, or keep the data elsewhere and pass its place`,
  );
}
