import type { FaultyCall } from '../support/faulty-provider.ts';
import type { Left, Scene, SceneOptions } from './fault-scene.ts';

/** One transaction, and what is to be left whenever something goes wrong in it. */
export interface Transaction {
  readonly name: string;
  readonly call: FaultyCall;
  /** Shown on every engine also in the everyday size; the others then on SQLite only. */
  readonly isVital?: true;
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

export const workOnce = async ({ world }: Scene): Promise<void> => void (await world.redrive.workOnce());

/** Another process begins to run the job and dies. */
export async function dieRunning({ world }: Scene): Promise<void> {
  const dead = await world.stoppable();
  await dead.redrive.start();
  await world.until('the job to run', () => world.at('onJobMarshalled').length === 1);
}

export const transactions: readonly Transaction[] = [
  {
    name: 'F32: the settlement of a terminal failure',
    call: 'settle',
    isVital: true,
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
    isVital: true,
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
    isVital: true,
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
