import { isRedriveError, RedriveError, type ErrorCode } from '../../../../src/errors.ts';
import type { Trouble } from '../server/engine.ts';
import { poolExhausted } from '../server/pool-exhausted.ts';

/** What is read of an error of the server, of the driver, of Node's network or of Knex's pool. */
interface Read {
  /** An SQLSTATE, or Node's name such as `ECONNREFUSED`. */
  readonly code: string;
  readonly message: string;
}

function read(error: unknown): Read | undefined {
  if (!(error instanceof Error) || isRedriveError(error)) return undefined;
  const { code } = error as Error & { readonly code?: unknown };
  // Node tries every address of a name, and puts what each said into one error without words.
  if (error instanceof AggregateError && error.message === '')
    return { ...read(error.errors[0]), code: String(code), message: firstMessage(error) };
  return { code: typeof code === 'string' ? code : '', message: error.message };
}

function firstMessage({ errors }: AggregateError): string {
  const [first] = errors as readonly unknown[];
  return first instanceof Error ? first.message : String(first);
}

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
  'ENOENT',
  'EACCES',
]);
/** What the driver says where it gives no code. */
const driverWords =
  /^(?:Connection terminated|Client (?:has encountered a connection error|was closed)|timeout expired|Query read timeout|Connection ended|The server does not support SSL)/;

export function troubleOf(error: unknown): Trouble | undefined {
  const found = read(error);
  if (found === undefined) return undefined;
  const { code, message } = found;
  // 55P03: a lock was waited for longer than `lock_timeout`.
  if (code === '40P01' || code === '40001' || code === '55P03') return 'contention';
  if (code === '23505') return 'taken';
  return isGone(code, message) ? 'disconnected' : undefined;
}

/** 57P01 to 57P03: the server stops, crashed, or starts; 57P05 and 25P03: it ended a session that was idle for too long. */
function isGone(code: string, message: string): boolean {
  return (
    code.startsWith('08') ||
    /^(?:57P0[1235]|25P03)$/.test(code) ||
    code === 'ECONNRESET' ||
    code === 'EPIPE' ||
    (code === '' && driverWords.test(message))
  );
}

type Meaning = readonly [codes: RegExp, code: ErrorCode, what: (location: string, message: string) => string];

const meanings: readonly Meaning[] = [
  [
    /^(?:28|42501)/,
    'STORE_DENIED',
    (location, message) => `${location} refuses this user: ${message}; correct user and password, or grant what is missing`,
  ],
  [/^3D000/, 'STORE_MISSING', (location, message) => `${location}: ${message}; create the database, or name another one`],
  [
    /^(?:42P01|42703|3F000)/,
    'STORE_UNMIGRATED',
    (location, message) => `${location}: ${message}; run "redrive migrate" to create or upgrade the tables`,
  ],
  [
    /^25006/,
    'STORE_READ_ONLY',
    (location, message) => `${location} takes no writes now (${message}): it is a standby, or was made read-only; name the primary server`,
  ],
  [
    /^(?:53300|53400)/,
    'STORE_UNREACHABLE',
    (location, message) =>
      `${location} has no connection to spare: ${message}; lower the pool's max, or raise the server's max_connections`,
  ],
  [
    /^(?:40P01|40001|55P03)/,
    'STORE_LOCKED',
    (location, message) =>
      `${location}: ${message}; another transaction holds what this one needs and does not end: look for it in pg_stat_activity`,
  ],
  [/^54/, 'PAYLOAD_TOO_LARGE', (location, message) => `${location}: ${message}; store large data elsewhere, and pass its id`],
  [/^22001/, 'PAYLOAD_TOO_LARGE', (location, message) => `${location}: ${message}; shorten the name, key or text`],
  [
    /^(?:53|58|XX)/,
    'STORE_BROKEN',
    (location, message) => `${location}: ${message}; look into the server's log, and at its disk and memory`,
  ],
  [/^25P02/, 'OPTIONS_INVALID', () => 'transaction: a statement before this one failed in it, so it can only be rolled back'],
];

/** Says what an error of PostgreSQL, its driver or the pool means for somebody who has to mend it; anything else comes back as it is. */
export function explain(error: unknown, location: string): unknown {
  const found = read(error);
  if (found === undefined) return error;
  const exhausted = poolExhausted(error as Error, location);
  if (exhausted !== undefined) return exhausted;
  const { code, message } = found;
  const cause = { cause: error };
  if (/invalid memory alloc request size|out of memory/.test(message) && code.startsWith('XX'))
    return new RedriveError('PAYLOAD_TOO_LARGE', `${location}: ${message}; a value may have 1 GB at most`, cause);
  const meaning = meanings.find(([codes]) => codes.test(code));
  if (meaning !== undefined) return new RedriveError(meaning[1], meaning[2](location, message), cause);
  if (isGone(code, message) || networkCodes.has(code) || driverWords.test(message))
    return new RedriveError(
      'STORE_UNREACHABLE',
      `${location} cannot be reached: ${message}; check host, port and network, and whether the server runs`,
      cause,
    );
  return error;
}
