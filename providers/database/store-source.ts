import type { Knex } from 'knex';
import { RedriveError } from '../../src/errors.ts';
import type { SqlStore, StoreAccess, StoreAddress, StoreSource } from '../../src/store/sql-store.ts';
import { canonicalFile, type SqliteAddress } from './dialects/sqlite/open.ts';
import { SqliteStore } from './dialects/sqlite/store.ts';

const sqliteClients = ['better-sqlite3', 'sqlite3', 'sqlite'];

/**
 * Opens databases for one Redrive instance: one store for each database, shared by the jobs and the failed-jobs
 * log when both name the same one, so that both are written in one transaction.
 */
export class Stores implements StoreSource {
  private readonly opened = new Map<string | object, Promise<SqlStore>>();

  open(address: StoreAddress, access: StoreAccess): Promise<SqlStore> {
    const sqlite = sqliteAddress(address);
    // Two connections to `:memory:` are two databases.
    const key = sqlite.filename === ':memory:' ? address : sqlite.filename;
    const known = this.opened.get(key);
    if (known !== undefined) return known;
    const opening = SqliteStore.open(sqlite, access);
    this.opened.set(key, opening);
    // A store that could not be opened may be there at the next call.
    opening.catch(() => this.opened.delete(key));
    return opening;
  }

  async close(): Promise<void> {
    const stores = [...this.opened.values()];
    this.opened.clear();
    for (const store of await Promise.allSettled(stores)) if (store.status === 'fulfilled') await store.value.close();
  }
}

function sqliteAddress(address: StoreAddress): SqliteAddress {
  const given = isInstance(address);
  const config: Knex.Config & { synchronous?: unknown } = given ? (address.client as { config: Knex.Config }).config : address;
  const client = typeof config.client === 'string' ? config.client : undefined;
  if (client === undefined || !sqliteClients.includes(client)) {
    throw new RedriveError(
      'STORE_UNSUPPORTED',
      `client ${JSON.stringify(client ?? typeof config.client)} is not supported; use "better-sqlite3"`,
    );
  }
  const filename = fileOf(config.connection);
  if (filename === undefined || filename === '')
    throw new RedriveError('CONFIG_INVALID', 'A SQLite database needs connection: { filename: "app.db" }');
  if (given && filename === ':memory:')
    throw new RedriveError(
      'CONFIG_INVALID',
      'A Knex instance on ":memory:" cannot be shared: Redrive opens a connection of its own beside it; use a file',
    );
  return { filename: canonicalFile(filename), synchronous: config.synchronous === 'FULL' ? 'FULL' : 'NORMAL' };
}

function fileOf(connection: unknown): string | undefined {
  if (typeof connection === 'string') return connection;
  if (typeof connection !== 'object' || connection === null) return undefined;
  const { filename } = connection as { filename?: unknown };
  return typeof filename === 'string' ? filename : undefined;
}

function isInstance(address: StoreAddress): address is Knex {
  return typeof address === 'function' && 'client' in address;
}
