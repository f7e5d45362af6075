import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RedriveError } from '../errors.ts';
import { UsageError } from './faults.ts';

/** Knex's client for the scheme of a URL. */
const clients: Readonly<Record<string, string>> = { postgres: 'pg', postgresql: 'pg', mysql: 'mysql2', mariadb: 'mysql2' };

const whatToGive = `give the path of a SQLite file, or a URL such as postgres://user@host/database`;

/**
 * The properties of a `DatabaseProvider` for what `--database` names: a SQLite file, or a server's URL, which may say `?schema=` and
 * `?prefix=` where the tables are not where they usually are. Throws `STORE_UNSUPPORTED` for another kind of database.
 */
export function databaseProperties(text: string, cwd: string): Readonly<Record<string, unknown>> {
  if (text.trim() === '') throw new UsageError(`--database is empty; ${whatToGive}`);
  if (text === ':memory:') throw new UsageError('--database :memory: would be empty and gone with this command; give a SQLite file');
  if (text.startsWith('file://')) return sqlite(fileOfUrl(text));
  const scheme = schemeOf(text);
  if (scheme === undefined) return sqlite(resolve(cwd, text));
  const client = clients[scheme];
  if (client === undefined)
    throw new RedriveError('STORE_UNSUPPORTED', `--database: ${scheme}:// databases are not supported; ${whatToGive}`);
  return server(client, text, scheme);
}

/** The flag's value as it may be printed: without a password. */
export function shownDatabase(text: string): string {
  if (schemeOf(text) === undefined || !URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.password !== '') url.password = '***';
  if (url.searchParams.has('password')) url.searchParams.set('password', '***');
  return url.href;
}

function server(client: string, text: string, scheme: string): Readonly<Record<string, unknown>> {
  if (!URL.canParse(text)) throw new UsageError(`--database: this ${scheme}:// URL cannot be read; ${whatToGive}`);
  const url = new URL(text);
  const names: Record<string, string> = {};
  for (const name of ['schema', 'prefix']) {
    const value = url.searchParams.get(name);
    if (value !== null) names[name] = value;
    url.searchParams.delete(name);
  }
  return { client, connection: url.href, ...names };
}

function sqlite(filename: string): Readonly<Record<string, unknown>> {
  return { client: 'better-sqlite3', connection: { filename } };
}

function schemeOf(text: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
}

function fileOfUrl(text: string): string {
  try {
    return fileURLToPath(text);
  } catch {
    throw new UsageError(`--database: "${text}" is no usable file URL; give the path of a SQLite file`);
  }
}
