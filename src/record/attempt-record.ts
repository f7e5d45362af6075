import type { DecisionRule, ExceptionSnapshot, FailureKind, WorkerIdentity } from './types.ts';

/** One failed attempt as it is kept: append-only, across all runs of the job. Times are epoch ms. */
export interface AttemptRecord {
  readonly run: number;
  /** Null for an attempt that did not count: a shutdown. */
  readonly attempt: number | null;
  readonly kind: FailureKind;
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  readonly exception: ExceptionSnapshot;
  readonly startedAt: number | null;
  readonly endedAt: number;
  readonly worker: WorkerIdentity;
  readonly release: string | null;
  /** When the next attempt was due; null where none followed. */
  readonly retryAt: number | null;
  readonly rule: DecisionRule;
}
