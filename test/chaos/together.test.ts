import { expect, it } from 'vitest';
import { expectNothingUnderWay, makeScene, stopped } from '../crash/scene.ts';
import { onEachEngineBySize } from '../support/engines.ts';
import { bySize } from '../support/size.ts';

const processes = 4;
const jobs = bySize(400, 2_000, 20_000);

await onEachEngineBySize(({ makeGround }) => {
  it(
    `F33: ${processes} processes that start at once, without tables, run each of ${jobs} jobs exactly once`,
    { timeout: bySize(60_000, 120_000, 600_000) },
    async () => {
      const scene = await makeScene(await makeGround(), { migrated: false });
      const workers = Array.from({ length: processes }, () => scene.worker({ quantity: 10, lease: '60s', isQuiet: true }));
      for (const worker of workers) await worker.says('it is ready', ({ said }) => said === 'ready');
      const ids = await scene.dispatchMany(Array.from({ length: jobs }, () => ({ act: { act: 'succeed' } as const })));
      while ((await scene.left()) > 0)
        await Promise.race([...workers.map((worker) => worker.ended), new Promise((resolve) => setTimeout(resolve, 50))]);
      await Promise.all(workers.map(stopped));
      const started = scene.journal();
      expect(started.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
      expect(new Set(started.map(({ pid }) => pid)).size).toBe(processes);
      const tables = await scene.tables();
      expect(tables.jobs).toHaveLength(jobs);
      expect(tables.jobs.filter(({ status, attempt }) => status !== 'completed' || attempt !== 1)).toEqual([]);
      expect(tables.attempts).toEqual([]);
      expectNothingUnderWay(tables);
    },
  );
});
