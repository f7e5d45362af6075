/** What many processes do one at a time, or only once: who last did it, when, and whether somebody is at it. */
export interface Claim {
  /** When it was last done; epoch ms. */
  readonly at: number;
  /** Whoever is at it has it until then; null: nobody is. */
  readonly leaseUntil: number | null;
  /** What it was about, for whoever takes it over. */
  readonly detail: string | null;
  /** Rises with every change. */
  readonly version: number;
}

/** What a claim becomes. */
export type ClaimChange = Pick<Claim, 'at' | 'leaseUntil' | 'detail'>;

/**
 * Claims by name, shared by all processes that share a failed-jobs log. Each change is a compare-and-set on what was seen: of two that
 * saw the same one wins, and the other looks again.
 */
export interface Claims {
  find(name: string): Promise<Claim | undefined>;
  /** Changes a claim that is still as it was seen (undefined: it was not there); returns it as it is now, or undefined where somebody was first. */
  swap(name: string, seen: Claim | undefined, change: ClaimChange): Promise<Claim | undefined>;
}
