import { isRedriveError, RedriveError, type ErrorCode } from '../../../../src/errors.ts';
import type { Trouble } from '../server/engine.ts';
import { poolExhausted } from '../server/pool-exhausted.ts';

/** What mysql2 says of an error, of the server's or of its own. */
interface MysqlError extends Error {
  /** The server's name for it, such as `ER_DUP_ENTRY`, or one of Node's, such as `ECONNRESET`. */
  readonly code?: unknown;
  /** The server's number; the same in MySQL and MariaDB where both know the error. */
  readonly errno?: unknown;
  readonly sqlMessage?: unknown;
  /** Whether the connection is of no use any more. */
  readonly fatal?: unknown;
}

/** Numbers of the server's errors, by what they mean here. MariaDB's own begin at 1900, MySQL's of version 8 at 3000. */
const meaning = {
  duplicateKey: [1062, 1586],
  contention: [1205, 1213, 1020, 3572],
  disconnected: [1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 3168, 3169, 4031],
  unreachable: [1040, 1203, 1226, 1129, 1130],
  refusedLogin: [1045, 1251, 1524, 1698, 3118, 3159, 3955],
  denied: [1044, 1142, 1143, 1227, 1370, 1419],
  noDatabase: [1049, 1046],
  unmigrated: [1146, 1054, 1051, 1364],
  readOnly: [1290, 1792, 1836, 3032],
  tooLarge: [1153, 1162, 1301],
  tooLong: [1406, 1264],
  interrupted: [1317, 1969, 3024],
} as const satisfies Record<string, readonly number[]>;

type Meaning = keyof typeof meaning;

const meaningOf = new Map<unknown, Meaning>(
  Object.entries(meaning).flatMap(([name, numbers]) => numbers.map((number) => [number, name as Meaning] as const)),
);

/** Codes of Node and of mysql2 for a connection that is gone, or never was. */
const connectionCodes = new Set<unknown>([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_PACKETS_OUT_OF_ORDER',
  'HANDSHAKE_NO_SSL_SUPPORT',
]);

/** True where a row with this unique key is there already. */
export function isDuplicateKey(error: unknown): boolean {
  return meaningOfError(error) === 'duplicateKey';
}

/** What running the script again may mend. */
export function troubleOf(error: unknown): Trouble | undefined {
  const found = meaningOfError(error);
  if (found === 'duplicateKey') return 'taken';
  if (found === 'contention') return 'contention';
  return found === 'disconnected' || isDisconnection(error) ? 'disconnected' : undefined;
}

/** Says what an error of the server or its driver means for somebody who has to mend it; anything else comes back as it is. */
export function explain(error: unknown, location: string): unknown {
  if (!(error instanceof Error) || isRedriveError(error)) return error;
  const exhausted = poolExhausted(error, location);
  if (exhausted !== undefined) return exhausted;
  const found = explanationOf(error, location);
  return found === undefined ? error : new RedriveError(found[0], found[1], { cause: error });
}

type Explanation = readonly [code: ErrorCode, message: string];

function explanationOf(error: MysqlError, location: string): Explanation | undefined {
  const said = typeof error.sqlMessage === 'string' ? error.sqlMessage : error.message;
  switch (meaningOfError(error)) {
    case 'contention':
      return [
        'STORE_LOCKED',
        `${location} is locked: another transaction holds what this one needs and does not end (${said}); see SHOW PROCESSLIST`,
      ];
    case 'disconnected':
      return ['STORE_UNREACHABLE', `The connection to ${location} broke: ${said}`];
    case 'unreachable':
      return ['STORE_UNREACHABLE', `${location} takes no more connections (${said}); raise max_connections there, or lower pool.max here`];
    case 'refusedLogin':
      return ['STORE_DENIED', `${location} refuses the login (${said}); check user and password of the connection`];
    case 'denied':
      return [
        'STORE_DENIED',
        `${location}: ${said}; GRANT the user SELECT, INSERT, UPDATE and DELETE on this database, and to migrate also CREATE, ALTER, INDEX and DROP`,
      ];
    case 'noDatabase':
      return ['STORE_MISSING', `${location}: ${said}; create the database, or name another one`];
    case 'unmigrated':
      return ['STORE_UNMIGRATED', `${location}: ${said}; run "redrive migrate" to create or upgrade the tables`];
    case 'readOnly':
      return ['STORE_READ_ONLY', `${location} cannot be written (${said}); connect to the primary server`];
    case 'tooLarge':
      return ['PAYLOAD_TOO_LARGE', `${location}: ${said}; raise max_allowed_packet there, or keep the data elsewhere and pass its place`];
    case 'tooLong':
      return ['OPTIONS_INVALID', `${location}: ${said}; names of queues, jobs and pools have up to 255 characters`];
    case 'interrupted':
      return ['STORE_BROKEN', `${location}: ${said}; somebody, or a limit of the server, ended the statement`];
    case 'duplicateKey':
      return ['STORE_BROKEN', `${location}: ${said}`];
    case undefined:
      if (isDisconnection(error))
        return ['STORE_UNREACHABLE', `${location} cannot be reached (${reasonOf(error)}); check that the server runs, and its address`];
      if (typeof error.errno !== 'number' || error.sqlMessage === undefined) return undefined;
      return ['STORE_BROKEN', `${location}: ${said} (${String(error.code)})`];
  }
}

function meaningOfError(error: unknown): Meaning | undefined {
  return error instanceof Error ? meaningOf.get((error as MysqlError).errno) : undefined;
}

function isDisconnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, fatal, sqlMessage } = error as MysqlError;
  if (connectionCodes.has(code)) return true;
  // mysql2 has no code for a statement on a connection that has ended; the server's own refusals are fatal as well while it connects.
  return fatal === true && sqlMessage === undefined;
}

/** Node puts the reasons of several addresses into an error without a message. */
function reasonOf(error: MysqlError): string {
  if (error.message !== '') return error.message;
  return error instanceof AggregateError
    ? error.errors.map((one) => (one instanceof Error ? one.message : String(one))).join('; ')
    : String(error.code);
}
