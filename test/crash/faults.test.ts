import { describe, expect, it } from 'vitest';
import { onEachEngineBySize, type EngineUnderTest } from '../support/engines.ts';
import type { Fault } from '../support/faulty-provider.ts';
import { bySize, size } from '../support/size.ts';
import { expectToldRight, inScene, isOver, leftBy, toTheEnd, type Scene } from './fault-scene.ts';
import { dieRunning, transactions, workOnce, type Transaction } from './fault-transactions.ts';

/**
 * Runs the transaction again and again, each time with a fault at the next statement; then at its commit, and after it.
 * Returns how many statements it has; where every day's size passes over some of them, how many it has at most.
 */
async function atEachInstant(
  engine: EngineUnderTest,
  transaction: Transaction,
  dies: boolean,
  check: (scene: Scene, fault: Fault) => Promise<void>,
): Promise<number> {
  const stride = strideOf(engine);
  const runWith = async (fault: Fault): Promise<boolean> => {
    let fired = false;
    await inScene(engine, transaction.scene, async (scene) => {
      const { world, faults, faulty } = scene;
      await transaction.act(scene);
      faults.arm(fault);
      await faulty.redrive.start();
      for (let passed = 0; passed < 30 && !faults.fired && !isOver(await scene.tables()); passed += 1) {
        await faulty.clock.advance(1);
        await world.rest();
      }
      fired = faults.fired;
      if (!fired) return;
      if (dies) await world.redrive.start();
      await toTheEnd(scene, dies);
      await check(scene, fault);
    });
    return fired;
  };
  let statements = 0;
  while (await runWith({ call: transaction.call, at: statements + 1, dies })) statements += stride;
  expect(await runWith({ call: transaction.call, at: 'commit', dies })).toBe(true);
  expect(await runWith({ call: transaction.call, at: 'reply', dies })).toBe(true);
  return statements;
}

/** Every statement is tried in the full size; else some of them, since the script is the same on every engine. */
function strideOf({ name }: EngineUnderTest): number {
  return name === 'SQLite' ? bySize(9, 2, 1) : bySize(12, 6, 1);
}

await onEachEngineBySize((engine) => {
  const chosen = transactions.filter(({ isVital }) => size === 'full' || engine.name === 'SQLite' || isVital);

  describe('a fault of the database at any instant of a transaction', () => {
    describe.each(chosen.map((transaction) => [transaction.name, transaction] as const))('%s', (_name, transaction) => {
      const { unharmed, diedBefore = unharmed, diedAfter = unharmed } = transaction;

      it('changes nothing where the process goes on', { timeout: 180_000 }, async () => {
        const statements = await atEachInstant(engine, transaction, false, async (scene, fault) => {
          expect(await leftBy(scene), `fault at ${fault.at}`).toEqual(unharmed);
          await expectToldRight(scene);
        });
        expect(statements).toBeGreaterThanOrEqual(transaction.statements);
      });

      it('leaves one end and one record where the process dies of it', { timeout: 180_000 }, async () => {
        await atEachInstant(engine, transaction, true, async (scene, fault) => {
          expect(await leftBy(scene), `fault at ${fault.at}`).toEqual(fault.at === 'reply' ? diedAfter : diedBefore);
          await expectToldRight(scene);
        });
      });
    });

    it(
      'F41: leaves a job that was to be retried in exactly one place, from where a second retry or the first goes on',
      { timeout: 180_000 },
      async () => {
        const runWith = async (at: Fault['at']): Promise<boolean> => {
          let fired = false;
          await inScene(engine, { play: { '1.1': 'throw' } }, async (scene) => {
            const { world, faults, faulty } = scene;
            const id = await scene.dispatch();
            await workOnce(scene);
            faults.arm({ call: 'requeue', at, dies: false });
            const first = await faulty.redrive.failedJobs.retry(id).catch((error: unknown) => error);
            fired = faults.fired;
            if (!fired) return;
            expect(first).toMatchObject({ name: 'RedriveError', code: 'STORE_BROKEN' });
            const moved = at === 'reply';
            expect(await leftBy(scene)).toMatchObject(
              moved ? { jobs: ['ready 2.0'], failed: ['retrying 2 exception'] } : { jobs: ['failed 1.1'], failed: ['failed 1 exception'] },
            );
            const second = await world.redrive.failedJobs.retry(id);
            expect(second.outcomes.map(({ status }) => status)).toEqual([moved ? 'not_failed' : 'requeued']);
            await world.redrive.start();
            await toTheEnd(scene, true);
            expect(await leftBy(scene)).toEqual({
              jobs: ['completed 2.1'],
              attempts: ['1.1 exception'],
              failed: ['resolved 2 exception'],
              executions: ['1.1', '2.1'],
            });
          });
          return fired;
        };
        let statements = 0;
        while (await runWith(statements + 1)) statements += strideOf(engine);
        expect(statements).toBeGreaterThanOrEqual(3);
        for (const at of ['commit', 'reply'] as const) expect(await runWith(at)).toBe(true);
      },
    );

    it('is passed over where the database is busy at any statement: the transaction runs again whole', { timeout: 180_000 }, async () => {
      for (let at = 1; at <= 8; at += strideOf(engine)) {
        await inScene(engine, { play: { '1.1': 'throw' } }, async (scene) => {
          await scene.dispatch();
          scene.faults.arm({ call: 'settle', at, dies: false, kind: 'busy' });
          await scene.faulty.redrive.start();
          await scene.world.until('the failure to be told', async () => isOver(await scene.tables()));
          expect(scene.faults.fired).toBe(true);
          expect(await leftBy(scene)).toEqual({
            jobs: ['failed 1.1'],
            attempts: ['1.1 exception'],
            failed: ['failed 1 exception'],
            executions: ['1.1'],
          });
          expect(scene.world.logger.says('trying again')).toBe(false);
        });
      }
    });

    it(
      'leaves prefetched jobs in their order and runs each once where their start cannot be written, or its reply is lost',
      { timeout: 180_000 },
      async () => {
        for (const at of [1, 'commit', 'reply'] as const) {
          await inScene(engine, { prefetch: 3 }, async (scene) => {
            for (let n = 0; n < 3; n += 1) await scene.dispatch();
            scene.faults.arm({ call: 'start', at, dies: false });
            await scene.faulty.redrive.start();
            await toTheEnd(scene, false);
            expect(scene.faults.fired).toBe(true);
            expect(await leftBy(scene)).toEqual({
              jobs: ['completed 1.1', 'completed 1.1', 'completed 1.1'],
              attempts: [],
              failed: [],
              executions: ['1.1', '1.1', '1.1'],
            });
          });
        }
      },
    );

    it('F27: costs a running job nothing where the lease cannot be renewed once, or the reply is lost', { timeout: 180_000 }, async () => {
      for (const at of [1, 2, 'commit', 'reply'] as const) {
        await inScene(engine, { play: { '1.1': 'wait' } }, async (scene) => {
          const { world, faulty } = scene;
          await scene.dispatch();
          scene.faults.arm({ call: 'renew', at, dies: false });
          await faulty.redrive.start();
          await world.redrive.start();
          for (let passed = 0; passed < 10; passed += 1) {
            await faulty.clock.advance(1);
            await world.clock.advance(1);
            await world.rest();
          }
          expect(scene.faults.fired).toBe(true);
          expect(scene.executions).toEqual(['1.1']);
          scene.release();
          await toTheEnd(scene, false);
          expect(await leftBy(scene)).toEqual({ jobs: ['completed 1.1'], attempts: [], failed: [], executions: ['1.1'] });
        });
      }
    });

    it('F27: does not give back what was reserved while a renewal waited for the database', async () => {
      await inScene(engine, { play: { '1.1': 'wait' } }, async (scene) => {
        const { world, faults, faulty } = scene;
        await faulty.redrive.start();
        const release = faults.hold('renew');
        // The renewal sets out with what the pool holds now, which is nothing.
        await faulty.clock.advance(1);
        await faulty.redrive.dispatch('played');
        await world.rest();
        release();
        for (let passed = 0; passed < 10; passed += 1) await faulty.clock.advance(1);
        expect(scene.executions).toEqual(['1.1']);
        scene.release();
        await toTheEnd(scene, false);
        expect(await leftBy(scene)).toEqual({ jobs: ['completed 1.1'], attempts: [], failed: [], executions: ['1.1'] });
      });
    });

    it.each([1, 2, 'commit', 'reply'] as const)(
      'F24: does not keep an untold failure from being told (fault at %s of taking it over)',
      async (at) => {
        await inScene(engine, { play: { '1.1': 'throw' } }, async (scene) => {
          const { world, faults, faulty } = scene;
          await scene.dispatch();
          const dead = await world.stoppable({ config: { interceptors: [{ onJobException: () => new Promise(() => {}) }] } });
          await dead.redrive.start();
          await world.failedJob();
          faults.arm({ call: 'adopt', at, dies: false });
          await faulty.redrive.start();
          await toTheEnd(scene, false);
          expect(faults.fired).toBe(true);
          expect(world.at('onJobFailed').map(({ redelivered }) => redelivered)).toEqual([true]);
          expect((await scene.tables()).announcements).toEqual([]);
        });
      },
    );

    it.each([
      ['has attempts left', 2],
      ['was in its last attempt', 1],
    ])('F20, F24, F29: of several processes that rescue a job which %s, one tells of it', async (_which, maxAttempts) => {
      await inScene(engine, { play: { '1.1': 'wait' }, maxAttempts }, async (scene) => {
        const { world } = scene;
        await scene.dispatch();
        await dieRunning(scene);
        const rescuers = [await world.stoppable(), await world.stoppable(), await world.stoppable()];
        for (const { redrive } of rescuers) await redrive.start();
        // Each by its own clock, all at once: they read the same lost job before any of them settles it.
        await Promise.all(rescuers.map(({ clock }) => clock.advance('6s')));
        await world.until('the end', async () => isOver(await scene.tables()));
        expect((await leftBy(scene)).attempts).toEqual(['1.1 lost']);
        expect(world.at('onJobException').map(({ kind }) => kind)).toEqual(['lost']);
        expect(world.at('onJobFailed')).toHaveLength(maxAttempts === 1 ? 1 : 0);
        await expectToldRight(scene);
      });
    });
  });
});
