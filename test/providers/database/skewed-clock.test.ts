import { describe, expect, it, vi } from 'vitest';
import { Child } from '../../support/child.ts';
import { databaseRedrive } from '../../support/database-redrive.ts';
import { withServer } from '../../support/servers.ts';
import type { SkewedOrders, SkewedSaid } from './skewed-worker.ts';

const hours = 3_600_000;

await withServer('postgres', ({ config, knex: admin }) => {
  const properties = { ...config, autoMigrate: true, lease: '2s', pollInterval: '100ms' };

  async function worker(skewMs: number): Promise<Child<SkewedSaid>> {
    const child = new Child<SkewedSaid>(new URL('skewed-worker.ts', import.meta.url), { skewMs, properties } satisfies SkewedOrders);
    await child.says('it works', ({ said }) => said === 'working');
    return child;
  }

  const runs = (children: readonly Child<SkewedSaid>[], job: string): readonly number[] =>
    children.flatMap(({ messages }) =>
      messages.flatMap((message) => (message.said === 'ran' && message.job === job ? [message.attempt] : [])),
    );

  describe('workers whose hosts are hours apart, on one database', () => {
    it('agree on delays, backoff and leases: these are told by the clock of the database', { timeout: 90_000 }, async () => {
      const redrive = await databaseRedrive(properties, { config: { workerPools: {} } });
      await redrive.migrate();
      const ahead = await worker(5 * hours);
      const endless = await redrive.dispatch('endless', {});
      await ahead.says('it runs', (message) => message.said === 'ran' && message.job === 'endless');
      const behind = await worker(-5 * hours);
      const both = [ahead, behind];

      const dispatched = performance.now();
      const delayed = await redrive.dispatch('quick', {}, { delay: '2s' });
      await redrive.dispatch('twice', {});
      await vi.waitFor(() => expect(runs(both, 'quick')).toEqual([1]), { timeout: 20_000 });
      expect(performance.now() - dispatched).toBeGreaterThan(1_900);
      await vi.waitFor(() => expect(runs(both, 'twice')).toEqual([1, 2]), { timeout: 20_000 });
      await vi.waitFor(async () => expect(await redrive.status(delayed)).toMatchObject({ status: 'successful' }), { timeout: 10_000 });

      // Several leases long, in a living process: nobody else took it.
      const { rows } = await admin.raw<{ rows: { since: string }[] }>(
        'SELECT extract(epoch FROM clock_timestamp()) * 1000 - reserved_at AS since FROM redrive_jobs WHERE uuid = ?',
        [endless],
      );
      const since = Number(rows[0]?.since);
      expect(since).toBeGreaterThan(0);
      expect(since).toBeLessThan(hours);
      await vi.waitFor(
        async () => {
          const renewed = await admin('redrive_sessions')
            .whereNull('dead_at')
            .select<{ created_at: string; renewed_at: string }[]>('created_at', 'renewed_at');
          expect(renewed).toHaveLength(2);
          for (const { created_at: from, renewed_at: to } of renewed) expect(Number(to) - Number(from)).toBeGreaterThan(4_000);
        },
        { timeout: 20_000 },
      );
      expect(runs(both, 'endless')).toEqual([1]);

      // And once its process is dead, its lease ends for the other one as well.
      await ahead.kill();
      await vi.waitFor(() => expect(runs(both, 'endless')).toEqual([1, 2]), { timeout: 20_000 });
    });
  });
});
