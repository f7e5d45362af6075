import { isRedriveError, RedriveError, type ErrorCode } from '../../../../src/errors.ts';
import type { Trouble } from '../server/engine.ts';
import { poolExhausted } from '../server/pool-exhausted.ts';

/** An error of the server has a number, one of the driver or of Node's network a code. */
interface MssqlError extends Error {
  readonly number?: unknown;
  readonly code?: unknown;
}

const contention = new Set<unknown>([1205, 1222, 3960]);
const taken = new Set<unknown>([2601, 2627]);
/** The server stops, or ended the connection. */
const gone = new Set<unknown>([596, 6005, 10053, 10054, 40197, 40501, 40613]);
const connectionCodes =
  /^(?:ESOCKET|ECONNCLOSED|ENOTOPEN|EINSTLOOKUP|ETIMEOUT|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

export function troubleOf(error: unknown): Trouble | undefined {
  if (!(error instanceof Error) || isRedriveError(error)) return undefined;
  const { number, code } = error as MssqlError;
  if (contention.has(number)) return 'contention';
  if (taken.has(number)) return 'taken';
  return gone.has(number) || isConnectionCode(code) ? 'disconnected' : undefined;
}

type Meaning = readonly [numbers: readonly number[], code: ErrorCode, what: (location: string, message: string) => string];

const meanings: readonly Meaning[] = [
  [
    [18_456, 18_452, 18_486, 229, 262, 916, 1088],
    'STORE_DENIED',
    (location, message) => `${location} refuses this user: ${message}; correct user and password, or grant what is missing`,
  ],
  [[4060, 911], 'STORE_MISSING', (location, message) => `${location}: ${message}; create the database, or name another one`],
  [[208, 207], 'STORE_UNMIGRATED', (location, message) => `${location}: ${message}; run "redrive migrate" to create or upgrade the tables`],
  [
    [3906],
    'STORE_READ_ONLY',
    (location, message) => `${location} takes no writes (${message}); name the primary server, or make the database writable`,
  ],
  [
    [1205, 1222, 3960],
    'STORE_LOCKED',
    (location, message) =>
      `${location}: ${message}; another transaction holds what this one needs and does not end: look for it in sys.dm_tran_locks`,
  ],
  [
    [2628, 8152],
    'PAYLOAD_TOO_LARGE',
    (location, message) => `${location}: ${message}; names of queues, jobs and pools have up to 255 characters`,
  ],
];

/** Says what an error of SQL Server, its driver or the pool means for somebody who has to mend it; anything else comes back as it is. */
export function explain(error: unknown, location: string): unknown {
  if (!(error instanceof Error) || isRedriveError(error)) return error;
  const exhausted = poolExhausted(error, location);
  if (exhausted !== undefined) return exhausted;
  const { number, code, message } = error as MssqlError;
  const cause = { cause: error };
  const meaning = meanings.find(([numbers]) => typeof number === 'number' && numbers.includes(number));
  if (meaning !== undefined) return new RedriveError(meaning[1], meaning[2](location, message), cause);
  if (code === 'ELOGIN')
    return new RedriveError('STORE_DENIED', `${location} refuses the login: ${message}; correct user and password`, cause);
  if (troubleOf(error) === 'disconnected')
    return new RedriveError(
      'STORE_UNREACHABLE',
      `${location} cannot be reached (${message}); check that the server runs, and its address`,
      cause,
    );
  if (typeof number !== 'number') return error;
  return new RedriveError('STORE_BROKEN', `${location}: ${message} (${number})`, cause);
}

function isConnectionCode(code: unknown): boolean {
  return typeof code === 'string' && connectionCodes.test(code);
}
