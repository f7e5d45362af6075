import type { Claim, ClaimChange, Claims } from '../../src/record/claims.ts';

/** Claims of the Redrives of one process, beside a failed-jobs log that is in memory too. */
export class MemoryClaims implements Claims {
  private readonly byName = new Map<string, Claim>();

  async find(name: string): Promise<Claim | undefined> {
    return this.byName.get(name);
  }

  async swap(name: string, seen: Claim | undefined, change: ClaimChange): Promise<Claim | undefined> {
    const known = this.byName.get(name);
    if (known?.version !== seen?.version) return undefined;
    const next = { ...change, version: (known?.version ?? 0) + 1 };
    this.byName.set(name, next);
    return next;
  }
}
