import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { providerConformance } from '../../src/testing/conformance/suite.ts';

const sqlite = (filename: string) => ({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true });

providerConformance({
  name: 'SQLite with the failed-jobs log in another file',
  async create() {
    const folder = await mkdtemp(join(tmpdir(), 'redrive-separate-'));
    return {
      connection: { provider: DatabaseProvider, properties: sqlite(join(folder, 'jobs.db')) },
      logFailedJobsProperties: { datasource: sqlite(join(folder, 'log.db')) },
      dispose: () => rm(folder, { recursive: true, force: true }),
    };
  },
});
