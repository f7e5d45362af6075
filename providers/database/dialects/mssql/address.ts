import type { Knex } from 'knex';
import { RedriveError } from '../../../../src/errors.ts';

interface Settings {
  readonly host?: unknown;
  readonly server?: unknown;
  readonly port?: unknown;
  readonly database?: unknown;
  readonly user?: unknown;
  readonly userName?: unknown;
}

const defaultPort = 1433;

/** Where a connection leads: for people, without user and password. */
export function describeAddress(connection: Knex.Config['connection']): string {
  const { host, server = host ?? 'localhost', port = defaultPort, database = '' } = settingsOf(connection);
  return `mssql://${String(server)}:${String(port)}/${String(database)}`;
}

/** Who connects. */
export function userOf(connection: Knex.Config['connection']): string {
  const { user, userName = user } = settingsOf(connection);
  return typeof userName === 'string' ? userName : '';
}

/** The database; throws `CONFIG_INVALID` for a connection that is written otherwise than Knex writes it for SQL Server, or that names none. */
export function databaseOf(connection: Knex.Config['connection']): string {
  const { database } = settingsOf(connection);
  if (typeof database === 'string' && database !== '') return database;
  throw new RedriveError(
    'CONFIG_INVALID',
    'The connection to SQL Server names no database; give connection: { host, user, password, database }',
  );
}

function settingsOf(connection: unknown): Settings {
  return typeof connection === 'object' && connection !== null ? connection : {};
}
