import { expect, it } from 'vitest';
import { expectNothingUnderWay, makeScene, stopBetweenTransactions, stopped } from '../crash/scene.ts';
import { onEachEngineBySize } from '../support/engines.ts';

await onEachEngineBySize(({ makeGround }) => {
  it(
    'F28: a worker process that is stopped for longer than its lease, and goes on, changes no row of what others did meanwhile, and works on',
    { timeout: 60_000 },
    async () => {
      const { ground, dispatch, worker, tables, journal } = await makeScene(await makeGround());
      const id = await dispatch({ act: 'succeed', busy: 300 }, { maxAttempts: 3 });
      const first = worker();
      await first.says('the job has started', ({ said }) => said === 'started');
      await stopBetweenTransactions(first, ground);
      const second = worker();
      await second.says('the job is complete', ({ said }) => said === 'complete');
      await stopped(second);
      const before = await tables();
      expect(before.jobs).toMatchObject([{ uuid: id, status: 'completed', attempt: 2 }]);
      expect(before.attempts).toMatchObject([{ job_id: id, attempt: 1, kind: 'lost', pid: first.pid }]);

      first.signal('SIGCONT');
      await first.says('it has lost its lease', ({ said }) => said === 'lease lost');
      // It goes on with a new session.
      expect({ ...(await tables()), liveSessions: 0 }).toEqual({ ...before, liveSessions: 0 });

      const next = await dispatch({ act: 'succeed' });
      await first.says('the next one is complete', (message) => message.said === 'complete' && message.id === next);
      await stopped(first);
      expect(first.messages.filter(({ said }) => said === 'complete')).toEqual([{ said: 'complete', id: next }]);
      expect(journal().map(({ pid, attempt }) => [pid, attempt])).toEqual([
        [first.pid, 1],
        [second.pid, 2],
        [first.pid, 1],
      ]);
      const after = await tables();
      expect(after.jobs[0]).toEqual(before.jobs[0]);
      expect(after.attempts).toEqual(before.attempts);
      expect(after.failed).toEqual([]);
      expectNothingUnderWay(after);
    },
  );
});
