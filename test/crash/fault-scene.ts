import { expect } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { defineJob, type Job, type Redrive } from '../../src/index.ts';
import { using, World, type WorldOptions } from '../../src/testing/conformance/world.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { EngineUnderTest } from '../support/engines.ts';
import { Faults, FaultyProvider } from '../support/faulty-provider.ts';
import type { Tables } from '../support/tables.ts';

/** What a job does in each attempt of each run; it ends where nothing is said. */
export type Play = Readonly<Record<`${number}.${number}`, 'throw' | 'wait'>>;

export interface SceneOptions {
  readonly play?: Play;
  readonly maxAttempts?: number;
  readonly backoff?: number;
  readonly prefetch?: number;
  readonly pool?: WorldOptions['pool'];
}

export interface Process {
  readonly redrive: Redrive;
  readonly clock: VirtualClock;
}

/** A world with one process whose database goes wrong. */
export interface Scene {
  readonly world: World;
  readonly faults: Faults;
  readonly faulty: Process;
  readonly executions: readonly string[];
  /** Lets the attempts end that wait. */
  readonly release: () => void;
  readonly dispatch: () => Promise<string>;
  readonly tables: () => Promise<Tables>;
}

export async function inScene(
  engine: EngineUnderTest,
  { play = {}, maxAttempts = 1, backoff = 0, prefetch = 0, pool }: SceneOptions,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  const ground = await engine.shareGround();
  const properties = { ...ground.properties, lease: '3s', pollInterval: '3s', prefetch };
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
  const { isBusy } = ground;
  const subject = { connection: { provider: DatabaseProvider, properties }, isBusy, dispose: async () => undefined };
  const world = await World.make(async () => subject, { jobs: [job], ...(pool === undefined ? {} : { pool }) });
  const faults = new Faults(engine.errors);
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
        tables: () => ground.tables(),
      });
    } finally {
      faults.revive();
      release();
    }
  });
}

/** What is left when all is over. */
export interface Left {
  readonly jobs: readonly string[];
  readonly attempts: readonly string[];
  readonly failed: readonly string[];
  readonly executions: readonly string[];
}

export async function leftBy({ tables, executions }: Scene): Promise<Left> {
  const { jobs, failed, attempts } = await tables();
  return {
    jobs: jobs.map(({ status, run, attempt }) => `${status} ${run}.${attempt}`),
    attempts: attempts.map(({ run, attempt, kind }) => `${run}.${attempt} ${kind}`),
    failed: failed.map(({ status, run, kind }) => `${status} ${run} ${kind}`),
    executions,
  };
}

export function isOver(tables: Tables): boolean {
  return tables.announcements.length === 0 && tables.jobs.every(({ status }) => status === 'completed' || status === 'failed');
}

/** Moves the clocks of those who live until everything has its end, and then on, to see that it stays. */
export async function toTheEnd({ world, faulty, tables }: Scene, dies: boolean): Promise<void> {
  const living = dies ? [world.clock] : [world.clock, faulty.clock];
  const pass = async (seconds: number): Promise<void> => {
    for (const clock of living) await clock.advance(seconds);
    await world.rest();
  };
  for (let passed = 0; passed < 60 && !isOver(await tables()); passed += 2) await pass(2);
  await pass(5);
}

/** What everybody was told: of each failed attempt at most once as it happened, of each failed run under one event id. */
export async function expectToldRight({ world, tables }: Scene): Promise<void> {
  const failures = world.at('onJobFailed');
  const first = failures.filter(({ redelivered }) => !redelivered);
  expect(first.length).toBeLessThanOrEqual(new Set(first.map(({ job }) => job.run)).size);
  for (const { run, event_id: eventId, id, status } of (await tables()).failed) {
    if (status === 'failed')
      expect([...new Set(failures.filter(({ job }) => job.run === run).map((event) => `${event.eventId} ${event.failedJobId}`))]).toEqual([
        `${eventId} ${id}`,
      ]);
  }
  const exceptions = world.at('onJobException').map(({ job }) => `${job.run}.${job.attempt}`);
  expect(exceptions).toEqual([...new Set(exceptions)]);
}
