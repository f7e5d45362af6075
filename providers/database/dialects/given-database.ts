import type { Knex } from 'knex';
import type { TableNames } from '../../../src/store/sql-dialect.ts';
import type { SqlStore, StoreAccess, StoreAddress } from '../../../src/store/sql-store.ts';

/** A database as a config names it. */
export interface GivenDatabase {
  /** What was written, or what the instance was made from. */
  readonly config: Knex.Config & { readonly synchronous?: unknown };
  /** The user's own, where one was passed: used, and never closed. */
  readonly instance: Knex | undefined;
  readonly names: TableNames;
}

/** One engine that databases may be of. */
export interface Engine {
  /** What Knex's `client` is for this engine. */
  readonly clients: readonly string[];
  /** The same for two that lead to one database and one set of tables: they share a store. Throws `CONFIG_INVALID` for one that leads nowhere. */
  keyOf(given: GivenDatabase): unknown;
  open(given: GivenDatabase, access: StoreAccess): Promise<SqlStore>;
}

export function givenDatabase(address: StoreAddress, names: Partial<TableNames> = {}): GivenDatabase {
  const instance = isInstance(address) ? address : undefined;
  const config = isInstance(address) ? (address.client as { config: Knex.Config }).config : address;
  return { config, instance, names: { prefix: 'redrive_', ...names } };
}

function isInstance(address: StoreAddress): address is Knex {
  return typeof address === 'function' && 'client' in address;
}
