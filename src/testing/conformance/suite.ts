import { describe, it } from 'vitest';
import { attempts } from './attempts.ts';
import { hooks } from './hooks.ts';
import { jobs } from './jobs.ts';
import { leases } from './leases.ts';
import { records } from './records.ts';
import { retries } from './retries.ts';
import { World, type Subject, type WorldOptions } from './world.ts';

/** What each part of the suite is given. */
export interface Suite {
  readonly describe: typeof describe;
  readonly it: typeof it;
  readonly make: (options: WorldOptions) => Promise<World>;
}

export interface ConformanceOptions {
  readonly name: string;
  /** A fresh backend for each test. */
  readonly create: () => Promise<Subject>;
}

/** The failure contract, run against a provider. Call it at the top of a vitest file. */
export function providerConformance({ name, create }: ConformanceOptions): void {
  const suite: Suite = { describe, it, make: (options) => World.make(create, options) };
  describe(`the failure contract on ${name}`, () => {
    attempts(suite);
    jobs(suite);
    records(suite);
    hooks(suite);
    retries(suite);
    leases(suite);
  });
}
