import type { Knex } from 'knex';
import { RedriveError } from '../../../../src/errors.ts';

/** What mysql2 needs to connect, as far as it matters here. */
type Settings = Record<string, unknown> & {
  readonly host?: string;
  readonly port?: number | string;
  readonly socketPath?: string;
  readonly user?: string;
  readonly database?: string;
};

const defaultPort = 3306;
/** How long a server may take to answer a new connection. */
const connectWithinMs = 10_000;

/**
 * The connection of a pool of ours: what was written, and what keeps values as they are. Text is utf8mb4; whether a number
 * is wide or a time has a zone is settled with each statement.
 */
export function connectionFor(written: Knex.Config['connection']): Knex.Config['connection'] {
  if (typeof written === 'function') return async () => withDefaults(settingsOf(await written()));
  return withDefaults(settingsOf(written));
}

/** Where a connection leads: for people, without user and password. */
export function describeAddress(written: Knex.Config['connection']): string {
  if (typeof written === 'function') return 'MySQL';
  const { host = 'localhost', port = defaultPort, socketPath, database = '' } = settingsOf(written);
  if (socketPath !== undefined) return `mysql://${socketPath}/${database}`;
  return `mysql://${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}

/** Throws `CONFIG_INVALID` for an address that cannot be one. */
export function checkAddress(written: Knex.Config['connection']): void {
  if (typeof written === 'function') return;
  const { database } = settingsOf(written);
  if (database === undefined || database === '')
    throw invalid('names no database; give connection: { host, user, password, database } or "mysql://user:password@host/database"');
}

/** Who connects, which matters where two configs lead to one database. */
export function userOf(written: Knex.Config['connection']): string {
  return typeof written === 'function' ? '' : (settingsOf(written).user ?? '');
}

function withDefaults(settings: Settings): Knex.MySql2ConnectionConfig {
  // What would change the meaning of a statement or of a row is not the user's to choose on a connection of ours.
  return {
    connectTimeout: connectWithinMs,
    ...settings,
    charset: 'utf8mb4',
    multipleStatements: false,
  } as Knex.MySql2ConnectionConfig;
}

function settingsOf(written: unknown): Settings {
  if (typeof written === 'string') return readUrl(written);
  if (typeof written !== 'object' || written === null) return {};
  const { uri, ...settings } = written as Settings & { uri?: unknown };
  return typeof uri === 'string' ? { ...readUrl(uri), ...settings } : settings;
}

/** `mysql://user:password@host:port/database?option=value`; `mariadb://` as well. */
function readUrl(text: string): Settings {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid(
      'is no URL; write "mysql://user:password@host/database", with special characters of the password as in encodeURIComponent()',
    );
  }
  const { protocol, hostname, port, username, password, pathname, searchParams } = url;
  if (!['mysql:', 'mysql2:', 'mariadb:'].includes(protocol)) throw invalid(`begins with ${protocol}//; a MySQL database has "mysql://"`);
  return {
    host: decoded(hostname.replace(/^\[(.*)\]$/, '$1')) || 'localhost',
    ...(port === '' ? {} : { port: Number(port) }),
    ...(username === '' ? {} : { user: decoded(username) }),
    ...(password === '' ? {} : { password: decoded(password) }),
    database: decoded(pathname.slice(1)),
    ...Object.fromEntries([...searchParams].map(([name, value]) => [name, readOption(value)])),
  };
}

/** As mysql2 reads it: JSON where it is some. */
function readOption(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function invalid(what: string): RedriveError {
  return new RedriveError('CONFIG_INVALID', `The connection ${what}`);
}
