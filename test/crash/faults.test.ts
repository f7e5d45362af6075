import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { defineJob, type Job, type Redrive } from '../../src/index.ts';
import { using, World, type WorldOptions } from '../../src/testing/conformance/world.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Faults, FaultyProvider, type Fault, type FaultyCall } from '../support/faulty-provider.ts';
import { readTables, type Tables } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** What a job does in each attempt of each run; it ends where nothing is said. */
type Play = Readonly<Record<`${number}.${number}`, 'throw' | 'wait'>>;

interface SceneOptions {
  readonly play?: Play;
  readonly maxAttempts?: number;
  readonly backoff?: number;
  readonly prefetch?: number;
  readonly pool?: WorldOptions['pool'];
}

interface Process {
  readonly redrive: Redrive;
  readonly clock: VirtualClock;
}

/** A world with one process whose database goes wrong. */
interface Scene {
  readonly world: World;
  readonly faults: Faults;
  readonly faulty: Process;
  readonly executions: readonly string[];
  /** Lets the attempts end that wait. */
  readonly release: () => void;
  readonly dispatch: () => Promise<string>;
  readonly tables: () => Tables;
}

async function inScene(
  { play = {}, maxAttempts = 1, backoff = 0, prefetch = 0, pool }: SceneOptions,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  const properties = {
    client: 'better-sqlite3',
    connection: { filename: join(temporaryFolder(), 'jobs.db') },
    lease: '3s',
    pollInterval: '3s',
    prefetch,
  };
  const executions: string[] = [];
  const waiting: (() => void)[] = [];
  const job = defineJob({
    name: 'played',
    maxAttempts,
    backoff,
    timeout: 0,
    handle: async ({ run, attempt }: Job) => {
      executions.push(`${run}.${attempt}`);
      const act = play[`${run}.${attempt}`];
      if (act === 'wait') await new Promise<void>((resolve) => waiting.push(resolve));
      if (act === 'throw') throw new Error(`${run}.${attempt}`);
    },
  });
  const subject = { connection: { provider: DatabaseProvider, properties }, dispose: async () => undefined };
  const world = await World.make(async () => subject, { jobs: [job], ...(pool === undefined ? {} : { pool }) });
  const faults = new Faults();
  const faulty = await world.stoppable({ config: { connections: { main: { provider: new FaultyProvider(faults), properties } } } });
  const release = (): void => waiting.splice(0).forEach((end) => end());
  await using(world, async () => {
    try {
      await test({
        world,
        faults,
        faulty,
        executions,
        release,
        dispatch: () => world.redrive.dispatch(job),
        tables: () => readTables(properties.connection.filename),
      });
    } finally {
      faults.revive();
      release();
    }
  });
}

/** What is left when all is over. */
interface Left {
  readonly jobs: readonly string[];
  readonly attempts: readonly string[];
  readonly failed: readonly string[];
  readonly executions: readonly string[];
}

function leftBy({ tables, executions }: Scene): Left {
  const { jobs, failed, attempts } = tables();
  return {
    jobs: jobs.map(({ status, run, attempt }) => `${status} ${run}.${attempt}`),
    attempts: attempts.map(({ run, attempt, kind }) => `${run}.${attempt} ${kind}`),
    failed: failed.map(({ status, run, kind }) => `${status} ${run} ${kind}`),
    executions,
  };
}

function isOver(tables: Tables): boolean {
  return tables.announcements.length === 0 && tables.jobs.every(({ status }) => status === 'completed' || status === 'failed');
}

/** Moves the clocks of those who live until everything has its end, and then on, to see that it stays. */
async function toTheEnd({ world, faulty, tables }: Scene, dies: boolean): Promise<void> {
  const living = dies ? [world.clock] : [world.clock, faulty.clock];
  const pass = async (seconds: number): Promise<void> => {
    for (const clock of living) await clock.advance(seconds);
    await world.rest();
  };
  for (let passed = 0; passed < 60 && !isOver(tables()); passed += 2) await pass(2);
  await pass(5);
}

/** One transaction, and what is to be left whenever something goes wrong in it. */
interface Transaction {
  readonly name: string;
  readonly call: FaultyCall;
  /** How many statements it has at least. */
  readonly statements: number;
  readonly scene: SceneOptions;
  /** Leads the faulty process to the transaction. */
  readonly act: (scene: Scene) => Promise<void>;
  /** Where the faulty process goes on. */
  readonly unharmed: Left;
  /** Where it dies before the commit; default: as if nothing had been. */
  readonly diedBefore?: Left;
  /** Where it dies after the commit; default: as if nothing had been. */
  readonly diedAfter?: Left;
}

const workOnce = async ({ world }: Scene): Promise<void> => void (await world.redrive.workOnce());

/** Another process begins to run the job and dies. */
async function dieRunning({ world }: Scene): Promise<void> {
  const dead = await world.stoppable();
  await dead.redrive.start();
  await world.until('the job to run', () => world.at('onJobMarshalled').length === 1);
}

const transactions: readonly Transaction[] = [
  {
    name: 'F32: the settlement of a terminal failure',
    call: 'settle',
    statements: 8,
    scene: { play: { '1.1': 'throw' } },
    act: async ({ dispatch }) => void (await dispatch()),
    unharmed: { jobs: ['failed 1.1'], attempts: ['1.1 exception'], failed: ['failed 1 exception'], executions: ['1.1'] },
    diedBefore: { jobs: ['failed 1.1'], attempts: ['1.1 lost'], failed: ['failed 1 lost'], executions: ['1.1'] },
  },
  {
    name: 'the settlement of an attempt that is retried at once',
    call: 'settle',
    statements: 5,
    scene: { play: { '1.1': 'throw', '1.2': 'throw' }, maxAttempts: 2 },
    act: async ({ dispatch }) => void (await dispatch()),
    unharmed: {
      jobs: ['failed 1.2'],
      attempts: ['1.1 exception', '1.2 exception'],
      failed: ['failed 1 exception'],
      executions: ['1.1', '1.2'],
    },
    diedBefore: {
      jobs: ['failed 1.2'],
      attempts: ['1.1 lost', '1.2 exception'],
      failed: ['failed 1 exception'],
      executions: ['1.1', '1.2'],
    },
  },
  {
    name: 'the settlement of an attempt that is retried later',
    call: 'settle',
    statements: 4,
    scene: { play: { '1.1': 'throw' }, maxAttempts: 2, backoff: 10 },
    act: async ({ dispatch }) => void (await dispatch()),
    unharmed: { jobs: ['completed 1.2'], attempts: ['1.1 exception'], failed: [], executions: ['1.1', '1.2'] },
    diedBefore: { jobs: ['completed 1.2'], attempts: ['1.1 lost'], failed: [], executions: ['1.1', '1.2'] },
  },
  {
    name: 'the settlement of a success',
    call: 'settle',
    statements: 2,
    scene: {},
    act: async ({ dispatch }) => void (await dispatch()),
    unharmed: { jobs: ['completed 1.1'], attempts: [], failed: [], executions: ['1.1'] },
    diedBefore: { jobs: ['failed 1.1'], attempts: ['1.1 lost'], failed: ['failed 1 lost'], executions: ['1.1'] },
  },
  {
    name: 'F38: the settlement of the success of a retried job',
    call: 'settle',
    statements: 3,
    scene: { play: { '1.1': 'throw' } },
    act: async (scene) => {
      const id = await scene.dispatch();
      await workOnce(scene);
      await scene.world.redrive.failedJobs.retry(id);
    },
    unharmed: { jobs: ['completed 2.1'], attempts: ['1.1 exception'], failed: ['resolved 2 exception'], executions: ['1.1', '2.1'] },
    diedBefore: { jobs: ['failed 2.1'], attempts: ['1.1 exception', '2.1 lost'], failed: ['failed 2 lost'], executions: ['1.1', '2.1'] },
  },
  {
    name: 'F38: the settlement of a retried job that fails again',
    call: 'settle',
    statements: 8,
    scene: { play: { '1.1': 'throw', '2.1': 'throw' } },
    act: async (scene) => {
      const id = await scene.dispatch();
      await workOnce(scene);
      await scene.world.redrive.failedJobs.retry(id);
    },
    unharmed: {
      jobs: ['failed 2.1'],
      attempts: ['1.1 exception', '2.1 exception'],
      failed: ['failed 2 exception'],
      executions: ['1.1', '2.1'],
    },
    diedBefore: { jobs: ['failed 2.1'], attempts: ['1.1 exception', '2.1 lost'], failed: ['failed 2 lost'], executions: ['1.1', '2.1'] },
  },
  {
    name: "F25: the rescue of a dead worker's jobs",
    call: 'rescue',
    statements: 4,
    scene: { play: { '1.1': 'wait' }, maxAttempts: 2 },
    act: async (scene) => {
      await scene.dispatch();
      await dieRunning(scene);
    },
    unharmed: { jobs: ['completed 1.2'], attempts: ['1.1 lost'], failed: [], executions: ['1.1', '1.2'] },
  },
  {
    name: 'F26: the settlement of a lost attempt that was the last',
    call: 'settle',
    statements: 8,
    scene: { play: { '1.1': 'wait' } },
    act: async (scene) => {
      await scene.dispatch();
      await dieRunning(scene);
    },
    unharmed: { jobs: ['failed 1.1'], attempts: ['1.1 lost'], failed: ['failed 1 lost'], executions: ['1.1'] },
  },
  {
    name: 'F25: the settlement of a lost attempt that is retried',
    call: 'settle',
    statements: 5,
    scene: { play: { '1.1': 'wait' }, maxAttempts: 2 },
    act: async (scene) => {
      await scene.dispatch();
      await dieRunning(scene);
    },
    unharmed: { jobs: ['completed 1.2'], attempts: ['1.1 lost'], failed: [], executions: ['1.1', '1.2'] },
  },
  {
    name: 'a reservation',
    call: 'reserve',
    statements: 5,
    scene: { maxAttempts: 2 },
    act: async ({ dispatch }) => void (await dispatch()),
    unharmed: { jobs: ['completed 1.1'], attempts: [], failed: [], executions: ['1.1'] },
    // Its start was durable, and nobody can know that no code of it ran.
    diedAfter: { jobs: ['completed 1.2'], attempts: ['1.1 lost'], failed: [], executions: ['1.2'] },
  },
];

/** Runs the transaction again and again, each time with a fault at the next statement; then at its commit, and after it. */
async function atEachInstant(transaction: Transaction, dies: boolean, check: (scene: Scene, fault: Fault) => void): Promise<number> {
  const runWith = async (fault: Fault): Promise<boolean> => {
    let fired = false;
    await inScene(transaction.scene, async (scene) => {
      const { world, faults, faulty } = scene;
      await transaction.act(scene);
      faults.arm(fault);
      await faulty.redrive.start();
      for (let passed = 0; passed < 30 && !faults.fired && !isOver(scene.tables()); passed += 1) {
        await faulty.clock.advance(1);
        await world.rest();
      }
      fired = faults.fired;
      if (!fired) return;
      if (dies) await world.redrive.start();
      await toTheEnd(scene, dies);
      check(scene, fault);
    });
    return fired;
  };
  let statements = 0;
  while (await runWith({ call: transaction.call, at: statements + 1, dies })) statements += 1;
  expect(await runWith({ call: transaction.call, at: 'commit', dies })).toBe(true);
  expect(await runWith({ call: transaction.call, at: 'reply', dies })).toBe(true);
  return statements;
}

/** What everybody was told: of each failed attempt at most once as it happened, of each failed run under one event id. */
function expectToldRight({ world, tables }: Scene): void {
  const failures = world.at('onJobFailed');
  const first = failures.filter(({ redelivered }) => !redelivered);
  expect(first.length).toBeLessThanOrEqual(new Set(first.map(({ job }) => job.run)).size);
  for (const { run, event_id: eventId, id, status } of tables().failed) {
    if (status === 'failed')
      expect([...new Set(failures.filter(({ job }) => job.run === run).map((event) => `${event.eventId} ${event.failedJobId}`))]).toEqual([
        `${eventId} ${id}`,
      ]);
  }
  const exceptions = world.at('onJobException').map(({ job }) => `${job.run}.${job.attempt}`);
  expect(exceptions).toEqual([...new Set(exceptions)]);
}

describe('a fault of the database at any instant of a transaction', () => {
  describe.each(transactions)('$name', (transaction) => {
    const { unharmed, diedBefore = unharmed, diedAfter = unharmed } = transaction;

    it('changes nothing where the process goes on', { timeout: 60_000 }, async () => {
      const statements = await atEachInstant(transaction, false, (scene, fault) => {
        expect(leftBy(scene), `fault at ${fault.at}`).toEqual(unharmed);
        expectToldRight(scene);
      });
      expect(statements).toBeGreaterThanOrEqual(transaction.statements);
    });

    it('leaves one end and one record where the process dies of it', { timeout: 60_000 }, async () => {
      await atEachInstant(transaction, true, (scene, fault) => {
        expect(leftBy(scene), `fault at ${fault.at}`).toEqual(fault.at === 'reply' ? diedAfter : diedBefore);
        expectToldRight(scene);
      });
    });
  });

  it(
    'F41: leaves a job that was to be retried in exactly one place, from where a second retry or the first goes on',
    { timeout: 60_000 },
    async () => {
      const runWith = async (at: Fault['at']): Promise<boolean> => {
        let fired = false;
        await inScene({ play: { '1.1': 'throw' } }, async (scene) => {
          const { world, faults, faulty } = scene;
          const id = await scene.dispatch();
          await workOnce(scene);
          faults.arm({ call: 'requeue', at, dies: false });
          const first = await faulty.redrive.failedJobs.retry(id).catch((error: unknown) => error);
          fired = faults.fired;
          if (!fired) return;
          expect(first).toMatchObject({ name: 'RedriveError', code: 'STORE_BROKEN' });
          const moved = at === 'reply';
          expect(leftBy(scene)).toMatchObject(
            moved ? { jobs: ['ready 2.0'], failed: ['retrying 2 exception'] } : { jobs: ['failed 1.1'], failed: ['failed 1 exception'] },
          );
          const second = await world.redrive.failedJobs.retry(id);
          expect(second.outcomes.map(({ status }) => status)).toEqual([moved ? 'not_failed' : 'requeued']);
          await world.redrive.start();
          await toTheEnd(scene, true);
          expect(leftBy(scene)).toEqual({
            jobs: ['completed 2.1'],
            attempts: ['1.1 exception'],
            failed: ['resolved 2 exception'],
            executions: ['1.1', '2.1'],
          });
        });
        return fired;
      };
      let statements = 0;
      while (await runWith(statements + 1)) statements += 1;
      expect(statements).toBeGreaterThanOrEqual(3);
      for (const at of ['commit', 'reply'] as const) expect(await runWith(at)).toBe(true);
    },
  );

  it('is passed over where the database is busy at any statement: the transaction runs again whole', { timeout: 60_000 }, async () => {
    for (let at = 1; at <= 8; at += 1) {
      await inScene({ play: { '1.1': 'throw' } }, async (scene) => {
        await scene.dispatch();
        scene.faults.arm({ call: 'settle', at, dies: false, code: 'SQLITE_BUSY' });
        await scene.faulty.redrive.start();
        await scene.world.until('the failure to be told', () => isOver(scene.tables()));
        expect(scene.faults.fired).toBe(true);
        expect(leftBy(scene)).toEqual({
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
    { timeout: 60_000 },
    async () => {
      for (const at of [1, 'commit', 'reply'] as const) {
        await inScene({ prefetch: 3 }, async (scene) => {
          for (let n = 0; n < 3; n += 1) await scene.dispatch();
          scene.faults.arm({ call: 'start', at, dies: false });
          await scene.faulty.redrive.start();
          await toTheEnd(scene, false);
          expect(scene.faults.fired).toBe(true);
          expect(leftBy(scene)).toEqual({
            jobs: ['completed 1.1', 'completed 1.1', 'completed 1.1'],
            attempts: [],
            failed: [],
            executions: ['1.1', '1.1', '1.1'],
          });
        });
      }
    },
  );

  it('F27: costs a running job nothing where the lease cannot be renewed once, or the reply is lost', { timeout: 60_000 }, async () => {
    for (const at of [1, 2, 'commit', 'reply'] as const) {
      await inScene({ play: { '1.1': 'wait' } }, async (scene) => {
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
        expect(leftBy(scene)).toEqual({ jobs: ['completed 1.1'], attempts: [], failed: [], executions: ['1.1'] });
      });
    }
  });

  it('F27: does not give back what was reserved while a renewal waited for the database', async () => {
    await inScene({ play: { '1.1': 'wait' } }, async (scene) => {
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
      expect(leftBy(scene)).toEqual({ jobs: ['completed 1.1'], attempts: [], failed: [], executions: ['1.1'] });
    });
  });

  it.each([1, 2, 'commit', 'reply'] as const)(
    'F24: does not keep an untold failure from being told (fault at %s of taking it over)',
    async (at) => {
      await inScene({ play: { '1.1': 'throw' } }, async (scene) => {
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
        expect(scene.tables().announcements).toEqual([]);
      });
    },
  );

  it.each([
    ['has attempts left', 2],
    ['was in its last attempt', 1],
  ])('F20, F24, F29: of several processes that rescue a job which %s, one tells of it', async (_which, maxAttempts) => {
    await inScene({ play: { '1.1': 'wait' }, maxAttempts }, async (scene) => {
      const { world } = scene;
      await scene.dispatch();
      await dieRunning(scene);
      const rescuers = [await world.stoppable(), await world.stoppable(), await world.stoppable()];
      for (const { redrive } of rescuers) await redrive.start();
      // Each by its own clock, all at once: they read the same lost job before any of them settles it.
      await Promise.all(rescuers.map(({ clock }) => clock.advance('6s')));
      await world.until('the end', () => isOver(scene.tables()));
      expect(leftBy(scene).attempts).toEqual(['1.1 lost']);
      expect(world.at('onJobException').map(({ kind }) => kind)).toEqual(['lost']);
      expect(world.at('onJobFailed')).toHaveLength(maxAttempts === 1 ? 1 : 0);
      expectToldRight(scene);
    });
  });
});
