import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { defineJob, type Job, type JobClass, type Redrive } from '../../src/index.ts';
import { using, World, type WorldOptions } from '../../src/testing/conformance/world.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Faults, FaultyProvider, type Fault, type FaultyCall } from '../support/faulty-provider.ts';
import { readTables, type Tables } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** What a job does in its attempts, run by run: `throw` or `end`. */
type Script = Readonly<Record<number, readonly ('throw' | 'end')[]>>;

/** A world with one process whose database goes wrong. */
interface Scene {
  readonly world: World;
  readonly faults: Faults;
  readonly faulty: { readonly redrive: Redrive; readonly clock: VirtualClock };
  readonly job: JobClass;
  /** `run.attempt` of each execution, in order. */
  readonly executions: string[];
  readonly tables: () => Tables;
}

interface SceneOptions extends Partial<WorldOptions> {
  readonly script?: Script;
  readonly maxAttempts?: number;
  readonly backoff?: number;
  readonly prefetch?: number;
}

async function inScene({ script = {}, maxAttempts = 1, backoff = 0, prefetch = 0, ...options }: SceneOptions, test: (scene: Scene) => Promise<void>): Promise<void> {
  const properties = { client: 'better-sqlite3', connection: { filename: join(temporaryFolder(), 'jobs.db') }, prefetch };
  const executions: string[] = [];
  const job = defineJob({
    name: 'scripted',
    maxAttempts,
    backoff,
    handle: ({ run, attempt }: Job) => {
      executions.push(`${run}.${attempt}`);
      if (script[run]?.[attempt - 1] === 'throw') throw new Error(`run ${run}, attempt ${attempt}`);
      return 'done';
    },
  });
  const subject = { connection: { provider: DatabaseProvider, properties }, dispose: async () => undefined };
  const world = await World.make(async () => subject, { jobs: [job], ...options });
  const faults = new Faults();
  const connections = { main: { provider: new FaultyProvider(faults), properties } };
  const faulty = await world.stoppable({ config: { connections } });
  await using(world, async () => {
    try {
      await test({ world, faults, faulty, job, executions, tables: () => readTables(properties.connection.filename) });
    } finally {
      faults.revive();
    }
  });
}

/** What is left when all is over, in one value. */
function summary({ tables, executions, world }: Scene): unknown {
  const { jobs, failed, attempts, announcements } = tables();
  return {
    jobs: jobs.map(({ status, run, attempt }) => `${status} ${run}.${attempt}`),
    attempts: attempts.map(({ run, attempt, kind }) => `${run}.${attempt} ${kind}`),
    failed: failed.map(({ status, run, kind }) => `${status} ${run} ${kind}`),
    untold: announcements.length,
    executions,
    events: [...new Set(world.at('onJobFailed').map(({ eventId }) => eventId))].length,
  };
}

/** Runs a test with the fault at each statement of a call in turn, then at its commit; returns how many statements it has. */
async function atEachStatement(call: FaultyCall, dies: boolean, test: (fault: Fault, faults: { readonly fired: boolean }) => Promise<boolean>): Promise<number> {
  void [call, dies, test];
  return 0;
}
