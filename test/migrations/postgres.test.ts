import { describe, expect, it } from 'vitest';
import { failedJobsMigrations, jobsMigrations } from '../../migrations/index.ts';
import type { MigrationStep } from '../../src/store/sql-store.ts';
import { allSteps, openStore } from '../support/stores.ts';
import { withServer } from '../support/servers.ts';

await withServer('postgres', ({ config, knex: admin }) => {
  let made = 0;
  const schema = (): string => `migrated_${++made}`;
  const names = allSteps.map(({ name }) => name);

  const tablesOf = (of: string): Promise<string[]> =>
    admin('information_schema.tables').where({ table_schema: of }).orderBy('table_name').pluck<string[]>('table_name');

  const columns = async (of: string, table: string): Promise<Readonly<Record<string, string>>> => {
    const rows = await admin('information_schema.columns')
      .where({ table_schema: of, table_name: table })
      .select<{ column_name: string; data_type: string }[]>('column_name', 'data_type');
    return Object.fromEntries(rows.map((row) => [row.column_name, row.data_type]));
  };

  describe('migrations on PostgreSQL', () => {
    it('make the schema and the tables: text without limit, times of 64 bits, partial indexes, sequences', async () => {
      const of = schema();
      const store = await openStore(config, { names: { schema: of } });
      expect(await store.pending(allSteps)).toEqual(names);
      expect(await store.migrate(allSteps)).toEqual({ applied: names, pending: [] });
      expect(await store.pending(allSteps)).toEqual([]);
      expect(await columns(of, 'redrive_jobs')).toMatchObject({
        id: 'bigint',
        memento: 'text',
        result: 'text',
        available_at: 'bigint',
        ready_seq: 'bigint',
      });
      expect(await columns(of, 'cbq_failed_jobs')).toMatchObject({
        exceptionMessage: 'text',
        exception: 'text',
        failed_at: 'bigint',
        failure_seq: 'bigint',
        failedDate: 'bigint',
      });
      const partial = await admin('pg_indexes')
        .where({ schemaname: of, tablename: 'redrive_jobs' })
        .whereILike('indexdef', '%where%')
        .pluck<string[]>('indexname');
      expect(partial.toSorted()).toEqual([
        'redrive_jobs_ended',
        'redrive_jobs_ready',
        'redrive_jobs_reserved',
        'redrive_jobs_unique',
        'redrive_jobs_waiting',
      ]);
      expect(
        await admin('pg_sequences').where({ schemaname: of }).whereIn('sequencename', ['redrive_ready_seq', 'redrive_failure_seq']),
      ).toHaveLength(2);
    });

    it('are run once by several processes at the same time', async () => {
      const of = schema();
      const stores = await Promise.all([1, 2, 3, 4].map(() => openStore(config, { names: { schema: of } })));
      const reports = await Promise.all(stores.map((store) => store.migrate(allSteps)));
      expect(reports.map(({ applied }) => applied.length).toSorted((a, b) => a - b)).toEqual([0, 0, 0, names.length]);
      const kept = await admin.withSchema(of).from('redrive_migrations').orderBy('id').pluck<string[]>('name');
      expect(kept).toEqual(names);
    });

    it('are all or nothing', async () => {
      const of = schema();
      const store = await openStore(config, { names: { schema: of } });
      const broken: MigrationStep = {
        name: 'broken',
        up: async ({ knex }) => void (await knex.raw('CREATE TABLE half (id integer); SELECT no_such_column')),
        down: async () => undefined,
      };
      await expect(store.migrate([...allSteps, broken])).rejects.toMatchObject({
        code: 'MIGRATION_FAILED',
        message: expect.stringContaining('nothing was changed: column "no_such_column" does not exist') as string,
      });
      expect(await tablesOf(of)).toEqual([]);
      expect(await store.pending(allSteps)).toEqual(names);
    });

    it('are planned without being run: what is planned is what is executed', async () => {
      const of = schema();
      const store = await openStore(config, { names: { schema: of } });
      const plan = await store.planMigration(allSteps);
      expect(plan.steps.map(({ name }) => name)).toEqual(names);
      expect(await tablesOf(of)).toEqual([]);
      const byHand = schema();
      await admin.transaction(async (transaction) => {
        await transaction.raw('CREATE SCHEMA ??', [byHand]);
        await transaction.raw('SET LOCAL search_path = ??', [byHand]);
        // One by one: what is printed may be pasted.
        for (const statement of plan.steps.flatMap(({ statements }) => statements)) await transaction.raw(statement.replaceAll('?', '\\?'));
      });
      await store.migrate(allSteps);
      expect(await tablesOf(byHand)).toEqual(await tablesOf(of));
      const indexes = (where: string): Promise<string[]> =>
        admin('pg_indexes').where({ schemaname: where }).orderBy('indexname').pluck<string[]>('indexname');
      expect(await indexes(byHand)).toEqual(await indexes(of));
      const other = await openStore(config, { names: { schema: byHand } });
      expect(await other.pending(allSteps)).toEqual([]);
    });

    it('are rolled back as planned, with the rows that would be lost counted', async () => {
      const of = schema();
      const store = await openStore(config, { names: { schema: of } });
      await store.migrate(allSteps);
      await admin
        .withSchema(of)
        .from('redrive_paused_queues')
        .insert([1, 2].map((queue) => ({ queue: `q${queue}`, paused_at: 1, paused_by: 'x' })));
      const before = await tablesOf(of);
      const plan = await store.planRollback(allSteps);
      expect(plan.losses).toContainEqual({ table: 'redrive_paused_queues', rows: 2 });
      expect(plan.losses.map(({ table }) => table).toSorted()).toEqual(before);
      expect(await tablesOf(of)).toEqual(before);
      expect(await store.rollback(allSteps)).toEqual(names.toReversed());
      expect(await tablesOf(of)).toEqual([]);
      expect(await admin('pg_sequences').where({ schemaname: of })).toEqual([]);
      expect((await store.migrate(allSteps)).applied).toEqual(names);
    });

    it('leave two sets of tables side by side, in one schema or in two', async () => {
      const of = schema();
      const one = await openStore(config, { names: { schema: of } });
      const other = await openStore(config, { names: { schema: of, prefix: 'other_' } });
      const steps = [...jobsMigrations('other_jobs'), ...failedJobsMigrations('other_failed')];
      await one.migrate(allSteps);
      await other.migrate(steps);
      await one.rollback(allSteps);
      expect(await other.pending(steps)).toEqual([]);
      expect((await tablesOf(of)).every((name) => name.startsWith('other_'))).toBe(true);
    });

    it('make names of up to the longest allowed ones that PostgreSQL does not cut off', async () => {
      const of = 's'.repeat(63);
      const [prefix, jobs, failed] = ['p'.repeat(32), 'j'.repeat(48), 'f'.repeat(48)];
      const store = await openStore(config, { names: { schema: of, prefix } });
      const steps = [...jobsMigrations(jobs), ...failedJobsMigrations(failed)];
      await store.migrate(steps);
      await store.planRollback(steps);
      const usual = schema();
      await (await openStore(config, { names: { schema: usual } })).migrate(allSteps);
      const indexes = async (where: string): Promise<readonly string[]> =>
        admin('pg_indexes').where({ schemaname: where }).pluck<string[]>('indexname');
      const [long, short] = [await indexes(of), await indexes(usual)];
      expect(long).toHaveLength(short.length);
      const asUsual = long.map((name) => name.replace(prefix, 'redrive_').replace(jobs, 'redrive_jobs').replace(failed, 'cbq_failed_jobs'));
      expect(asUsual.toSorted()).toEqual(short.toSorted());
    });

    it('upgrade a table that cbq made, rows kept, and give it back', async () => {
      const of = schema();
      await admin.raw('CREATE SCHEMA ??', [of]);
      await admin.schema.withSchema(of).createTable('cbq_failed_jobs', (table) => {
        table.bigIncrements('id');
        for (const name of ['connection', 'queue', 'mapping']) table.string(name).notNullable();
        for (const name of ['memento', 'properties', 'exceptionMessage', 'exceptionStackTrace', 'exception'])
          table.text(name).notNullable();
        for (const name of ['exceptionType', 'exceptionDetail', 'exceptionExtendedInfo']) table.text(name);
        table.timestamp('failedDate').notNullable();
        table.string('originalId');
      });
      const row = {
        connection: 'c',
        queue: 'q',
        mapping: 'm',
        memento: '{}',
        properties: '{}',
        exceptionMessage: 'x',
        exceptionStackTrace: '',
        exception: '{}',
      };
      await admin
        .withSchema(of)
        .from('cbq_failed_jobs')
        .insert({ ...row, failedDate: '2020-01-01T00:00:00Z' });
      const store = await openStore(config, { names: { schema: of } });
      await store.migrate(allSteps);
      expect(await admin.withSchema(of).from('cbq_failed_jobs')).toMatchObject([row]);
      await store.rollback(allSteps);
      expect(await tablesOf(of)).toEqual(['cbq_failed_jobs']);
      expect(Object.keys(await columns(of, 'cbq_failed_jobs'))).toHaveLength(14);
      expect(await admin.withSchema(of).from('cbq_failed_jobs')).toMatchObject([row]);
    });
  });
});
