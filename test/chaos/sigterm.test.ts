import { expect, it } from 'vitest';
import { expectNothingUnderWay, makeScene, stopped } from '../crash/scene.ts';
import { onEachEngineBySize } from '../support/engines.ts';

await onEachEngineBySize(({ makeGround }) => {
  it(
    'F30: at SIGTERM what never started goes back at once, what runs may finish, what is not done in time is aborted and goes back uncounted',
    { timeout: 60_000 },
    async () => {
      const { dispatch, worker, tables, journal } = await makeScene(await makeGround());
      const finishing = await dispatch({ act: 'succeed', busy: 600 }, { maxAttempts: 1 });
      const heeding = await dispatch({ act: 'heed' }, { maxAttempts: 1 });
      const waiting = [await dispatch({ act: 'succeed' }), await dispatch({ act: 'succeed' }), await dispatch({ act: 'succeed' })];
      const only = worker({ quantity: 2, prefetch: 10, shutdownTimeout: '2s' });
      for (const id of [finishing, heeding])
        await only.says(`${id} has started`, (message) => message.said === 'started' && message.id === id);
      only.signal('SIGTERM');
      const statuses = async (): Promise<readonly string[]> => (await tables()).jobs.map(({ status }) => status);
      const atOnce = ['reserved', 'reserved', 'ready', 'ready', 'ready'];
      while ((await statuses()).join() !== atOnce.join()) {
        // Once the first has ended, it is too late.
        expect((await statuses())[0]).toBe('reserved');
      }
      expect(await only.ended, only.printed).toEqual({ code: 0, signal: null });
      expect(journal().map(({ id }) => id)).toEqual([finishing, heeding]);
      const after = await tables();
      expect(after.jobs.map(({ uuid, status, attempt }) => [uuid, status, attempt])).toEqual([
        [finishing, 'completed', 1],
        [heeding, 'ready', 0],
        ...waiting.map((id) => [id, 'ready', 0]),
      ]);
      expect(after.attempts).toMatchObject([{ job_id: heeding, attempt: null, kind: 'released', rule: 'shutdown', pid: only.pid }]);
      expect(after.failed).toEqual([]);
      expectNothingUnderWay(after);
    },
  );

  it('a second SIGTERM ends the process at once: its job is one of a worker that died', { timeout: 60_000 }, async () => {
    const { dispatch, worker, tables } = await makeScene(await makeGround());
    const id = await dispatch({ act: 'wait', once: true }, { maxAttempts: 2 });
    const first = worker();
    await first.says('the job has started', ({ said }) => said === 'started');
    first.signal('SIGTERM');
    await first.says('it is stopping', ({ said }) => said === 'stopping');
    first.signal('SIGTERM');
    expect(await first.ended).toEqual({ code: null, signal: 'SIGTERM' });
    const second = worker();
    await second.says('the job is complete', ({ said }) => said === 'complete');
    await stopped(second);
    const after = await tables();
    expect(after.jobs).toMatchObject([{ uuid: id, status: 'completed', attempt: 2 }]);
    expect(after.attempts).toMatchObject([{ job_id: id, attempt: 1, kind: 'lost', pid: first.pid }]);
    expectNothingUnderWay(after);
  });
});
