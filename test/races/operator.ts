/** A process in which somebody retries, forgets and so on, at the word of a test, and which may work jobs besides. Started by `Child`. */
import { appendFileSync } from 'node:fs';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { createRedrive, defineJob, type Job, type LogFailedJobsProperties } from '../../src/index.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { givenToChild, tell } from '../support/in-child.ts';

export interface OperatorOrders {
  /** Of the connection: where its database is. */
  readonly properties: Readonly<Record<string, unknown>>;
  /** Where the failed-jobs log is, if not with the jobs. */
  readonly log?: LogFailedJobsProperties['datasource'];
  /** A line is appended at the start of each run. */
  readonly journal: string;
  /** Jobs at a time, once it works; default 8. */
  readonly quantity?: number;
}

/** What a job of these tests is given: it throws in its runs before this one. */
export interface Plan {
  readonly succeedsIn: number;
}

/** What is done to some jobs, or to a queue. */
export type Act =
  | { readonly act: 'retry' | 'forget' | 'cancel' | 'resolve'; readonly ids: readonly string[] }
  | { readonly act: 'prune' | 'bulk retry'; readonly queue: string };

export interface Turn {
  readonly round: number;
  /** One after the other, each after as many milliseconds. */
  readonly acts: readonly (Act & { readonly afterMs: number })[];
}

/** `work`: from now on it runs jobs as well. */
export type Order = Turn | { readonly work: true };

/** What the caller was told of each act: of each job, or of how many. */
export type Told = Readonly<Record<string, string>> | Pruned | BulkNumbers;

export interface Pruned {
  readonly removed: number;
  /** How many had been removed after each of its transactions. */
  readonly steps: readonly number[];
}

export interface BulkNumbers {
  readonly state: string;
  readonly matched: number;
  readonly moved: number;
  readonly skipped: number;
}

export type OperatorSaid =
  | { readonly said: 'ready' | 'working' }
  | { readonly said: 'done'; readonly round: number; readonly told: readonly Told[] };

const { properties, log, journal, quantity = 8 } = givenToChild<OperatorOrders>();

const job = defineJob({
  name: 'planned',
  handle: ({ id, run, properties: plan }: Job<Plan>) => {
    appendFileSync(journal, `${JSON.stringify({ id, run })}\n`);
    if (run < plan.succeedsIn) throw new Error('not yet');
  },
});

const redrive = await createRedrive(
  {
    connections: {
      main: { provider: DatabaseProvider, properties: { ...properties, pollInterval: '20ms', lease: '3s', keepCompleted: '1d' } },
    },
    workerPools: { pool: { connection: 'main', queues: '*', quantity } },
    jobs: [job],
    logFailedJobs: true,
    logAttempts: false,
    ...(log === undefined ? {} : { logFailedJobsProperties: { datasource: log } }),
  },
  { logger: new RecordingLogger(), access: 'change' },
);
const { failedJobs } = redrive;

const outcomesOf = (outcomes: readonly { readonly id: string | number; readonly status: string }[]): Told =>
  Object.fromEntries(outcomes.map(({ id, status }) => [id, status]));

async function perform(one: Act): Promise<Told> {
  switch (one.act) {
    case 'retry':
      return outcomesOf((await failedJobs.retry(one.ids, { queue: 'retried', by: 'racer' })).outcomes);
    case 'forget':
      return outcomesOf((await failedJobs.forget(one.ids, { by: 'racer' })).outcomes);
    case 'resolve':
      return outcomesOf((await failedJobs.resolve(one.ids, { by: 'racer' })).outcomes);
    case 'cancel': {
      const outcomes = [];
      for (const id of one.ids) outcomes.push({ id, status: await redrive.cancel(id, 'wanted no more', { by: 'racer' }) });
      return outcomesOf(outcomes);
    }
    case 'prune': {
      const steps: number[] = [];
      const onProgress = (removed: number): void => void steps.push(removed);
      return { ...(await failedJobs.prune({ queue: one.queue, olderThan: 0, by: 'racer', onProgress })), steps };
    }
    case 'bulk retry': {
      const { state, matched, moved, skipped } = await (
        await failedJobs.bulkRetry({ queue: one.queue }, { queue: 'retried', by: 'racer' })
      ).done;
      return { state, matched, moved, skipped };
    }
  }
}

process.on('message', (order: Order) => {
  void (async () => {
    if ('work' in order) {
      await redrive.start();
      return tell({ said: 'working' } satisfies OperatorSaid);
    }
    const told: Told[] = [];
    for (const { afterMs, ...act } of order.acts) {
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      told.push(await perform(act));
    }
    return tell({ said: 'done', round: order.round, told } satisfies OperatorSaid);
  })();
});
await failedJobs.count();
tell({ said: 'ready' } satisfies OperatorSaid);
