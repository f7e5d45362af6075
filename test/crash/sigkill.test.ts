import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { onEachEngineBySize } from '../support/engines.ts';
import { size, skipIfSmall } from '../support/size.ts';
import { expectNothingUnderWay, makeScene, stopped, type Worker } from './scene.ts';

await onEachEngineBySize(({ name, makeGround }) =>
  describe('a worker process that is killed', () => {
    it('F25: loses its job after the lease to a second process, which counts and records the attempt as lost and then runs the next', async () => {
      const { dispatch, worker, tables } = await makeScene(await makeGround());
      const id = await dispatch({ act: 'wait', once: true }, { maxAttempts: 2 });
      const first = worker();
      await first.says('the job has started', ({ said }) => said === 'started');
      expect(await first.kill()).toEqual({ code: null, signal: 'SIGKILL' });
      const second = worker();
      expect(await second.says('the job has started', ({ said }) => said === 'started')).toMatchObject({ id, run: 1, attempt: 2 });
      await second.says('the job is complete', ({ said }) => said === 'complete');
      await stopped(second);
      const after = await tables();
      expect(after.attempts).toMatchObject([
        { job_id: id, run: 1, attempt: 1, kind: 'lost', rule: 'attempts-left', host: hostname(), pid: first.pid },
      ]);
      expect(after.jobs).toMatchObject([{ uuid: id, status: 'completed', attempt: 2 }]);
      expect(after.failed).toEqual([]);
      expectNothingUnderWay(after);
    });

    // The rest is every engine's alike, and takes its time.
    if (size === 'small') {
      it('and more', ({ skip }) => skipIfSmall(skip));
      return;
    }
    if (name !== 'SQLite' && size !== 'full') return;

    it('F26: is killed again by the same job until maxAttempts, and then the job is one failed job of kind lost, told by the worker that rescued it (F21)', async () => {
      const { dispatch, worker, tables, journal } = await makeScene(await makeGround());
      const id = await dispatch({ act: 'die' }, { maxAttempts: 3 });
      const dead: Worker[] = [];
      let alive = worker();
      for (; (await endOrFailure(alive)) === 'ended'; alive = worker()) dead.push(alive);
      const failed = alive.messages.find(({ said }) => said === 'failed');
      await stopped(alive);
      expect(journal()).toEqual([1, 2, 3].map((attempt) => ({ id, run: 1, attempt, pid: dead[attempt - 1]?.pid })));
      expect(dead).toHaveLength(3);
      const after = await tables();
      expect(after.jobs).toMatchObject([{ uuid: id, status: 'failed', attempt: 3 }]);
      expect(after.failed).toMatchObject([{ job_id: id, status: 'failed', kind: 'lost', run: 1, attempts: 3, worker_pid: dead[2]?.pid }]);
      expect(after.attempts.map(({ attempt, kind, rule, pid }) => ({ attempt, kind, rule, pid }))).toEqual([
        { attempt: 1, kind: 'lost', rule: 'attempts-left', pid: dead[0]?.pid },
        { attempt: 2, kind: 'lost', rule: 'attempts-left', pid: dead[1]?.pid },
        { attempt: 3, kind: 'lost', rule: 'max-attempts', pid: dead[2]?.pid },
      ]);
      expect(failed).toEqual({
        said: 'failed',
        id,
        kind: 'lost',
        redelivered: false,
        failedJobId: after.failed[0]?.id,
        eventId: after.failed[0]?.event_id,
      });
      expectNothingUnderWay(after);
    });

    it('F25: gives prefetched jobs that it never started back uncounted, so that a single attempt is left to each of them', async () => {
      const { dispatch, worker, tables, journal } = await makeScene(await makeGround());
      const running = await dispatch({ act: 'wait' }, { maxAttempts: 1 });
      const waiting = [
        await dispatch({ act: 'succeed' }, { maxAttempts: 1 }),
        await dispatch({ act: 'succeed' }, { maxAttempts: 1 }),
        await dispatch({ act: 'succeed' }, { maxAttempts: 1 }),
      ];
      const first = worker({ prefetch: 10 });
      await first.says('the job has started', ({ said }) => said === 'started');
      expect((await tables()).jobs.map(({ status }) => status)).toEqual(['reserved', 'reserved', 'reserved', 'reserved']);
      await first.kill();
      const second = worker();
      for (const id of waiting) await second.says(`${id} is complete`, (message) => message.said === 'complete' && message.id === id);
      await second.says('the lost one has failed', ({ said }) => said === 'failed');
      await stopped(second);
      expect(journal()).toEqual([
        { id: running, run: 1, attempt: 1, pid: first.pid },
        ...waiting.map((id) => ({ id, run: 1, attempt: 1, pid: second.pid })),
      ]);
      const after = await tables();
      expect(after.jobs.map(({ uuid, status, attempt }) => [uuid, status, attempt])).toEqual([
        [running, 'failed', 1],
        ...waiting.map((id) => [id, 'completed', 1]),
      ]);
      expect(after.attempts).toMatchObject([{ job_id: running, attempt: 1, kind: 'lost', rule: 'max-attempts', pid: first.pid }]);
      expect(after.failed).toMatchObject([{ job_id: running, kind: 'lost', attempts: 1 }]);
      expectNothingUnderWay(after);
    });

    it.each(['onJobException', 'onJobFailed'] as const)(
      'F24: dies at %s, after it recorded a failure, and another worker tells of it, with the same event id',
      async (stuckAt) => {
        const { dispatch, worker, tables } = await makeScene(await makeGround());
        const id = await dispatch({ act: 'throw' });
        const first = worker({ stuckAt });
        await first.says('it is telling', ({ said }) => said === 'stuck');
        const recorded = await tables();
        expect(recorded.jobs).toMatchObject([{ uuid: id, status: 'failed', attempt: 1 }]);
        expect(recorded.announcements).toMatchObject([{ kind: 'failed', job_id: id }]);
        await first.kill();
        const second = worker();
        const told = await second.says('the job has failed', ({ said }) => said === 'failed');
        await stopped(second);
        const after = await tables();
        expect(told).toEqual({
          said: 'failed',
          id,
          kind: 'exception',
          redelivered: true,
          failedJobId: after.failed[0]?.id,
          eventId: recorded.announcements[0]?.event_id,
        });
        expect(second.messages.filter(({ said }) => said === 'failed')).toHaveLength(1);
        expect(after.failed).toEqual(recorded.failed);
        expect(after.attempts).toMatchObject([{ job_id: id, attempt: 1, kind: 'exception', pid: first.pid }]);
        expectNothingUnderWay(after);
      },
    );
  }),
);

/** Whether a worker dies or tells of a failed job, whichever comes first. */
async function endOrFailure(worker: Worker): Promise<'ended' | 'failed'> {
  while (worker.isAlive && !worker.messages.some(({ said }) => said === 'failed')) await worker.news();
  return worker.isAlive ? 'failed' : 'ended';
}
