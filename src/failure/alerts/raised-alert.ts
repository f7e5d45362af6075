import type { RecentGroup } from '../../record/recent-failures.ts';

/** An alert as it was raised: kept in its claim, so that another process can tell it should this one die. */
export interface RaisedAlert {
  /** The event id. */
  readonly id: string;
  readonly count: number;
  /** Epoch ms, like `to`. */
  readonly from: number;
  readonly to: number;
  readonly groups: readonly RecentGroup[];
  /** Fingerprints that this alert, or one before it, has told of as new. */
  readonly told: readonly string[];
}

export function writeRaised(raised: RaisedAlert): string {
  return JSON.stringify(raised);
}

/** Undefined for what is no raised alert: a claim that somebody has written by hand. */
export function readRaised(text: string | null): RaisedAlert | undefined {
  try {
    const value = JSON.parse(text ?? 'null') as RaisedAlert | null;
    const isWhole = value !== null && typeof value.id === 'string' && Array.isArray(value.groups) && Array.isArray(value.told);
    return isWhole ? value : undefined;
  } catch {
    return undefined;
  }
}
