import { describe, it } from 'vitest';
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
import { World, type Subject, type WorldOptions } from './world.ts';

/** Declares one test of the suite. */
export type Test = (name: string, test: () => Promise<void>) => void;

/** What each part of the suite is given. */
export interface Suite {
  readonly describe: typeof describe;
  readonly it: typeof it;
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
}

/** Vitest's own five seconds are too few for a slow backend on a busy machine. */
const testTimeoutMs = 60_000;

/** The failure contract, run against a provider. Call it at the top of a vitest file. */
export function providerConformance({ name, create, capabilities }: ConformanceOptions): void {
  const when: Suite['when'] = (...needed) => {
    const lacking = needed.find((capability) => capabilities !== undefined && !capabilities[capability]);
    return (title, test) =>
      lacking === undefined ? it(title, test) : it.skip(`${title} (skipped: capability ${lacking} is not offered by ${name})`, test);
  };
  const suite: Suite = { describe, it, when, make: (options) => World.make(create, options) };
  describe(`the failure contract on ${name}`, { timeout: testTimeoutMs }, () => {
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
