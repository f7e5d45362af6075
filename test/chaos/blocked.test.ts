import { expect, it } from 'vitest';
import { expectNothingUnderWay, makeScene, stopped } from '../crash/scene.ts';
import type { Said } from '../crash/worker.ts';
import { onEachEngineBySize } from '../support/engines.ts';
import { untilOver } from './tally.ts';

await onEachEngineBySize(({ name, makeGround }) => {
  it(
    'F27: no job of a worker is run a second time while one of them blocks its event loop for longer than the lease',
    { timeout: 120_000 },
    async () => {
      const scene = await makeScene(await makeGround());
      const { dispatchMany, worker, tables, journal } = scene;
      // Long enough for the heartbeat's thread to be compiled from its sources on a machine that is busy with other tests.
      const orders = { quantity: 4, prefetch: 2, lease: '8s' };
      const workers = [worker(orders), worker(orders)];
      for (const one of workers) await one.says('it is ready', ({ said }) => said === 'ready');
      const brief = Array.from({ length: 20 }, (_, n) => ({ act: { act: 'succeed', busy: n * 5 } as const, options: { maxAttempts: 3 } }));
      const blocking = { act: { act: 'block', busy: 17_000 } as const, options: { maxAttempts: 3 } };
      // In the midst of others, so that it blocks while their transactions are under way.
      const ids = await dispatchMany([...brief.slice(0, 10), blocking, ...brief.slice(10)]);
      await untilOver(scene, 60_000, name);
      await Promise.all(workers.map(stopped));
      expect(
        journal()
          .map(({ id, attempt }) => `${id} ${attempt}`)
          .toSorted(),
      ).toEqual(ids.map((id) => `${id} 1`).toSorted());
      const after = await tables();
      expect(after.attempts).toEqual([]);
      expect(after.jobs.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
      expectNothingUnderWay(after);
    },
  );

  it(
    'F27, F28: a job that blocks the event loop past its timeout and a lease runs elsewhere, and what it has to say then changes nothing',
    { timeout: 60_000 },
    async () => {
      const { dispatch, worker, tables, journal } = await makeScene(await makeGround());
      const workers = [worker(), worker()] as const;
      for (const one of workers) await one.says('it is ready', ({ said }) => said === 'ready');
      const id = await dispatch({ act: 'block', busy: 6_000, once: true }, { maxAttempts: 3, timeout: '500ms' });
      const started = ({ said }: Said): boolean => said === 'started';
      await Promise.race(workers.map((one) => one.says('the job has started', started)));
      const isFirst = workers[0].messages.some(started);
      const [first, second] = isFirst ? workers : [workers[1], workers[0]];
      await second.says('the job is complete', ({ said }) => said === 'complete');
      const before = await tables();
      expect(before.jobs).toMatchObject([{ uuid: id, status: 'completed', attempt: 2 }]);
      expect(before.attempts).toMatchObject([{ job_id: id, attempt: 1, kind: 'lost', pid: first.pid }]);
      await first.says('it has lost its lease', ({ said }) => said === 'lease lost');
      await Promise.all([stopped(first), stopped(second)]);
      expect(journal().map(({ pid, attempt }) => [pid, attempt])).toEqual([
        [first.pid, 1],
        [second.pid, 2],
      ]);
      const after = await tables();
      expect(after.jobs).toEqual(before.jobs);
      expect(after.attempts).toEqual(before.attempts);
      expectNothingUnderWay(after);
    },
  );
});
