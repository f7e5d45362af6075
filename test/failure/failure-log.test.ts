import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SqlFailureLog } from '../../interceptors/log-failed-jobs/index.ts';
import { failedJobsMigrations } from '../../migrations/index.ts';
import { Stores } from '../../providers/database/store-source.ts';
import { MemoryFailureLog } from '../../providers/memory/memory-failure-log.ts';
import type { FailedJobFilter, FailureLog, Place } from '../../src/record/failure-log.ts';
import type { Spans } from '../../src/record/failure-tally.ts';
import { change } from '../../src/store/script.ts';
import type { SqlStore, StoreAddress } from '../../src/store/sql-store.ts';
import { databaseRedrive } from '../support/database-redrive.ts';
import { openEmulatedMssql } from '../support/emulated-mssql.ts';
import { withServer, type TestDatabase } from '../support/servers.ts';
import { bySize } from '../support/size.ts';
import { filters, hour, LogModel, placeOf, steps, type ModelRow } from './log-model.ts';

const always = (): boolean => true;

interface Opened {
  readonly log: FailureLog;
  /** Makes it as it was when it was opened. */
  readonly empty: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** A log in memory or in a database, to be emptied after each run. */
type Open = () => Promise<Opened>;

const inMemory: Open = async () => {
  const kept: { log: MemoryFailureLog } = { log: new MemoryFailureLog() };
  const log = new Proxy({} as FailureLog, { get: (_, name) => Reflect.get(kept.log, name).bind(kept.log) });
  return { log, empty: async () => void (kept.log = new MemoryFailureLog()), close: async () => undefined };
};

const inDatabase =
  (address: StoreAddress): Open =>
  async () => {
    const stores = new Stores();
    return logOn(await stores.open(address, 'create'), () => stores.close());
  };

async function logOn(store: SqlStore, close: () => Promise<void>): Promise<Opened> {
  await store.migrate(failedJobsMigrations('cbq_failed_jobs'));
  const empty = (): Promise<void> =>
    store.write(function* () {
      for (const name of ['cbq_failed_jobs', 'redrive_series', 'redrive_groups']) yield* change(`DELETE FROM ${store.sql.table(name)}`);
    });
  return { log: new SqlFailureLog(store, { tableName: 'cbq_failed_jobs' }), empty, close };
}

/** The log for SQL Server, over a connection that does in SQLite what it is asked. */
const onEmulatedMssql: Open = async () => {
  const { store, close } = await openEmulatedMssql();
  return logOn(store, close);
};

/** Runs a check on a log of random contents, beside the model of it. */
async function withRandomLog(
  open: Open,
  numRuns: number,
  check: (log: FailureLog, model: LogModel, filter: FailedJobFilter) => Promise<void>,
): Promise<void> {
  const { log, empty, close } = await open();
  try {
    await fc.assert(
      fc.asyncProperty(steps, fc.array(filters, { minLength: 3, maxLength: 8 }), async (given, asked) => {
        await empty();
        const model = new LogModel(log);
        for (const step of given) await model.take(step);
        for (const filter of asked) await check(log, model, filter);
      }),
      { numRuns },
    );
  } finally {
    await close();
  }
}

const idsOf = (rows: readonly { readonly id: number }[]): readonly number[] => rows.map(({ id }) => id);

const runs = bySize(24, 60, 500);

logTests('memory', inMemory, runs);
logTests('SQLite', inDatabase({ client: 'better-sqlite3', connection: { filename: ':memory:' } }), runs);
logTests('SQL Server, emulated', onEmulatedMssql, runs / 6);
await withServer('postgres', (database) => {
  logTests('PostgreSQL', inDatabase(database.config), runs / 6);
  timeoutTests(database, { lock: 'LOCK TABLE cbq_failed_jobs IN ACCESS EXCLUSIVE MODE', unlock: 'SELECT 1' });
});
await withServer('mysql', (database) => {
  logTests('MySQL or MariaDB', inDatabase(database.config), runs / 6);
  timeoutTests(database, { lock: 'LOCK TABLES cbq_failed_jobs WRITE', unlock: 'UNLOCK TABLES' });
});

/** `lock` keeps everybody else from reading the failed jobs until its transaction has ended. */
function timeoutTests({ name, config, knex }: TestDatabase, { lock, unlock }: { readonly lock: string; readonly unlock: string }): void {
  it(`queryOptions.timeout: a look at the failed jobs takes no longer, and the next one is as before (${config.client})`, async () => {
    const properties = { ...config, autoMigrate: true };
    const log = { logFailedJobs: true, logFailedJobsProperties: { queryOptions: { timeout: '400ms' } } };
    const redrive = await databaseRedrive(properties, { config: log });
    await redrive.migrate();
    const before = await redrive.failedJobs.count();
    const startedAt = performance.now();
    await knex.transaction(async (holder) => {
      await holder.raw(lock);
      try {
        const late = { code: 'STORE_TIMEOUT', message: expect.stringMatching(/took longer than 400ms \(queryOptions\.timeout\)/) };
        for (const look of [() => redrive.failedJobs.count(), () => redrive.failedJobs.list(), () => redrive.failedJobs.find(1)])
          await expect(look()).rejects.toMatchObject(late);
      } finally {
        await holder.raw(unlock);
      }
    });
    // Not the minute that a server has otherwise, several times over.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(await redrive.failedJobs.count(), name).toBe(before);
    expect((await redrive.failedJobs.list({}, { limit: 200 })).items).toHaveLength(before);
  });
}

function logTests(name: string, open: Open, numRuns: number): void {
  describe(`a failed-jobs log (${name})`, { timeout: bySize(30_000, 60_000, 600_000) }, () => tests(open, numRuns));
}

function tests(open: Open, numRuns: number): void {
  it('F34 lists what a filter means, page by page, in both orders', async () => {
    await withRandomLog(open, numRuns, async (log, model, filter) => {
      const expected = model.meant(filter);
      for (const [order, limit] of [
        ['newest', 3],
        ['oldest', 4],
        ['newest', 100],
      ] as const) {
        const found: number[] = [];
        for (let after: Place | undefined; ;) {
          const page = await log.search(filter, { limit, order, ...(after === undefined ? {} : { after }) }, always);
          expect(page.stoppedAt).toBeUndefined();
          found.push(...idsOf(page.rows));
          if (page.rows.length < limit) break;
          after = page.rows.at(-1)!.place;
        }
        expect(found).toEqual(idsOf(order === 'newest' ? expected : expected.toReversed()));
      }
    });
  });

  it('F36 counts what it lists', async () => {
    await withRandomLog(open, numRuns, async (log, model, filter) => {
      const expected = model.meant(filter);
      expect(await log.count(filter)).toBe(expected.length);
      const { series, partial } = await log.tally(filter, { mayGoOn: always });
      expect(partial).toBe(false);
      expect(series.reduce((sum, { count }) => sum + count, 0)).toBe(expected.length);
    });
  });

  it('F35 counts by series, with the first and last failure, spans and samples', async () => {
    const spans = { from: 20 * hour, ms: hour, count: 24 };
    await withRandomLog(open, numRuns, async (log, model, filter) => {
      const { series } = await log.tally(filter, { spans, samples: 2, mayGoOn: always });
      const groups = new Map<string, ModelRow[]>();
      for (const row of model.meant(filter)) {
        const { connection, queue, kind, fingerprint, job, type } = row.record;
        const key = JSON.stringify({ connection, queue, kind, fingerprint, job, type });
        groups.set(key, [...(groups.get(key) ?? []), row]);
      }
      const expected = [...groups].map(([key, rows]) => ({
        ...(JSON.parse(key) as object),
        count: rows.length,
        firstFailedAt: rows.at(-1)!.record.endedAt,
        lastFailedAt: rows[0]!.record.endedAt,
        spans: spansOf(rows, spans),
        samples: (rows.length <= 2 ? rows : [rows[0]!, rows[1]!, rows.at(-1)!]).map(placeOf),
      }));
      const comparable = (tallies: readonly object[]): readonly string[] => tallies.map((tally) => JSON.stringify(tally)).toSorted();
      expect(comparable(series)).toEqual(comparable(expected));
    });
  });

  it('F37 counts by time', async () => {
    const spans = { from: 10 * hour, ms: 2 * hour, count: 12 };
    await withRandomLog(open, numRuns, async (log, model, filter) => {
      expect(await log.histogram(filter, { spans, mayGoOn: always })).toEqual({
        spans: spansOf(model.meant(filter), spans),
        partial: false,
      });
    });
  });

  it('gives the little that a summary shows', async () => {
    await withRandomLog(open, numRuns, async (log, model) => {
      const rows = model.meant({ status: 'any' });
      const glances = await log.glance([...idsOf(rows), 999]);
      const byNumber = (a: { id: number }, b: { id: number }): number => a.id - b.id;
      expect(glances.toSorted(byNumber)).toEqual(
        rows.map(({ id, record: { message, release, worker } }) => ({ id, message, release, worker })).toSorted(byNumber),
      );
    });
  });
}

function spansOf(rows: readonly ModelRow[], { from, ms, count }: Spans): readonly number[] {
  return Array.from(
    { length: count },
    (_, index) => rows.filter(({ record: { endedAt: at } }) => at >= from + index * ms && at < from + (index + 1) * ms).length,
  );
}
