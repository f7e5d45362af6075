import { RedriveError } from '../../src/errors.ts';
import type { TableNames } from '../../src/store/sql-dialect.ts';
import type { SqlStore, StoreAccess, StoreAddress, StoreSource } from '../../src/store/sql-store.ts';
import { givenDatabase, type Engine, type GivenDatabase } from './dialects/given-database.ts';
import { mssql } from './dialects/mssql/index.ts';
import { mysql } from './dialects/mysql/index.ts';
import { postgres } from './dialects/postgres/engine.ts';
import { sqlite } from './dialects/sqlite/engine.ts';

const engines: readonly Engine[] = [sqlite, postgres, mysql, mssql];

/**
 * Opens databases for one Redrive instance: one store for each database and set of tables, shared by the jobs and the
 * failed-jobs log when both name the same one, so that both are written in one transaction.
 */
export class Stores implements StoreSource {
  private readonly opened = new Map<unknown, Promise<SqlStore>>();

  async open(address: StoreAddress, access: StoreAccess, names?: Partial<TableNames>): Promise<SqlStore> {
    const given = givenDatabase(address, names);
    const engine = engineOf(given);
    const key = engine.keyOf(given);
    const known = this.opened.get(key);
    if (known !== undefined) return known;
    const opening = engine.open(given, access);
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

function engineOf({ config, instance }: GivenDatabase): Engine {
  const { client } = config;
  // A client given as a class says by its dialect what it is.
  const name = typeof client === 'string' ? client : (instance?.client as { readonly dialect?: string } | undefined)?.dialect;
  const engine = engines.find(({ clients }) => name !== undefined && clients.includes(name));
  if (engine !== undefined) return engine;
  const known = engines.map(({ clients }) => `"${clients[0]}"`).join(' or ');
  throw new RedriveError('STORE_UNSUPPORTED', `client ${JSON.stringify(name ?? typeof client)} is not supported; use ${known}`);
}
