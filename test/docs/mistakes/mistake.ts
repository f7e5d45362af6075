import { createRedrive, isRedriveError, type Redrive, type RedriveConfig, type RedriveRuntime } from 'redrive';
import { DatabaseProvider } from 'redrive/providers/database';
import { RecordingLogger } from '../../../src/testing/recording-logger.ts';

/** What somebody reads after a mistake. */
export interface Read {
  /** Of a `RedriveError`; else the outcome's status, or the level of a line in the log. */
  readonly code: string;
  readonly text: string;
}

/** Makes a mistake and returns what is read. Rejects where nothing is. */
export type Mistake = () => Promise<Read>;

/** Configs as somebody without a compiler may write them. */
type Sloppy = Readonly<Record<string, unknown>>;

/** What is thrown. */
export async function thrown(run: () => unknown): Promise<Read> {
  let result: unknown;
  try {
    result = await run();
  } catch (error) {
    if (isRedriveError(error)) return { code: error.code, text: error.message };
    throw error;
  }
  throw new Error(`nothing was thrown; the answer was ${String(result)}`);
}

/** A connection to a database in memory, gone with the test. */
export const sqlite = (filename = ':memory:', properties: Sloppy = {}): Sloppy => ({
  provider: DatabaseProvider,
  properties: { client: 'better-sqlite3', connection: { filename }, ...properties },
});

/** A config that works, with changes. */
export function config(changes: Sloppy = {}): RedriveConfig {
  return {
    connections: { default: sqlite() },
    workerPools: { mail: { connection: 'default' } },
    logFailedJobs: true,
    logAttempts: false,
    logger: new RecordingLogger(),
    ...changes,
  } as unknown as RedriveConfig;
}

/** A config that `createRedrive` refuses. */
export const refused =
  (changes: Sloppy): Mistake =>
  () =>
    thrown(() => createRedrive(config(changes)));

/** A config that `start()` refuses. */
export const refusedAtStart =
  (changes: Sloppy): Mistake =>
  () =>
    thrown(() => using(config(changes), (redrive) => redrive.start()));

/** A call that a started Redrive refuses. */
export const refusedCall =
  (call: (redrive: Redrive) => unknown, changes: Sloppy = {}): Mistake =>
  () =>
    thrown(() => started(config(changes), call));

/** Lends a Redrive and stops it, whatever happens. */
export async function using<T>(given: RedriveConfig, use: (redrive: Redrive) => T, runtime: RedriveRuntime = {}): Promise<Awaited<T>> {
  const redrive = await createRedrive(given, runtime);
  try {
    return await use(redrive);
  } finally {
    await redrive.stop({ timeout: 0 });
  }
}

/** The same, started. */
export function started<T>(given: RedriveConfig, use: (redrive: Redrive) => T): Promise<Awaited<T>> {
  return using(given, async (redrive) => {
    await redrive.start();
    return use(redrive);
  });
}
