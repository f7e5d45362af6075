import knexModule, { type Knex } from 'knex';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { all, change, first, type Script } from '../../../src/store/script.ts';
import type { SqlStore } from '../../../src/store/sql-store.ts';
import { holding } from '../../support/holding.ts';
import { openStore } from '../../support/stores.ts';
import { withServer } from '../../support/servers.ts';

await withServer('postgres', ({ config, knex: admin }) => {
  let tables = 0;

  /** A table with a unique key, two rows, and a store. */
  async function setup(): Promise<{ store: SqlStore; table: string; numbers: () => Promise<readonly number[]> }> {
    const table = `numbers_${++tables}`;
    await admin.raw('CREATE TABLE ?? (id bigint PRIMARY KEY, n bigint NOT NULL, big numeric, note text)', [table]);
    await admin(table).insert([
      { id: 1, n: 10 },
      { id: 2, n: 20 },
    ]);
    const store = await openStore(config);
    const numbers = async (): Promise<readonly number[]> =>
      (await admin(table).orderBy('id').select('n')).map(({ n }: { n: string }) => Number(n));
    return { store, table: store.sql.table(table), numbers };
  }

  /** What scripts wait at until it is lifted. */
  async function raiseBarrier(): Promise<{
    wait: () => Script<unknown>;
    untilWaiting: (count: number) => Promise<void>;
    lift: () => Promise<void>;
  }> {
    const key = 4_711;
    const holder = await usersKnex().transaction();
    await holder.raw('SELECT pg_advisory_xact_lock(?)', [key]);
    return {
      wait: () => first('SELECT pg_advisory_xact_lock_shared(?)', [key]),
      untilWaiting: (count) =>
        vi.waitFor(async () => {
          const waiting = await admin('pg_locks').where({ locktype: 'advisory', objid: key, granted: false }).select('pid');
          expect(waiting).toHaveLength(count);
        }),
      lift: async () => void (await holder.commit()),
    };
  }

  function usersKnex(): Knex {
    const users = knexModule.knex(config);
    onTestFinished(() => users.destroy());
    return users;
  }

  describe('a script on PostgreSQL', () => {
    it('gets numbers as numbers, whatever the program tells the driver', async () => {
      const { types } = (
        usersKnex().client as { driver: { types: { setTypeParser(oid: number, parse: (text: string) => unknown): void } } }
      ).driver;
      types.setTypeParser(20, (text) => BigInt(text));
      onTestFinished(() => types.setTypeParser(20, (text) => text));
      const { store } = await setup();
      const row = await store.read(() =>
        first(
          'SELECT 9007199254740991::bigint AS big, count(*) AS count, sum(x) AS sum, avg(x) AS avg, true AS yes, null AS none FROM generate_series(1, 4) AS x',
        ),
      );
      expect(row).toEqual({ big: 9_007_199_254_740_991, count: 4, sum: 10, avg: 2.5, yes: true, none: null });
    });

    it('commits all that it wrote, or, when it throws, nothing', async () => {
      const { store, table, numbers } = await setup();
      await store.write(function* () {
        yield* change(`UPDATE ${table} SET n = n + 1`);
      });
      expect(await numbers()).toEqual([11, 21]);
      const thrown = new Error('from inside');
      await expect(
        store.write(function* () {
          yield* change(`UPDATE ${table} SET n = 0`);
          throw thrown;
        }),
      ).rejects.toBe(thrown);
      expect(await numbers()).toEqual([11, 21]);
    });

    it('tells how many rows it changed', async () => {
      const { store, table } = await setup();
      expect(await store.write(() => change(`UPDATE ${table} SET n = 0 WHERE id > ?`, [0]))).toBe(2);
      expect(await store.write(() => change(`DELETE FROM ${table} WHERE id = ?`, [3]))).toBe(0);
    });

    it('does not see in its second statement what was written since the first', async () => {
      const { store, table } = await setup();
      const twice = function* (): Script<readonly number[]> {
        const before = (yield* all(`SELECT id FROM ${table}`)).length;
        // From a connection of its own, in the middle of this one.
        yield* first(`SELECT * FROM dblink_in_test(?)`, [table]);
        return [before, (yield* all(`SELECT id FROM ${table}`)).length];
      };
      await admin.raw('CREATE EXTENSION IF NOT EXISTS dblink');
      const { host, port, user, database } = config.connection;
      await admin.raw(`CREATE OR REPLACE FUNCTION dblink_in_test(name text) RETURNS text LANGUAGE sql AS
        $$ SELECT dblink_exec('host=${host} port=${port} user=${user} dbname=${database}', 'INSERT INTO ' || name || ' SELECT max(id) + 1, 0 FROM ' || name) $$`);
      // The first time it is found out that there is a second statement; then it is known.
      expect(await store.read(twice)).toEqual([2, 2]);
      expect(await store.read(twice)).toEqual([3, 3]);
    });

    it('cannot write where it was to read, nor at all in a store that was opened for looking', async () => {
      const { store, table, numbers } = await setup();
      const script = function* (): Script<void> {
        yield* first('SELECT 1');
        yield* change(`UPDATE ${table} SET n = 0`);
      };
      await expect(store.read(script)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
      const looking = await openStore(config, { access: 'look' });
      await expect(looking.write(script)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' });
      expect(await numbers()).toEqual([10, 20]);
    });

    it('is run again from its start after a deadlock', async () => {
      const { store, table, numbers } = await setup();
      const barrier = await raiseBarrier();
      let runs = 0;
      const crossing = (one: number, other: number) =>
        function* (): Script<void> {
          runs++;
          yield* change(`UPDATE ${table} SET n = n + 1 WHERE id = ?`, [one]);
          yield* barrier.wait();
          yield* change(`UPDATE ${table} SET n = n + 1 WHERE id = ?`, [other]);
        };
      const both = Promise.all([store.write(crossing(1, 2)), store.write(crossing(2, 1))]);
      await barrier.untilWaiting(2);
      await barrier.lift();
      await both;
      expect(await numbers()).toEqual([12, 22]);
      expect(runs).toBe(3);
    });

    it('is run again, and finds it, where somebody else took a unique key meanwhile', async () => {
      const { store, table } = await setup();
      const barrier = await raiseBarrier();
      const insertUnlessFound = function* (): Script<string> {
        if ((yield* first(`SELECT 1 FROM ${table} WHERE id = 7`)) !== undefined) return 'found';
        yield* barrier.wait();
        yield* change(`INSERT INTO ${table} (id, n) VALUES (7, 7)`);
        return 'inserted';
      };
      const both = Promise.all([store.write(insertUnlessFound), store.write(insertUnlessFound)]);
      await barrier.untilWaiting(2);
      await barrier.lift();
      const outcomes = await both;
      expect(outcomes.toSorted()).toEqual(['found', 'inserted']);
    });

    it('is told of a unique key that it breaks every time', async () => {
      const { store, table } = await setup();
      await expect(store.write(() => change(`INSERT INTO ${table} (id, n) VALUES (1, 1)`))).rejects.toMatchObject({ code: '23505' });
    });

    it('waits for a lock, and holds up others, for a while only, whatever the server allows', async () => {
      const { store } = await setup();
      const limits = (): Script<unknown> =>
        first(
          `SELECT current_setting('lock_timeout') AS lock, current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('transaction_isolation') AS isolation`,
        );
      expect(await store.write(limits)).toEqual({ lock: '5s', idle: '5s', isolation: 'read committed' });
    });
  });

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

  describe("a script in a transaction of the user's on PostgreSQL", () => {
    const add = (table: string, id: number) =>
      function* (): Script<number> {
        return yield* change(`INSERT INTO ${table} (id, n) VALUES (?, ?)`, [id, id * 10]);
      };

    it('is there once that commits, and not when it is rolled back', async () => {
      const { store, table, numbers } = await setup();
      const users = usersKnex();
      await users.transaction(async (transaction) => {
        await store.within(transaction, add(table, 3));
        expect(await numbers()).toEqual([10, 20]);
      });
      expect(await numbers()).toEqual([10, 20, 30]);
      const rolledBack = await users.transaction();
      await store.within(rolledBack, add(table, 4));
      await rolledBack.rollback();
      expect(await numbers()).toEqual([10, 20, 30]);
    });

    it('that throws leaves nothing behind, and the transaction goes on', async () => {
      const { store, table, numbers } = await setup();
      await usersKnex().transaction(async (transaction) => {
        await transaction.raw(`UPDATE ${table} SET n = 11 WHERE id = 1`);
        const script = function* (): Script<void> {
          yield* add(table, 3)();
          yield* change(`INSERT INTO ${table} (id, n, note) VALUES (4, 1, no_such_column)`);
        };
        await expect(store.within(transaction, script)).rejects.toMatchObject({ code: 'STORE_UNMIGRATED' });
        await transaction.raw(`UPDATE ${table} SET n = 21 WHERE id = 2`);
      });
      expect(await numbers()).toEqual([11, 21]);
    });

    it('takes its turn where several are asked for at once: one that fails takes nothing of the others with it', async () => {
      const { store, table, numbers } = await setup();
      await usersKnex().transaction(async (transaction) => {
        const outcomes = await Promise.allSettled([3, 1, 4, 2, 5].map((id) => store.within(transaction, add(table, id))));
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
      });
      expect(await numbers()).toEqual([10, 20, 30, 40, 50]);
    });

    it('works in a nested transaction, and in one of another isolation', async () => {
      const { store, table, numbers } = await setup();
      const users = usersKnex();
      await users.transaction(async (outer) => {
        await outer.transaction((inner) => store.within(inner, add(table, 3)));
        await outer.transaction((inner) => store.within(inner, add(table, 4)).then(() => inner.rollback())).catch(() => undefined);
      });
      await users.transaction((transaction) => store.within(transaction, add(table, 5)), { isolationLevel: 'serializable' });
      expect(await numbers()).toEqual([10, 20, 30, 50]);
    });

    it.each([
      ['what is no transaction', async () => ({}) as Knex.Transaction, 'it is no Knex transaction'],
      ['a Knex instance', async () => usersKnex() as unknown as Knex.Transaction, 'it is no Knex transaction'],
      [
        'one that has ended',
        async () => {
          const ended = await usersKnex().transaction();
          await ended.commit();
          return ended;
        },
        'it has ended',
      ],
      [
        'one of SQLite',
        async () => {
          const other = knexModule.knex({ client: 'better-sqlite3', connection: ':memory:', useNullAsDefault: true });
          onTestFinished(() => other.destroy());
          return other.transaction();
        },
        'it is one of sqlite3',
      ],
      [
        'one of another database of the same server',
        async () => {
          const other = knexModule.knex({ ...config, connection: { ...config.connection, database: 'postgres' } });
          onTestFinished(() => other.destroy());
          return other.transaction();
        },
        'it belongs to another database',
      ],
      [
        'one that has failed',
        async () => {
          const failed = await usersKnex().transaction();
          await failed.raw('SELECT 1 / 0').catch(() => undefined);
          return failed;
        },
        'it can only be rolled back',
      ],
    ])('refuses %s', async (_what, begin, words) => {
      const { store, table, numbers } = await setup();
      const transaction = await begin();
      await expect(store.within(transaction, add(table, 3))).rejects.toMatchObject({
        code: 'OPTIONS_INVALID',
        message: expect.stringContaining(words) as string,
      });
      if ('rollback' in transaction && !transaction.isCompleted()) await transaction.rollback();
      expect(await numbers()).toEqual([10, 20]);
    });
  });
});
