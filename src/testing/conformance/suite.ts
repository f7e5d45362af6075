import type { Capabilities } from '../../provider/capabilities.ts';
import { alerts } from './alerts.ts';
import { attempts } from './attempts.ts';
import { clearing } from './clearing.ts';
import { bulkRetries } from './bulk-retries.ts';
import { hooks } from './hooks.ts';
import { jobs } from './jobs.ts';
import { leases } from './leases.ts';
import { looking } from './looking.ts';
import { records } from './records.ts';
import { retries } from './retries.ts';
import { presentRunner, type TestRunner } from './test-runner.ts';
import { World, type Subject, type WorldOptions } from './world.ts';

/** Declares one test of the suite. */
export type Test = (name: string, test: () => Promise<void>) => void;

/** What each part of the suite is given. */
export interface Suite {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: Test;
  /** `it` for a provider that offers all of these; for another a skipped test, whose name says why. */
  readonly when: (...needed: readonly (keyof Capabilities)[]) => Test;
  readonly make: (options: WorldOptions) => Promise<World>;
}

export interface ConformanceOptions {
  readonly name: string;
  /** A fresh backend for each test. */
  readonly create: () => Promise<Subject>;
  /** What the provider says it can do: what it cannot is skipped. Default: everything. */
  readonly capabilities?: Capabilities;
  /** Default: that of the vitest file this is called in, else what is global. */
  readonly runner?: TestRunner;
}

/** Vitest's own five seconds are too few for a slow backend on a busy machine. */
const testTimeoutMs = 60_000;

/**
 * The failure contract, run against a provider. Call it at the top of a vitest file, or with the `runner` of another; it needs nothing
 * else of either. Throws `OPTIONS_INVALID` where there is no runner.
 */
export function providerConformance({ name, create, capabilities, runner = presentRunner() }: ConformanceOptions): void {
  const { describe, it } = runner;
  const options = { timeout: testTimeoutMs };
  const when: Suite['when'] = (...needed) => {
    const lacking = needed.find((capability) => capabilities !== undefined && !capabilities[capability]);
    return (title, test) =>
      lacking === undefined ? it(title, test) : it.skip(`${title} (skipped: capability ${lacking} is not offered by ${name})`, test);
  };
  const suite: Suite = {
    describe: (title, body) => void describe(title, options, body),
    it: (title, test) => void it(title, test),
    when,
    make: (given) => World.make(create, given),
  };
  describe(`the failure contract on ${name}`, options, () => {
    attempts(suite);
    jobs(suite);
    records(suite);
    hooks(suite);
    looking(suite);
    retries(suite);
    bulkRetries(suite);
    leases(suite);
    clearing(suite);
    alerts(suite);
  });
}
