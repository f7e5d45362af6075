import { onTestFinished } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { createRedrive, type JobClass, type Redrive, type RedriveConfig } from '../../src/index.ts';
import type { StoreAccess } from '../../src/store/sql-store.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';

export interface SqliteRedriveOptions {
  readonly access?: StoreAccess;
  readonly jobs?: readonly JobClass[];
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly config?: Partial<RedriveConfig>;
  readonly logger?: RecordingLogger;
}

/** A Redrive on a SQLite file, with one pool, that prints nothing and is stopped after the test. */
export async function sqliteRedrive(filename: string, options: SqliteRedriveOptions = {}): Promise<Redrive> {
  const { access = 'create', jobs = [], properties, config, logger = new RecordingLogger() } = options;
  const redrive = await createRedrive(
    {
      connections: {
        main: {
          provider: DatabaseProvider,
          properties: { client: 'better-sqlite3', connection: { filename }, pollInterval: '20ms', ...properties },
        },
      },
      workerPools: { pool: { connection: 'main' } },
      jobs,
      logFailedJobs: true,
      logAttempts: false,
      ...config,
    },
    { access, logger },
  );
  onTestFinished(() => redrive.stop({ timeout: 0 }));
  return redrive;
}
