import type { FailureKind, FailureRecord } from '../record/types.ts';
import type { Json } from '../job/json.ts';

/** Every interception point, in the order of a job's life. */
export const interceptionPoints = [
  'onJobAdded',
  'onJobMarshalled',
  'onJobComplete',
  'onJobCancelled',
  'onJobReleased',
  'onJobException',
  'onJobFailed',
  'onJobRetried',
  'onBatchComplete',
  'onBatchFailed',
  'onAlert',
] as const;
export type InterceptionPoint = (typeof interceptionPoints)[number];

/** A job as events show it: a read-only copy. */
export interface JobInfo {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly connection: string;
  readonly properties: Json;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly run: number;
  readonly createdAt: Date;
}

export interface PoolInfo {
  readonly name: string;
  readonly connection: string;
}

/** The failure as recorded: redacted, and without the memento. */
export type RedactedFailure = Omit<FailureRecord, 'memento'>;

interface EventBase {
  readonly at: Date;
  /** Stable for the same fact when it is delivered again. */
  readonly eventId: string;
}

export interface JobAddedEvent extends EventBase {
  readonly job: JobInfo;
  readonly connection: string;
}
export interface JobMarshalledEvent extends EventBase {
  readonly job: JobInfo;
  readonly pool: PoolInfo;
}
export interface JobCompleteEvent extends EventBase {
  readonly job: JobInfo;
  readonly pool: PoolInfo;
  readonly result: unknown;
  /** Milliseconds from the attempt's start to its end. */
  readonly duration: number;
}
export interface JobCancelledEvent extends EventBase {
  readonly job: JobInfo;
  readonly by: string;
  readonly reason: string;
}
export interface JobReleasedEvent extends EventBase {
  readonly job: JobInfo;
  readonly pool: PoolInfo;
  readonly availableAt: Date;
  readonly reason: string;
}
export interface JobExceptionEvent extends EventBase {
  readonly job: JobInfo;
  readonly pool: PoolInfo;
  /** What was thrown. */
  readonly exception: unknown;
  readonly failure: RedactedFailure;
  readonly kind: FailureKind;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly willRetry: boolean;
  readonly retryAt: Date | null;
}
export interface JobFailedEvent extends EventBase {
  readonly job: JobInfo;
  readonly pool: PoolInfo;
  /** What was thrown; on a redelivery an error rebuilt from the record. */
  readonly exception: unknown;
  readonly failure: RedactedFailure;
  readonly kind: FailureKind;
  /** The attempt that ended the run. */
  readonly attempt: number;
  /** How many attempts the run had. */
  readonly attempts: number;
  /** The failed job's short number; undefined where the failed-jobs log is off. */
  readonly failedJobId: number | undefined;
  /** True where the worker that recorded the failure died before it had told everybody. */
  readonly redelivered: boolean;
}
export interface JobRetriedEvent extends EventBase {
  readonly job: JobInfo;
  readonly by: string;
  readonly run: number;
}

/** What a rule of `alerts` says. Durations in seconds. */
export interface AlertRuleInfo {
  readonly name: string;
  /** More failures than this, within this long, raise it. */
  readonly failures: number;
  readonly within: number;
  readonly cooldown: number;
  readonly queue?: string;
  readonly job?: string;
  readonly kind?: FailureKind;
  /** `new`: only failures of groups that were never seen before. */
  readonly fingerprint?: string;
}

/** Failures of one cause among those that raised an alert. */
export interface AlertedGroup {
  readonly fingerprint: string;
  readonly job: string;
  readonly type: string;
  /** Of the group's first failure, redacted, up to 500 characters. */
  readonly message: string;
  readonly count: number;
}

export interface AlertEvent extends EventBase {
  readonly rule: AlertRuleInfo;
  /** How many failures there were in the window, up to 10,000. */
  readonly count: number;
  readonly window: { readonly from: Date; readonly to: Date };
  /** The five largest among the newest 1,000 of these failures. */
  readonly groups: readonly AlertedGroup[];
  /** The end of the rule's cool-down. */
  readonly silentUntil: Date;
  /** True where the process that raised it died before it had told everybody. */
  readonly redelivered: boolean;
}

export interface InterceptorEvents {
  onJobAdded: JobAddedEvent;
  onJobMarshalled: JobMarshalledEvent;
  onJobComplete: JobCompleteEvent;
  onJobCancelled: JobCancelledEvent;
  onJobReleased: JobReleasedEvent;
  onJobException: JobExceptionEvent;
  onJobFailed: JobFailedEvent;
  onJobRetried: JobRetriedEvent;
  onBatchComplete: EventBase;
  onBatchFailed: EventBase;
  onAlert: AlertEvent;
}

export type Listener<P extends InterceptionPoint> = (event: InterceptorEvents[P]) => unknown;

/** An object whose methods are named after interception points. */
export type Interceptor = { [P in InterceptionPoint]?: (event: InterceptorEvents[P]) => unknown };
