import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'vitest';
import { Memory, SyncProvider } from '../../providers/sync/index.ts';
import { providerConformance } from '../../src/testing/conformance/suite.ts';
import { size } from '../support/size.ts';

const { capabilities } = new SyncProvider();
// The Redrives of a test share what is known of their jobs.
const connection = () => ({ provider: SyncProvider, properties: { memory: new Memory() } });

providerConformance({
  name: 'sync',
  capabilities,
  create: async () => ({ connection: connection(), dispose: async () => {} }),
});

if (size === 'small') it('the contract', ({ skip }) => skip('the contract on sync with the failed-jobs log in SQLite: npm run test:ci'));
else {
  providerConformance({
    name: 'sync with the failed-jobs log in SQLite',
    capabilities,
    async create() {
      const folder = await mkdtemp(join(tmpdir(), 'redrive-sync-'));
      const datasource = { client: 'better-sqlite3', connection: { filename: join(folder, 'log.db') }, useNullAsDefault: true };
      return {
        connection: connection(),
        logFailedJobsProperties: { datasource },
        dispose: () => rm(folder, { recursive: true, force: true }),
      };
    },
  });
}
