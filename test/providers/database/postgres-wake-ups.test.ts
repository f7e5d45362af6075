import { describe, expect, it, vi } from 'vitest';
import { openStore } from '../../support/stores.ts';
import { withServer } from '../../support/servers.ts';

await withServer('postgres', ({ config, knex: admin }) => {
  /** What a listener has heard; resolves once it listens. */
  async function listening(names = {}): Promise<{ heard: (string | undefined)[]; stop: () => void }> {
    const store = await openStore(config, { names });
    const heard: (string | undefined)[] = [];
    const stop = store.onForeignWrite((queue) => void heard.push(queue));
    // That it listens is news as well: something may have been said before.
    await vi.waitFor(() => expect(heard).toEqual([undefined]));
    heard.length = 0;
    return { heard, stop };
  }

  const listeners = async (): Promise<number[]> =>
    admin('pg_stat_activity').whereILike('query', 'LISTEN%').where({ datname: config.connection['database'] }).pluck('pid');

  describe('wake-ups on PostgreSQL', () => {
    it('tell other processes of a queue, once for many calls at once, and not the one that tells', async () => {
      const { heard } = await listening();
      const teller = await openStore(config);
      const own: unknown[] = [];
      teller.onForeignWrite((queue) => void own.push(queue));
      await vi.waitFor(() => expect(own).toEqual([undefined]));
      for (let job = 0; job < 1_000; job++) teller.tellOthers('mail');
      teller.tellOthers('what\'s up, "doc"?');
      teller.tellOthers();
      await vi.waitFor(() => expect(heard).toHaveLength(4));
      expect(heard).toEqual(['mail', 'mail', 'what\'s up, "doc"?', undefined]);
      expect(own).toEqual([undefined]);
    });

    it('reach those of the same tables only', async () => {
      const { heard } = await listening();
      const { heard: others } = await listening({ prefix: 'other_' });
      const teller = await openStore(config, { names: { prefix: 'other_' } });
      teller.tellOthers('mail');
      await vi.waitFor(() => expect(others).toEqual(['mail']));
      expect(heard).toEqual([]);
    });

    it('come again after the connection was killed, on a new one, and the time between is made up for', async () => {
      const { heard } = await listening();
      const [pid = 0] = await listeners();
      await admin.raw('SELECT pg_terminate_backend(?)', [pid]);
      await vi.waitFor(() => expect(heard).toEqual([undefined]), { timeout: 5_000 });
      const teller = await openStore(config);
      teller.tellOthers('mail');
      await vi.waitFor(() => expect(heard).toEqual([undefined, 'mail']));
    });

    it('take a connection while somebody listens, and none after that', async () => {
      expect(await listeners()).toEqual([]);
      const { stop } = await listening();
      expect(await listeners()).toHaveLength(1);
      stop();
      await vi.waitFor(async () => expect(await listeners()).toEqual([]));
    });
  });
});
