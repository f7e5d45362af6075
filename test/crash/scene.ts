import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { createRedrive, type DispatchOptions } from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { Child } from '../support/child.ts';
import type { Ground } from '../support/engines.ts';
import type { Tables } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { Act, Said, Started, WorkerOrders } from './worker.ts';

export type Worker = Child<Said>;

export interface Scene {
  readonly ground: Ground;
  /** Ids in order. */
  readonly dispatchMany: (jobs: readonly { readonly act: Act; readonly options?: DispatchOptions }[]) => Promise<readonly string[]>;
  readonly dispatch: (act: Act, options?: DispatchOptions) => Promise<string>;
  readonly worker: (orders?: Partial<WorkerOrders>) => Worker;
  readonly tables: () => Promise<Tables>;
  /** How many jobs have not ended, or failed and nobody was told. */
  readonly left: () => Promise<number>;
  /** The attempts that were started, oldest first. */
  readonly journal: () => readonly Started[];
}

/** Tables, unless `migrated` is false, and worker processes on them, each with a lease of one second unless its orders say otherwise. */
export async function makeScene(ground: Ground, options: { readonly migrated?: boolean } = {}): Promise<Scene> {
  const journal = join(temporaryFolder(), 'journal');
  // What was completed is counted in the end, however long that takes.
  const properties = { ...ground.properties, keepCompleted: '1d' };
  const redrive = await createRedrive(
    { connections: { main: { provider: DatabaseProvider, properties } }, logFailedJobs: true },
    { logger: new RecordingLogger() },
  );
  onTestFinished(() => redrive.stop());
  if (options.migrated !== false) await redrive.migrate();
  return {
    ground,
    dispatchMany: (jobs) =>
      redrive.dispatchMany(jobs.map(({ act, options }) => ({ job: 'act', properties: act, ...(options && { options }) }))),
    dispatch: (act, options) => redrive.dispatch('act', act, options),
    worker: (orders = {}) =>
      new Child<Said>(new URL('worker.ts', import.meta.url), { properties, journal, ...orders } satisfies WorkerOrders),
    tables: () => ground.tables(),
    left: async () => {
      const open = `SELECT (SELECT count(*) FROM redrive_jobs WHERE status NOT IN ('completed', 'failed')) + (SELECT count(*) FROM redrive_announcements) AS n`;
      return (await ground.rows<{ n: number }>(open))[0]?.n ?? -1;
    },
    journal: () => readJournal(journal),
  };
}

function readJournal(file: string): readonly Started[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Started);
}

/** Tells a worker to stop and waits until it has. */
export async function stopped(worker: Worker): Promise<void> {
  worker.signal('SIGTERM');
  expect(await worker.ended, worker.printed).toEqual({ code: 0, signal: null });
}

/** Stops a process where it holds no lock: one that is stopped in the middle of a write keeps everybody else from writing. */
export async function stopBetweenTransactions(worker: Worker, ground: Ground): Promise<void> {
  for (;;) {
    worker.signal('SIGSTOP');
    await worker.isStopped();
    if (await ground.isAtRest()) return;
    worker.signal('SIGCONT');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** No job is leased, every worker's session has ended, and everything was told. */
export function expectNothingUnderWay(tables: Tables): void {
  expect(tables.jobs.filter(({ status, session, lease_seq }) => status === 'reserved' || session !== null || lease_seq !== null)).toEqual(
    [],
  );
  expect(tables.announcements).toEqual([]);
  expect(tables.liveSessions).toBe(0);
}
