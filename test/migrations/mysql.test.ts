import type { Knex } from 'knex';
import { describe, expect, it, onTestFinished } from 'vitest';
import { jobsMigrations } from '../../migrations/index.ts';
import { documentOf } from '../cli/project.ts';
import { redrive } from '../cli/terminal.ts';
import { Child } from '../support/child.ts';
import { databaseRedrive } from '../support/database-redrive.ts';
import { allSteps, openStore } from '../support/stores.ts';
import { makeDatabase, withServer, type TestDatabase } from '../support/servers.ts';
import { size } from '../support/size.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { interrupting } from './interrupting.ts';
import type { MigrateOrders, MigrateSaid } from './migrate-until.ts';

const isFull = size === 'full';
const names = allSteps.map(({ name }) => name);

async function setup(): Promise<TestDatabase> {
  const database = await makeDatabase('mysql');
  onTestFinished(() => database.drop());
  return database;
}

const tablesOf = ({ knex, name }: TestDatabase): Promise<string[]> =>
  knex('information_schema.tables').where({ table_schema: name }).orderBy('table_name').pluck<string[]>('table_name');

/** Every column and index, and what has run: all that a migration leaves. */
async function schemaOf({ knex, name }: TestDatabase): Promise<unknown> {
  const about = (table: string, ...columns: string[]): Knex.QueryBuilder =>
    knex(`information_schema.${table}`).where({ table_schema: name }).select(columns).orderBy(columns);
  return {
    columns: await about('columns', 'table_name', 'column_name', 'column_type', 'is_nullable', 'collation_name'),
    indexes: await about('statistics', 'table_name', 'index_name', 'seq_in_index', 'column_name', 'non_unique'),
    ran: await knex('redrive_migrations').orderBy('id').pluck('name'),
  };
}

await withServer('mysql', () => {
  describe('redrive migrate on MySQL', () => {
    it('shows the steps and their SQL, makes the tables, counts what a rollback would take, and rolls back', async () => {
      const database = await setup();
      const { host, port, user } = database.config.connection;
      const on = (...argv: string[]) =>
        redrive([...argv, '--database', `mysql://${user}@${host}:${port}/${database.name}`], { cwd: temporaryFolder() });
      expect(documentOf(await on('migrate', '--status', '--json'))).toEqual({ applied: [], pending: names });
      const { code, stdout } = await on('migrate', '--sql');
      expect(code).toBe(0);
      expect(stdout).toContain('create table `redrive_jobs`');
      expect(stdout).not.toMatch(/^(?:select|show)\b/im);
      expect(await tablesOf(database)).toEqual([]);

      expect(documentOf(await on('migrate', '--json'))).toEqual({ applied: names, pending: [] });
      expect(documentOf(await on('migrate', '--status', '--json'))).toEqual({ applied: names, pending: [] });
      expect((await on('migrate', '--sql')).stdout).toContain('nothing to do');

      await database.knex('redrive_paused_queues').insert({ queue: 'q', paused_at: 1, paused_by: 'x' });
      const rollback = await on('migrate', '--rollback', '--sql', '--json');
      const { databases } = documentOf(rollback) as { databases: { losses: { table: string; rows: number }[] }[] };
      expect(databases[0]?.losses).toContainEqual({ table: 'redrive_paused_queues', rows: 1 });
      expect(documentOf(await on('migrate', '--rollback', '--yes', '--json'))).toMatchObject({ rolledBack: names.toReversed() });
      expect(await tablesOf(database)).toEqual([]);
      expect(documentOf(await on('migrate', '--status', '--json'))).toEqual({ applied: [], pending: names });
    });

    it('prints statements that make by hand what it makes', async () => {
      const [made, byHand] = [await setup(), await setup()];
      const store = await openStore(made.config);
      const { steps } = await store.planMigration(allSteps);
      await store.migrate(allSteps);
      for (const statement of steps.flatMap(({ statements }) => statements)) await byHand.knex.raw(statement.replaceAll('?', '\\?'));
      expect(await schemaOf(byHand)).toEqual(await schemaOf(made));
      expect(await (await openStore(byHand.config)).pending(allSteps)).toEqual([]);
    });

    it('is done once by several processes at the same time', async () => {
      const database = await setup();
      const stores = await Promise.all([1, 2, 3].map(() => openStore(database.config)));
      const reports = await Promise.all(stores.map((store) => store.migrate(allSteps)));
      expect(reports.map(({ applied }) => applied.length).toSorted((a, b) => a - b)).toEqual([0, 0, names.length]);
      expect(await database.knex('redrive_migrations').orderBy('id').pluck('name')).toEqual(names);
    });
  });

  describe('a migration on MySQL that is interrupted', () => {
    it(
      'goes on from where it was, up or down, and leaves what one leaves that was not',
      async () => {
        const [whole, torn] = [await setup(), await setup()];
        let seen = 0;
        const counting = await openStore(interrupting(whole.config, Number.POSITIVE_INFINITY, 'before', () => void seen++));
        await counting.migrate(allSteps);
        const clean = await schemaOf(whole);
        // Whether the statement was carried out before the connection broke is what the next one has to find out.
        const places = Array.from(
          { length: seen * 2 },
          (_, at) => ({ at: Math.floor(at / 2), when: at % 2 === 0 ? 'before' : 'after' }) as const,
        );
        const healthy = await openStore(torn.config);
        const gone = { code: 'STORE_UNREACHABLE' };
        for (const { at, when } of isFull ? places.filter((_, index) => index % 3 === 0) : [places[11]!, places[98]!, places.at(-3)!]) {
          const place = `${when} statement ${at} of ${seen}`;
          await expect((await openStore(interrupting(torn.config, at, when))).migrate(allSteps), place).rejects.toMatchObject(gone);
          await healthy.migrate(allSteps);
          expect(await schemaOf(torn), place).toEqual(clean);
          const down = (await openStore(interrupting(torn.config, at % 60, when))).rollback(allSteps);
          await expect(down, `down, ${place}`).rejects.toMatchObject(gone);
          await healthy.rollback(allSteps);
          expect(await tablesOf(torn), `down, ${place}`).toEqual([]);
        }
      },
      isFull ? 900_000 : 60_000,
    );

    it('by a kill of its process lets the next one at it at once, which ends it', async () => {
      const [whole, torn] = [await setup(), await setup()];
      await (await openStore(whole.config)).migrate(allSteps);
      const orders: MigrateOrders = { config: torn.config, at: 40 };
      const child = new Child<MigrateSaid>(new URL('migrate-until.ts', import.meta.url), orders);
      await child.says('it is in the middle', ({ said }) => said === 'there');
      const store = await openStore(torn.config);
      const waiting = store.migrate(allSteps);
      await child.kill();
      const { applied } = await waiting;
      expect(applied.length).toBeGreaterThan(0);
      expect(await schemaOf(torn)).toEqual(await schemaOf(whole));
    });
  });

  describe('a database on MySQL in which something is in the way', () => {
    it('gets none of our tables where that of the failed jobs is refused', async () => {
      const database = await setup();
      await database.knex.raw('CREATE TABLE cbq_failed_jobs (id INT PRIMARY KEY, queue TEXT)');
      const redriven = await databaseRedrive({ ...database.config, autoMigrate: true });
      await expect(redriven.start()).rejects.toMatchObject({
        code: 'MIGRATION_FAILED',
        message: expect.stringContaining("not cbq's") as string,
      });
      expect(await tablesOf(database)).toEqual(['cbq_failed_jobs']);
    });

    it('is refused for a table of our name with other columns, and taken with two sets of jobs over the same tables', async () => {
      const database = await setup();
      await database.knex.raw('CREATE TABLE redrive_attempts (id INT PRIMARY KEY, queue TEXT)');
      const store = await openStore(database.config);
      await expect(store.migrate(allSteps)).rejects.toMatchObject({
        code: 'MIGRATION_FAILED',
        message: expect.stringContaining(
          "the table redrive_attempts is there already and is not Redrive's: it lacks job_id, run",
        ) as string,
      });
      expect(await tablesOf(database)).toEqual(['redrive_attempts']);
      await database.knex.raw('DROP TABLE redrive_attempts');
      const both = [...allSteps, ...jobsMigrations('more_jobs')];
      expect((await store.planMigration(both)).steps).toHaveLength(both.length);
      expect((await store.migrate(both)).applied).toHaveLength(both.length);
      expect(await tablesOf(database)).toContain('more_jobs');
    });
  });
});
