import {
  judgedFailures,
  judgedGroups,
  type RecentFailureCounts,
  type RecentFailures,
  type RecentGroup,
} from '../../src/record/recent-failures.ts';
import type { KeptFailure } from './memory-failure-log.ts';

interface FirstFailure extends Pick<RecentGroup, 'job' | 'type' | 'message'> {
  readonly failedAt: number;
}

/** Failures of late in memory, and the first one of each group, which stays known when all its failures are forgotten. */
export class MemoryRecentFailures implements RecentFailureCounts {
  /** In the order in which the groups came up. */
  private readonly firsts = new Map<string, FirstFailure>();

  constructor(private readonly newestFirst: () => Iterable<KeptFailure>) {}

  note({ fingerprint, job, type, message, failedAt }: KeptFailure): void {
    if (!this.firsts.has(fingerprint)) this.firsts.set(fingerprint, { job, type, message, failedAt });
  }

  async count(which: RecentFailures, atMost: number): Promise<number> {
    return this.find(which, atMost).length;
  }

  async groups(which: RecentFailures, atMost: number): Promise<readonly RecentGroup[]> {
    const counts = new Map<string, number>();
    for (const { fingerprint } of this.find(which, judgedFailures)) counts.set(fingerprint, (counts.get(fingerprint) ?? 0) + 1);
    const largest = [...counts].toSorted(([, one], [, other]) => other - one).slice(0, atMost);
    return largest.map(([fingerprint, count]) => {
      const { job = '', type = '', message = '' } = this.firsts.get(fingerprint) ?? {};
      return { fingerprint, job, type, message, count };
    });
  }

  async newFingerprints(since: number): Promise<readonly string[]> {
    const found = [...this.firsts].filter(([, { failedAt }]) => failedAt > since).toReversed();
    return found.slice(0, judgedGroups).map(([fingerprint]) => fingerprint);
  }

  private find(which: RecentFailures, atMost: number): readonly KeptFailure[] {
    const { since, queue, job, kind, fingerprints } = which;
    const wanted = fingerprints === undefined ? undefined : new Set(fingerprints);
    const found: KeptFailure[] = [];
    for (const failure of this.newestFirst()) {
      if (found.length >= atMost || failure.failedAt <= since) break;
      const isMeant =
        (queue === undefined || failure.queue === queue) &&
        (job === undefined || failure.job === job) &&
        (kind === undefined || failure.kind === kind) &&
        (wanted === undefined || wanted.has(failure.fingerprint));
      if (isMeant) found.push(failure);
    }
    return found;
  }
}
