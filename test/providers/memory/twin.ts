import { SqlFailureLog } from '../../../interceptors/log-failed-jobs/index.ts';
import { failedJobsMigrations } from '../../../migrations/index.ts';
import { AsyncProvider, Memory } from '../../../providers/async/index.ts';
import { DatabaseProvider } from '../../../providers/database/index.ts';
import { Stores } from '../../../providers/database/store-source.ts';
import { JobRegistry } from '../../../src/job/registry.ts';
import type { PullProvider, ReservedJob, Session } from '../../../src/provider/pull-provider.ts';
import type { ProviderContext } from '../../../src/provider/queue-provider.ts';
import type { FailureLog } from '../../../src/record/failure-log.ts';
import { RecordingLogger } from '../../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

/** Where the failed-jobs log is: beside the jobs, elsewhere, or nowhere. */
export type LogPlace = 'beside' | 'elsewhere' | 'off';

/** One backend, and what a test holds of it. */
export interface Twin {
  readonly provider: PullProvider;
  /** Where it is beside the jobs. */
  readonly log: FailureLog | undefined;
  readonly sessions: Session[];
  /** Everything that was ever reserved, also what was settled since: a late worker still has it. */
  readonly reserved: { readonly session: number; readonly job: ReservedJob }[];
}

export interface MadeTwins {
  readonly database: Twin;
  readonly memory: Twin;
  /** What the second keeps its jobs in. */
  readonly kept: Memory;
  readonly clock: VirtualClock;
  readonly close: () => Promise<void>;
}

/** Jobs in a database and jobs in memory, by the same clock. */
export async function makeTwins(place: LogPlace): Promise<MadeTwins> {
  const stores = new Stores();
  const clock = new VirtualClock();
  const kept = new Memory();
  const workHere = async (): Promise<readonly unknown[]> => [];
  const logger = new RecordingLogger();
  const common = { name: 'main', clock, logger, registry: new JobRegistry([]), stores, access: 'create', workHere } as const;
  const database = new DatabaseProvider();
  const memory = new AsyncProvider();
  const sqlLog = once(async () => {
    const store = await stores.open(database.storeAddress, 'create');
    await store.migrate(failedJobsMigrations('cbq_failed_jobs'));
    return new SqlFailureLog(store, { tableName: 'cbq_failed_jobs' });
  });
  const logs = { beside: [sqlLog, async () => kept.failureLog], elsewhere: [logElsewhere, logElsewhere], off: [noLog, noLog] } as const;
  const [databaseLog, memoryLog] = logs[place];
  const properties = { client: 'better-sqlite3', connection: { filename: ':memory:' } };
  database.init({ ...common, properties, failureLog: databaseLog } satisfies ProviderContext);
  memory.init({ ...common, properties: { memory: kept }, failureLog: memoryLog } satisfies ProviderContext);
  await database.connect();
  await memory.connect();
  const twin = async (provider: PullProvider, log: () => Promise<FailureLog | undefined>): Promise<Twin> => {
    return { provider, log: place === 'beside' ? await log() : undefined, sessions: [], reserved: [] };
  };
  return { database: await twin(database, databaseLog), memory: await twin(memory, memoryLog), kept, clock, close: () => stores.close() };
}

/** A log that joins nobody. It is told by the worker, and there is none here. */
async function logElsewhere(): Promise<FailureLog> {
  return { joining: () => undefined } as unknown as FailureLog;
}

async function noLog(): Promise<undefined> {
  return undefined;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
