import knexModule, { type Knex } from 'knex';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { defineJob, type Redrive } from '../../../src/index.ts';
import { databaseRedrive } from '../../support/database-redrive.ts';
import { withServer } from '../../support/servers.ts';

await withServer('postgres', ({ config, knex: admin }) => {
  let made = 0;
  const done: number[] = [];
  const job = defineJob<{ n: number }>({ name: 'job', handle: ({ properties: { n } }) => void done.push(n) });
  const single = defineJob<{ n: number }>({ name: 'single', unique: () => 'one', handle: () => undefined });

  interface Scene {
    readonly redrive: Redrive;
    /** The program's own, whose names without a schema are those of another schema than the jobs'. */
    readonly users: Knex;
    readonly orders: () => Promise<readonly number[]>;
    readonly ready: () => Promise<number>;
  }

  async function setup(): Promise<Scene> {
    const [schema, theirs] = [`jobs_${++made}`, `theirs_${made}`];
    await admin.raw('CREATE SCHEMA ??; CREATE TABLE ??.orders (id integer)', [theirs, theirs]);
    const users = knexModule.knex({ ...config, searchPath: [theirs], pool: { min: 0, max: 3 } });
    onTestFinished(() => users.destroy());
    const redrive = await databaseRedrive({ ...config, schema, autoMigrate: true }, { jobs: [job, single] });
    await redrive.migrate();
    return {
      redrive,
      users,
      orders: async () => admin.withSchema(theirs).from('orders').orderBy('id').pluck<number[]>('id'),
      ready: async () => (await redrive.stats('default')).ready,
    };
  }

  describe("a dispatch inside of the user's transaction on PostgreSQL", () => {
    it('is stored with its commit, together with what else is in it, and wakes the workers then', async () => {
      const { redrive, users, orders, ready } = await setup();
      await redrive.start();
      done.length = 0;
      const ids = await users.transaction(async (transaction) => {
        await transaction('orders').insert({ id: 1 });
        const first = await redrive.dispatch(job, { n: 1 }, { transaction });
        await transaction('orders').insert({ id: 2 });
        const more = await redrive.dispatchMany([2, 3].map((n) => ({ job, properties: { n }, options: { transaction } })));
        expect(await ready()).toBe(0);
        return [first, ...more];
      });
      await vi.waitFor(() => expect(done.toSorted((a, b) => a - b)).toEqual([1, 2, 3]), { timeout: 10_000 });
      expect(await orders()).toEqual([1, 2]);
      for (const id of ids) expect(await redrive.status(id)).toBeDefined();
    });

    it('is not stored where that is rolled back', async () => {
      const { redrive, users, orders, ready } = await setup();
      await users
        .transaction(async (transaction) => {
          await transaction('orders').insert({ id: 1 });
          await redrive.dispatchMany([1, 2, 3].map((n) => ({ job, properties: { n }, options: { transaction } })));
          throw new Error('changed my mind');
        })
        .catch(() => undefined);
      expect([await orders(), await ready()]).toEqual([[], 0]);
    });

    it('of a unique job that somebody else dispatches at the same time waits, and gives the id of the one that was first', async () => {
      const { redrive, users, ready } = await setup();
      const transaction = await users.transaction();
      const first = await redrive.dispatch(single, { n: 1 }, { transaction });
      const second = redrive.dispatch(single, { n: 2 });
      await vi.waitFor(async () => {
        const waiting = await admin('pg_stat_activity').where({ datname: config.connection['database'], wait_event_type: 'Lock' });
        expect(waiting).toHaveLength(1);
      });
      await transaction.commit();
      expect(await second).toBe(first);
      expect(await ready()).toBe(1);
    });

    it('of many jobs at once stores them in order', async () => {
      const { redrive, users } = await setup();
      const list = Array.from({ length: 3_000 }, (_, n) => ({ job, properties: { n } }));
      const ids = await users.transaction((transaction) => redrive.dispatchMany(list.map((one) => ({ ...one, options: { transaction } }))));
      expect(new Set(ids).size).toBe(3_000);
      const rows = await admin.withSchema(`jobs_${made}`).from('redrive_jobs').orderBy('ready_seq').pluck<string[]>('uuid');
      expect(rows).toEqual(ids);
    });
  });
});
