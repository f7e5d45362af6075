/** A process that migrates up to a statement, says so, and goes no further. Started by `Child`. */
import { Stores } from '../../providers/database/store-source.ts';
import { givenToChild, tell } from '../support/in-child.ts';
import { allSteps } from '../support/stores.ts';
import type { TestDatabase } from '../support/servers.ts';
import { interrupting } from './interrupting.ts';

export interface MigrateOrders {
  readonly config: TestDatabase['config'];
  /** The statement that it stops before. */
  readonly at: number;
}

export interface MigrateSaid {
  readonly said: 'there';
}

const { config, at } = givenToChild<MigrateOrders>();
let seen = 0;
const stores = new Stores();
const store = await stores.open(
  interrupting(config, Number.POSITIVE_INFINITY, 'before', () => {
    if (seen++ !== at) return undefined;
    tell({ said: 'there' } satisfies MigrateSaid);
    return new Promise(() => undefined);
  }),
  'create',
);
await store.migrate(allSteps);
