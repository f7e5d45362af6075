import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { providerConformance } from '../../src/testing/conformance/suite.ts';

providerConformance({
  name: 'SQLite',
  async create() {
    const folder = await mkdtemp(join(tmpdir(), 'redrive-contract-'));
    return {
      connection: {
        provider: DatabaseProvider,
        properties: { client: 'better-sqlite3', connection: { filename: join(folder, 'jobs.db') } },
      },
      dispose: () => rm(folder, { recursive: true, force: true }),
    };
  },
});
