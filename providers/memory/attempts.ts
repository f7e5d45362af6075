import type { AttemptRecord } from '../../src/record/attempt-record.ts';
import type { FailureRecord } from '../../src/record/types.ts';
import { readAttempt } from './failure-text.ts';

interface KeptAttempt {
  readonly run: number;
  readonly isLoss: boolean;
  readonly text: string;
}

/** The failed attempts of jobs, across their runs. */
export class Attempts {
  private readonly byJob = new Map<string, KeptAttempt[]>();

  /** `text`: the record as `failure-text.ts` writes it. */
  add({ jobId, run, kind }: FailureRecord, text: string): void {
    const kept = { run, isLoss: kind === 'lost', text };
    const attempts = this.byJob.get(jobId);
    if (attempts === undefined) this.byJob.set(jobId, [kept]);
    else attempts.push(kept);
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
