import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Trouble } from '../../../providers/database/dialects/server/engine.ts';
import { patiently } from '../../../providers/database/dialects/server/patience.ts';

class Met extends Error {
  constructor(readonly trouble: Trouble | undefined) {
    super(trouble);
  }
}

const engine = {
  troubleOf: (error: unknown): Trouble | undefined => (error instanceof Met ? error.trouble : undefined),
  explain: (error: unknown, location: string): unknown => new Error(`${location}: ${String(error)}`),
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Fails `times` times with some trouble; resolves with how often it was tried, or rejects. */
async function met(trouble: Trouble | undefined, times: number): Promise<number> {
  let tries = 0;
  const outcome = patiently(engine, 'db', async () => {
    if (++tries <= times) throw new Met(trouble);
    return tries;
  });
  outcome.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(60_000);
  return outcome;
}

describe('patience with a server', () => {
  it.each(['contention', 'taken', 'disconnected'] as const)('tries again after %s', async (trouble) => {
    expect(await met(trouble, 2)).toBe(3);
  });

  it('gives up where the same key is taken again and again, and where every connection breaks', async () => {
    await expect(met('taken', 1_000)).rejects.toThrow('db: Error: taken');
    await expect(met('disconnected', 1_000)).rejects.toThrow('db: Error: disconnected');
  });

  it('tries through ten seconds of contention, and then gives up', async () => {
    let tries = 0;
    const outcome = patiently(engine, 'db', async () => {
      tries++;
      throw new Met('contention');
    });
    outcome.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(tries).toBeGreaterThan(80);
    await vi.advanceTimersByTimeAsync(2_000);
    await expect(outcome).rejects.toThrow('db: Error: contention');
  });

  it('does not try again after anything else', async () => {
    await expect(met(undefined, 1)).rejects.toThrow('db:');
  });
});
