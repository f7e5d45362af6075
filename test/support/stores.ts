import { onTestFinished } from 'vitest';
import { jobsMigrations, failedJobsMigrations } from '../../migrations/index.ts';
import { Stores } from '../../providers/database/store-source.ts';
import type { TableNames } from '../../src/store/sql-dialect.ts';
import type { MigrationStep, SqlStore, StoreAccess, StoreAddress } from '../../src/store/sql-store.ts';

/** All tables under their usual names. */
export const allSteps: readonly MigrationStep[] = [...jobsMigrations('redrive_jobs'), ...failedJobsMigrations('cbq_failed_jobs')];

export interface OpenStoreOptions {
  readonly names?: Partial<TableNames>;
  readonly access?: StoreAccess;
}

/** A store that is closed after the test. */
export async function openStore(address: StoreAddress, { names, access = 'create' }: OpenStoreOptions = {}): Promise<SqlStore> {
  const stores = new Stores();
  onTestFinished(() => stores.close());
  return stores.open(address, access, names);
}
