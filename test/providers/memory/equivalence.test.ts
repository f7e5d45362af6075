import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bySize } from '../../support/size.ts';
import { anyStep } from './steps.ts';
import type { LogPlace } from './twin.ts';
import { Twins } from './twins.ts';

const rounds = bySize(15, 40, 1_000);
const places: readonly LogPlace[] = ['beside', 'elsewhere', 'off'];

it.each(places)('jobs in memory answer every call as a database does, with the failed-jobs log %s', { timeout: 600_000 }, async (place) => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 20, maxLength: 60 }), async (steps) => {
      const twins = await Twins.make(place);
      try {
        await twins.openSession('first');
        for (const step of steps) {
          for (const call of step.calls(twins)) {
            const [inDatabase, inMemory] = await call();
            expect(inMemory, step.toString()).toEqual(inDatabase);
          }
          const [database, memory] = await twins.look();
          expect(memory, `after ${step.toString()}`).toEqual(database);
        }
      } finally {
        await twins.close();
      }
    }),
    { numRuns: rounds },
  );
});
