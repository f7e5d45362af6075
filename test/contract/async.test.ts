import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'vitest';
import { AsyncProvider, Memory } from '../../providers/async/index.ts';
import { providerConformance } from '../../src/testing/conformance/suite.ts';
import { size } from '../support/size.ts';

const { capabilities } = new AsyncProvider();
// The Redrives of a test share their jobs as processes share a database.
const connection = () => ({ provider: AsyncProvider, properties: { memory: new Memory() } });

providerConformance({
  name: 'async',
  capabilities,
  create: async () => ({ connection: connection(), dispose: async () => {} }),
});

if (size === 'small') it('the contract', ({ skip }) => skip('the contract on async with the failed-jobs log in SQLite: npm run test:ci'));
else {
  providerConformance({
    name: 'async with the failed-jobs log in SQLite',
    capabilities,
    async create() {
      const folder = await mkdtemp(join(tmpdir(), 'redrive-async-'));
      const datasource = { client: 'better-sqlite3', connection: { filename: join(folder, 'log.db') }, useNullAsDefault: true };
      return {
        connection: connection(),
        logFailedJobsProperties: { datasource },
        dispose: () => rm(folder, { recursive: true, force: true }),
      };
    },
  });
}
