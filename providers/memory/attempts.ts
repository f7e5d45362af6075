import type { AttemptRecord } from '../../src/record/attempt-record.ts';
import type { FailureRecord } from '../../src/record/types.ts';
import { readAttempt } from './failure-text.ts';

interface KeptAttempt {
  readonly eventId: string;
  readonly run: number;
  readonly attempt: number | null;
  readonly isLoss: boolean;
  readonly text: string;
}

/** The failed attempts of jobs, across their runs. */
export class Attempts {
  private readonly byJob = new Map<string, KeptAttempt[]>();

  /** `text`: the record as `failure-text.ts` writes it. */
  add({ eventId, jobId, run, attempt, kind }: FailureRecord, text: string): void {
    const kept = { eventId, run, attempt, isLoss: kind === 'lost', text };
    const attempts = this.byJob.get(jobId);
    if (attempts === undefined) this.byJob.set(jobId, [kept]);
    else attempts.push(kept);
  }

  /** True where the record of this very attempt is this very one, and not another rescuer's. */
  has({ eventId, jobId, run, attempt }: FailureRecord): boolean {
    return (this.byJob.get(jobId) ?? []).some(
      (kept) => kept.eventId === eventId && kept.run === run && kept.attempt === attempt && attempt !== null,
    );
  }

  /** Oldest first. */
  of(jobId: string): readonly AttemptRecord[] {
    return (this.byJob.get(jobId) ?? []).map(({ text }) => readAttempt(text));
  }

  /** How many attempts of this run were lost with their worker. */
  losses(jobId: string, run: number): number {
    return (this.byJob.get(jobId) ?? []).filter((attempt) => attempt.isLoss && attempt.run === run).length;
  }

  forget(jobId: string): void {
    this.byJob.delete(jobId);
  }
}
