import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { defineJob } from '../../src/index.ts';
import { Child } from '../support/child.ts';
import { databaseRedrive } from '../support/database-redrive.ts';
import { onEachEngineBySize } from '../support/engines.ts';
import { size } from '../support/size.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { OperatorOrders, OperatorSaid, Order, Pruned } from './operator.ts';

const full = size === 'full';
const amount = full ? 100_000 : 1_000;
const chunks = amount / 200;
/** What a job may have to wait for while others remove, with all that goes on in a small machine. */
const longestWaitMs = 1_500;

await onEachEngineBySize(({ name, makeGround }) => {
  // The one that has a single writer is the one to watch every day.
  it.skipIf(!full && name !== 'SQLite')(
    `F48: while another process prunes ${amount} failed jobs the queue goes on: jobs are dispatched and run between its chunks${full || name === 'SQLite' ? '' : ' (skipped: in the full size only)'}`,
    { timeout: full ? 1_200_000 : 180_000 },
    async () => {
      const { properties, rows } = await makeGround();
      const ended = new Map<string, () => void>();
      const fails = defineJob({
        name: 'fails',
        handle: () => {
          throw new Error('no');
        },
      });
      const quick = defineJob({ name: 'quick', handle: () => 'done' });
      const redrive = await databaseRedrive(properties, {
        jobs: [fails, quick],
        config: { workerPools: { pool: { connection: 'main', queues: ['quick', 'default'], quantity: 50 } } },
      });
      redrive.on('onJobComplete', ({ job }) => ended.get(job.id)?.());
      await redrive.start();
      for (let from = 0; from < amount; from += 1_000) await redrive.dispatchMany(Array.from({ length: 1_000 }, () => ({ job: fails })));
      const failed = (): Promise<number> => redrive.failedJobs.count({ queue: 'default' });
      await vi.waitFor(async () => expect(await failed()).toBe(amount), { timeout: 900_000, interval: 50 });

      const operator = new Child<OperatorSaid>(new URL('operator.ts', import.meta.url), {
        properties,
        journal: join(temporaryFolder(), 'journal'),
      } satisfies OperatorOrders);
      await operator.says('it is ready', ({ said }) => said === 'ready');
      operator.send({ round: 1, acts: [{ act: 'prune', queue: 'default', afterMs: 0 }] } satisfies Order);
      const isDone = ({ said }: OperatorSaid): boolean => said === 'done';
      const waits: number[] = [];
      const startedAt = performance.now();
      while (!operator.messages.some(isDone)) {
        const at = performance.now();
        const id = await redrive.dispatch(quick, {}, { queue: 'quick' });
        await new Promise<void>((resolve) => void ended.set(id, resolve));
        waits.push(performance.now() - at);
      }
      const tookMs = performance.now() - startedAt;
      const answer = await operator.says('it has pruned', isDone);
      const [{ removed, steps }] = (answer.said === 'done' ? answer.told : []) as readonly [Pruned];
      expect(removed).toBe(amount);
      expect(steps).toEqual(Array.from({ length: chunks }, (_, n) => (n + 1) * 200));
      expect(await failed()).toBe(0);
      for (const table of ['redrive_attempts', 'redrive_stacks', 'cbq_failed_jobs'])
        expect(await rows(`SELECT count(*) AS n FROM ${table}`), table).toEqual([{ n: 0 }]);
      const longest = Math.max(...waits);
      console.log(
        `${name}: ${amount} pruned in ${(tookMs / 1_000).toFixed(1)} s, in which ${waits.length} jobs were dispatched and run, the slowest in ${longest.toFixed(0)} ms`,
      );
      expect(waits.length).toBeGreaterThan(chunks);
      expect(longest).toBeLessThan(longestWaitMs);
    },
  );
});
