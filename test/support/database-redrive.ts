import { onTestFinished } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { createRedrive, type Clock, type JobClass, type Redrive, type RedriveConfig } from '../../src/index.ts';
import type { StoreAccess } from '../../src/store/sql-store.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';

export interface DatabaseRedriveOptions {
  readonly access?: StoreAccess;
  readonly jobs?: readonly JobClass[];
  readonly config?: Partial<RedriveConfig>;
  readonly logger?: RecordingLogger;
  /** Default: the system's, which is that of the database. */
  readonly clock?: Clock;
}

/** A Redrive on a database, by the properties of its connection, with one pool; it prints nothing and is stopped after the test. */
export async function databaseRedrive(
  properties: Readonly<Record<string, unknown>>,
  options: DatabaseRedriveOptions = {},
): Promise<Redrive> {
  const { access = 'create', jobs = [], config, logger = new RecordingLogger(), clock } = options;
  const redrive = await createRedrive(
    {
      connections: { main: { provider: DatabaseProvider, properties: { pollInterval: '50ms', ...properties } } },
      workerPools: { pool: { connection: 'main' } },
      jobs,
      logFailedJobs: true,
      logAttempts: false,
      ...config,
    },
    { access, logger, ...(clock === undefined ? {} : { clock }) },
  );
  onTestFinished(() => redrive.stop({ timeout: 0 }));
  return redrive;
}
