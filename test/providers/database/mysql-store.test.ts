import { describe, expect, it } from 'vitest';
import { openQueues } from '../../../providers/database/scripts/reserve.ts';
import { tablesOf } from '../../../providers/database/tables.ts';
import { all, change, type Script } from '../../../src/store/script.ts';
import { allSteps, openStore } from '../../support/stores.ts';
import { withServer } from '../../support/servers.ts';

await withServer('mysql', ({ config, knex: admin }) => {
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
