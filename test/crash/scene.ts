import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { createRedrive, type DispatchOptions } from '../../src/index.ts';
import { Child } from '../support/child.ts';
import { readTables, type Tables } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { Act, Said, Started, WorkerOrders } from './worker.ts';

export type Worker = Child<Said>;

export interface Scene {
  readonly database: string;
  /** Ids in order. */
  readonly dispatchMany: (acts: readonly Act[]) => Promise<readonly string[]>;
  readonly dispatch: (act: Act, options?: DispatchOptions) => Promise<string>;
  readonly worker: (orders?: Partial<WorkerOrders>) => Worker;
  readonly tables: () => Tables;
  /** The attempts that were started, oldest first. */
  readonly journal: () => readonly Started[];
}

/** A SQLite file, with its tables unless `migrated` is false, and worker processes on it, each with a lease of one second. */
export async function makeScene(options: { readonly migrated?: boolean } = {}): Promise<Scene> {
  const folder = temporaryFolder();
  const database = join(folder, 'jobs.db');
  const journal = join(folder, 'journal');
  const redrive = await createRedrive({
    connections: { main: { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename: database } } } },
    logFailedJobs: true,
  });
  if (options.migrated !== false) await redrive.migrate();
  return {
    database,
    dispatchMany: (acts) => redrive.dispatchMany(acts.map((properties) => ({ job: 'act', properties }))),
    dispatch: (act, options) => redrive.dispatch('act', act, options),
    worker: (orders = {}) =>
      new Child<Said>(new URL('worker.ts', import.meta.url), { database, journal, ...orders } satisfies WorkerOrders),
    tables: () => readTables(database),
    journal: () => readJournal(journal),
  };
}

function readJournal(file: string): readonly Started[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Started);
}

/** Tells a worker to stop and waits until it has. */
export async function stopped(worker: Worker): Promise<void> {
  worker.signal('SIGTERM');
  expect(await worker.ended, worker.printed).toEqual({ code: 0, signal: null });
}

/** No job is leased, every worker's session has ended, and everything was told. */
export function expectNothingUnderWay(tables: Tables): void {
  expect(tables.jobs.filter(({ status, session, lease_seq }) => status === 'reserved' || session !== null || lease_seq !== null)).toEqual(
    [],
  );
  expect(tables.announcements).toEqual([]);
  expect(tables.liveSessions).toBe(0);
}
