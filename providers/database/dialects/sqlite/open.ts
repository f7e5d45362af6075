import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Database } from 'better-sqlite3';
// knex is CommonJS: plain Node sees its default export only.
import knexModule, { type Knex } from 'knex';
import { RedriveError } from '../../../../src/errors.ts';
import type { StoreAccess } from '../../../../src/store/sql-store.ts';

export interface SqliteAddress {
  readonly filename: string;
  /** How hard a commit is pressed to the disk; `NORMAL` may lose the last commits when the machine (not the process) dies. */
  readonly synchronous: 'NORMAL' | 'FULL';
}

/** The file's absolute path with links resolved, or `:memory:`. */
export function canonicalFile(filename: string): string {
  if (filename === ':memory:') return filename;
  const path = resolve(filename);
  if (existsSync(path)) return realpathSync(path);
  return existsSync(dirname(path)) ? join(realpathSync(dirname(path)), basename(path)) : path;
}

/** A Knex instance of one connection to the file. */
export function openKnex(filename: string, readonly: boolean): Knex {
  // Knex offers `readonly` only through `options`; whether the file must exist is checked by hand.
  return knexModule.knex({
    client: 'better-sqlite3',
    connection: { filename, options: { readonly } } as Knex.BetterSqlite3ConnectionConfig,
    useNullAsDefault: true,
    pool: { min: 1, max: 1 },
  });
}

/** Knex's pool, which its types leave open. */
export function poolOf(knex: Knex): { acquireConnection(): Promise<Database>; releaseConnection(database: Database): Promise<void> } {
  return knex.client as ReturnType<typeof poolOf>;
}

/** Takes the one connection of a Knex instance of ours. */
export async function acquire(knex: Knex): Promise<Database> {
  const database = await poolOf(knex).acquireConnection();
  // The pool looks at an interval for what to close, and there is nothing: a process that only dispatches need not live for that.
  (knex.client as { pool?: { interval?: NodeJS.Timeout | null } }).pool?.interval?.unref();
  return database;
}

export function isReadOnly(access: StoreAccess): boolean {
  return access === 'look' || access === 'plan';
}

/** Throws a coded error for a file that cannot be opened for what is wanted. */
export function checkFile(filename: string, access: StoreAccess): void {
  if (filename === ':memory:') return;
  if (!existsSync(dirname(filename)))
    throw new RedriveError('STORE_MISSING', `The folder ${dirname(filename)} does not exist; create it, or name another database file`);
  if (!existsSync(filename)) {
    if (access === 'create' || access === 'plan') return;
    throw new RedriveError(
      'STORE_MISSING',
      `There is no database file ${filename}; run "redrive migrate" to create it, or name another one`,
    );
  }
  if (statSync(filename).isDirectory()) throw new RedriveError('STORE_NOT_A_DATABASE', `${filename} is a folder; name a database file`);
  checkPermission(filename, access);
}

function checkPermission(filename: string, access: StoreAccess): void {
  try {
    accessSync(filename, isReadOnly(access) ? constants.R_OK : constants.R_OK | constants.W_OK);
  } catch (error) {
    const wanted = isReadOnly(access) ? 'read' : 'written';
    throw new RedriveError('STORE_READ_ONLY', `${filename} cannot be ${wanted} by this user; check its permissions`, { cause: error });
  }
}

export interface Configuration {
  readonly access: StoreAccess;
  /** The table that says that the file is Redrive's already. */
  readonly bookkeeping: string;
}

/** Settings of a connection that writes. Throws what SQLite throws. */
export function configure(database: Database, address: SqliteAddress, { access, bookkeeping }: Configuration): void {
  // Waiting inside SQLite would block the event loop, and with it the very transaction it waits for.
  database.pragma('busy_timeout = 0');
  if (!isReadOnly(access)) {
    // A file of somebody else's stays as it is until it was migrated: that may be refused, and the mode stays with the file.
    if (isEmpty(database) || hasTable(database, bookkeeping)) useWal(database, address);
    database.pragma(`synchronous = ${address.synchronous}`);
  }
  database.prepare('SELECT count(*) FROM sqlite_master').get();
}

/** WAL lets readers and one writer work side by side. */
export function useWal(database: Database, { filename }: SqliteAddress): void {
  if (filename !== ':memory:' && database.pragma('journal_mode', { simple: true }) !== 'wal') database.pragma('journal_mode = WAL');
}

function isEmpty(database: Database): boolean {
  return database.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get() === undefined;
}

function hasTable(database: Database, name: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined;
}

/** better-sqlite3 is an optional dependency: without it, say how to get it. */
export async function requireDriver(): Promise<void> {
  try {
    await import('better-sqlite3');
  } catch (error) {
    const wanted = `better-sqlite3@${driverMajor(process.versions.node)}`;
    throw new RedriveError('DRIVER_MISSING', `SQLite needs the package better-sqlite3; run "npm install ${wanted}"`, { cause: error });
  }
}

/** The major of the driver that fits a version of Node.js: docs/decisions/0007. */
export function driverMajor(node: string): number {
  return Number.parseInt(node, 10) >= 22 ? 13 : 12;
}
