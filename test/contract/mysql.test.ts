import knexModule from 'knex';
import { afterAll } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { providerConformance } from '../../src/testing/conformance/suite.ts';
import { emptySchema, isBusy, withServer } from '../support/servers.ts';

await withServer('mysql', ({ name, config, knex }) => {
  // The Redrives of a test share it as parts of a program share theirs; the clock of the test sees when it is at rest.
  const shared = knexModule.knex({ ...config, pool: { min: 0, max: 20 } });
  afterAll(() => shared.destroy());
  providerConformance({
    name: 'MySQL',
    create: async () => ({
      connection: { provider: DatabaseProvider, properties: { knex: shared, autoMigrate: true, pollInterval: '1m' } },
      isBusy: () => isBusy(shared),
      dispose: () => emptySchema(knex, name),
    }),
  });
});
