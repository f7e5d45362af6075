import type { Json, JsonObject } from '../job/json.ts';

/** Why a run ended in terminal failure, or what ended one attempt. */
export const failureKinds = ['exception', 'timeout', 'cancelled', 'lost', 'unprocessable', 'released', 'manual'] as const;
export type FailureKind = (typeof failureKinds)[number];

/** The rule that decided what follows an attempt; stored with it. */
export type DecisionRule =
  | 'attempts-left'
  | 'max-attempts'
  | 'unrecoverable'
  | 'fail'
  | 'fail-on'
  | 'not-retry-on'
  | 'mark-as-failed'
  | 'backoff-null'
  | 'retry-until'
  | 'retry-after'
  | 'cancelled'
  | 'released'
  | 'shutdown'
  | 'lost'
  | 'unprocessable'
  | 'manual';

/** A thrown value as plain data: everything it could say, within the caps of `caps.ts`. */
export interface ExceptionSnapshot {
  /** The error's class name; for what is no Error, its `typeof` (`null` for null). */
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  /** The stack as thrown; empty where there was none. */
  readonly stack: string;
  /** All other own enumerable fields. */
  readonly fields?: JsonObject;
  readonly cause?: ExceptionSnapshot;
  /** What an AggregateError gathered. */
  readonly errors?: readonly ExceptionSnapshot[];
  /** True where a cap cut something. */
  readonly truncated?: true;
}

export interface WorkerIdentity {
  readonly host: string;
  readonly pid: number;
  readonly pool: string;
}

/** What is written down about one failed attempt. Plain data, already redacted; only `memento` keeps the real values. */
export interface FailureRecord {
  /** UUIDv7, the same however often the fact is announced. */
  readonly eventId: string;
  readonly jobId: string;
  readonly connection: string;
  readonly queue: string;
  /** The job's name. */
  readonly job: string;
  /** The job as stored, byte for byte. Never shown to anybody. */
  readonly memento: string;
  /** Null where the payload could not be read. */
  readonly properties: Json;
  /** Epoch ms, like every `At` of this record. */
  readonly createdAt: number;
  readonly kind: FailureKind;
  readonly rule: DecisionRule;
  readonly type: string;
  readonly message: string;
  readonly detail: string | null;
  readonly extendedInfo: JsonObject | null;
  readonly stack: string;
  readonly exception: ExceptionSnapshot;
  readonly fingerprint: string;
  readonly run: number;
  /** Null for an attempt that did not count: a shutdown. */
  readonly attempt: number | null;
  /** 0: no limit. */
  readonly maxAttempts: number;
  readonly startedAt: number | null;
  readonly endedAt: number;
  /** When the job will be tried again; null at terminal failure. */
  readonly retryAt: number | null;
  readonly worker: WorkerIdentity;
  readonly release: string | null;
}
