import { RedriveError } from '../../src/errors.ts';
import type { AuditLog, AuditNote } from '../../src/record/audit-log.ts';
import type {
  BulkHold,
  BulkJobKey,
  BulkLease,
  BulkRetryLog,
  BulkStep,
  BulkTally,
  NewBulkRetry,
  SkippedJob,
  StoredBulkRetry,
} from '../../src/record/bulk-retry-log.ts';
import type { Place, RunStep } from '../../src/record/failure-log.ts';

interface BulkJob extends BulkJobKey {
  state: 'pending' | 'moved' | 'skipped';
  outcome: 'resolved' | 'failed' | 'cancelled' | null;
}

interface Kept {
  readonly token: string;
  retry: StoredBulkRetry;
  /** By place in the set, in that order. */
  jobs: Map<number, BulkJob>;
  readonly byJob: Map<string, BulkJob>;
  tally: BulkTally | undefined;
}

/** Bulk retries in this process's memory, beside a failed-jobs log that is there too. */
export class MemoryBulkRetries implements BulkRetryLog {
  private readonly kept = new Map<number, Kept>();
  private lastId = 0;

  constructor(private readonly audit: AuditLog) {}

  async create({ token, at, ...retry }: NewBulkRetry): Promise<StoredBulkRetry> {
    const known = [...this.kept.values()].find((one) => one.token === token);
    if (known !== undefined) return known.retry;
    const id = ++this.lastId;
    const rest = {
      id,
      state: 'running',
      reason: null,
      collecting: 'start',
      matched: 0,
      fence: 1,
      nextAt: 0,
      createdAt: at,
      endedAt: null,
    } as const;
    const stored = { ...retry, ...rest };
    this.kept.set(id, { token, retry: stored, jobs: new Map(), byJob: new Map(), tally: undefined });
    return stored;
  }

  async find(id: number): Promise<StoredBulkRetry | undefined> {
    return this.kept.get(id)?.retry;
  }

  async list({
    limit,
    before = Number.POSITIVE_INFINITY,
  }: {
    readonly limit: number;
    readonly before?: number;
  }): Promise<readonly StoredBulkRetry[]> {
    return [...this.kept.values()]
      .map(({ retry }) => retry)
      .filter(({ id }) => id < before)
      .toReversed()
      .slice(0, limit);
  }

  async undriven(now: number): Promise<readonly number[]> {
    return [...this.kept.values()].filter(({ retry }) => isUndriven(retry, now)).map(({ retry }) => retry.id);
  }

  async take(id: number, { now, until }: { readonly now: number; readonly until: number }): Promise<StoredBulkRetry | undefined> {
    const kept = this.kept.get(id);
    if (kept === undefined || !isUndriven(kept.retry, now)) return undefined;
    kept.retry = { ...kept.retry, fence: kept.retry.fence + 1, drivenUntil: until };
    return kept.retry;
  }

  async hold(hold: BulkHold): Promise<void> {
    this.held(hold);
  }

  async letGo({ id, fence }: BulkLease): Promise<void> {
    const kept = this.kept.get(id);
    if (kept !== undefined && kept.retry.fence === fence) kept.retry = { ...kept.retry, drivenUntil: 0 };
  }

  async collect(hold: BulkHold, jobs: readonly BulkJobKey[], next: Place | null, audit: AuditNote): Promise<void> {
    const kept = this.held(hold);
    for (const key of jobs) {
      const job: BulkJob = { ...key, state: 'pending', outcome: null };
      kept.jobs.set(key.seq, job);
      if (key.jobId !== null) kept.byJob.set(key.jobId, job);
    }
    const matched = kept.retry.matched + jobs.length;
    kept.retry = { ...kept.retry, matched, collecting: next };
    // Lists are in the order of time, a set in that of its failures.
    if (next === null) kept.jobs = new Map([...kept.jobs].toSorted(([one], [other]) => one - other));
    if (next === null) await this.audit.record({ ...audit, ids: [hold.id], count: matched });
  }

  async pending(id: number, { after, limit }: { readonly after: number; readonly limit: number }): Promise<readonly BulkJobKey[]> {
    const found: BulkJobKey[] = [];
    for (const { state, outcome: _outcome, ...key } of this.kept.get(id)?.jobs.values() ?? []) {
      if (found.length === limit) break;
      if (state === 'pending' && key.seq > after) found.push(key);
    }
    return found;
  }

  /** Every failed job here has its job's id. */
  async claimed(): Promise<void> {}

  async skip(id: number, skipped: readonly SkippedJob[]): Promise<void> {
    const jobs = this.kept.get(id)?.jobs;
    for (const { seq } of skipped) {
      const job = jobs?.get(seq);
      if (job?.state === 'pending') job.state = 'skipped';
    }
  }

  async step(id: number, { from, to, at, fence, reason, audit }: BulkStep): Promise<boolean> {
    const kept = this.kept.get(id);
    if (kept === undefined || !from.includes(kept.retry.state) || (fence !== undefined && fence !== kept.retry.fence)) return false;
    const isOver = to !== 'running' && to !== 'paused';
    const changed = { state: to, reason: reason ?? null, endedAt: isOver ? at : null, drivenUntil: 0, fence: kept.retry.fence + 1 };
    kept.retry = { ...kept.retry, ...changed };
    await this.audit.record(audit);
    return true;
  }

  async tally(id: number): Promise<BulkTally> {
    const kept = this.kept.get(id);
    return kept?.tally ?? tallyOf([...(kept?.jobs.values() ?? [])]);
  }

  async compact(endedBy: number): Promise<void> {
    for (const kept of this.kept.values()) {
      const { endedAt } = kept.retry;
      if (endedAt === null || endedAt > endedBy || kept.tally !== undefined) continue;
      kept.tally = tallyOf([...kept.jobs.values()]);
      kept.jobs.clear();
      kept.byJob.clear();
    }
  }

  /** A job was put back; which bulk retry did it, if one did. */
  movedNow({ jobId, run, bulkRetry }: RunStep): void {
    const job = bulkRetry === undefined ? undefined : this.kept.get(bulkRetry)?.byJob.get(jobId);
    if (job !== undefined && job.run === run) job.state = 'moved';
  }

  /** What became of a job's run. */
  endedNow({ jobId, run }: Pick<RunStep, 'jobId' | 'run'>, outcome: NonNullable<BulkJob['outcome']>): void {
    for (const { byJob } of this.kept.values()) {
      const job = byJob.get(jobId);
      if (job !== undefined && job.run === run) job.outcome ??= outcome;
    }
  }

  private held({ id, fence, until, nextAt }: BulkHold): Kept {
    const kept = this.kept.get(id);
    if (kept === undefined || kept.retry.fence !== fence || kept.retry.state !== 'running')
      throw new RedriveError(
        'LEASE_LOST',
        `Bulk retry ${id} was paused, has ended, or is driven by another Redrive; nothing more is moved here`,
      );
    kept.retry = { ...kept.retry, drivenUntil: until, nextAt };
    return kept;
  }
}

function isUndriven({ state, drivenUntil }: StoredBulkRetry, now: number): boolean {
  return state === 'running' && drivenUntil <= now;
}

function tallyOf(jobs: readonly BulkJob[]): BulkTally {
  const count = (counts: (job: BulkJob) => boolean): number => jobs.filter(counts).length;
  const movedAnd = (outcome: BulkJob['outcome']): number => count((job) => job.state === 'moved' && job.outcome === outcome);
  return {
    pending: count(({ state }) => state === 'pending'),
    moved: count(({ state }) => state === 'moved'),
    skipped: count(({ state }) => state === 'skipped'),
    succeeded: movedAnd('resolved'),
    failedAgain: movedAnd('failed'),
    cancelled: movedAnd('cancelled'),
  };
}
