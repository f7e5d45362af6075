import { describe, expect, it, vi } from 'vitest';
import { openQueues } from '../../../providers/database/scripts/reserve.ts';
import { tablesOf } from '../../../providers/database/tables.ts';
import { all, change, first, type Script } from '../../../src/store/script.ts';
import type { SqlStore } from '../../../src/store/sql-store.ts';
import { holding } from '../../support/holding.ts';
import { allSteps, openStore } from '../../support/stores.ts';
import { withServer } from '../../support/servers.ts';

await withServer('mysql', ({ config, knex: admin }) => {
  let tables = 0;

  /** Runs a script, and tells how many entries of indexes it read one after the other. */
  function* counted<T>(script: Script<T>): Script<{ result: T; read: number }> {
    const before = yield* entriesRead();
    const result = yield* script;
    return { result, read: (yield* entriesRead()) - before };
  }

  function* entriesRead(): Script<number> {
    const rows = yield* all<{ Variable_name: string; Value: string }>(`SHOW SESSION STATUS LIKE 'Handler_read_next'`);
    return Number(rows[0]?.Value);
  }

  /** A table with two rows, and a store. */
  async function setup(): Promise<{ store: SqlStore; table: string; numbers: () => Promise<readonly number[]> }> {
    const table = `numbers_${++tables}`;
    await admin.raw('CREATE TABLE ?? (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)', [table]);
    await admin(table).insert([
      { id: 1, n: 10 },
      { id: 2, n: 20 },
    ]);
    const numbers = async (): Promise<readonly number[]> => (await admin(table).orderBy('id').pluck<unknown[]>('n')).map(Number);
    const store = await openStore(config);
    return { store, table: store.sql.table(table), numbers };
  }

  it('takes the right to write from a process that is stopped in the middle, whose script begins anew once it goes on', async () => {
    const { store, table, numbers } = await setup();
    const { config: heldConfig, reached, release } = holding(config, /AS held/);
    const stopped = await openStore(heldConfig);
    let runs = 0;
    const slow = stopped.write(function* () {
      runs++;
      yield* change(`UPDATE ${table} SET n = n + 1 WHERE id = 1`);
      yield* first('SELECT 1 AS held');
    });
    await reached;
    await store.write(() => change(`UPDATE ${table} SET n = n * 2 WHERE id = 1`));
    expect(await numbers()).toEqual([20, 20]);
    release();
    await slow;
    expect([runs, await numbers()]).toEqual([2, [21, 20]]);
  });

  it('is run again from its start after a deadlock, of which one wins at once', async () => {
    const { store, table, numbers } = await setup();
    const { config: heldConfig, reached, release } = holding(config, /AS held/);
    const other = await openStore(heldConfig);
    let runs = 0;
    const crossing = (one: number, another: number) =>
      function* (): Script<void> {
        runs++;
        yield* change(`UPDATE ${table} SET n = n + 1 WHERE id = ?`, [one]);
        yield* first('SELECT 1 AS held');
        yield* change(`UPDATE ${table} SET n = n + 1 WHERE id = ?`, [another]);
      };
    const held = other.write(crossing(1, 2));
    await reached;
    const crossed = store.write(crossing(2, 1));
    const waits = (): Promise<unknown[]> =>
      admin('information_schema.innodb_trx')
        .where('trx_state', 'LOCK WAIT')
        .whereRaw('trx_query LIKE ?', [`%${table}%`])
        .select('trx_id');
    // What InnoDB tells is a copy, which it renews only where nobody has looked for a tenth of a second.
    await vi.waitFor(async () => expect(await waits()).toHaveLength(1), { interval: 250, timeout: 4_000 });
    release();
    await Promise.all([held, crossed]);
    expect(await numbers()).toEqual([12, 22]);
    expect(runs).toBe(3);
  });

  it('is run again after it waited too long for a lock', async () => {
    const { store, table, numbers } = await setup();
    const holder = await admin.transaction();
    await holder.raw(`UPDATE ${table} SET n = 11 WHERE id = 1`);
    let runs = 0;
    const waiting = store.write(function* () {
      if (++runs === 2) release();
      yield* change('SET innodb_lock_wait_timeout = 1');
      yield* change(`UPDATE ${table} SET n = n + 1 WHERE id = 1`);
    });
    const release = (): void => void holder.commit();
    await waiting;
    expect([runs >= 2, await numbers()]).toEqual([true, [12, 20]]);
  });

  it('tells that it hears nothing of other processes, so that pools look by themselves', async () => {
    expect((await openStore(config)).hearsOthers).toBe(false);
  });

  describe('a pool of all queues on MySQL', () => {
    it('finds them by a step each, however many jobs are in line', async () => {
      const store = await openStore(config);
      await store.migrate(allSteps);
      const tables = tablesOf(store.sql, 'redrive_jobs');
      expect(await store.read(() => openQueues(tables, ['*']))).toEqual([]);
      const jobs = Array.from({ length: 2_000 }, (_, index) => ({
        uuid: `job-${index}`,
        queue: ['mail', 'slow', 'Mail', 'mail '][index % 4],
        mapping: 'm',
        memento: '{}',
        status: index === 0 ? 'waiting' : 'ready',
        ready_seq: index,
        created_at: 1,
      }));
      await admin.batchInsert('redrive_jobs', jobs, 500);
      const { result, read } = await store.read(() => counted(openQueues(tables, ['*'])));
      expect(result).toEqual(['Mail', 'mail', 'mail ', 'slow']);
      expect(read).toBeLessThan(10);
      await store.write(() => change(`DELETE FROM ${tables.jobs}`));
    });
  });
});
