import type { Duration } from '../duration.ts';
import type { AlertEvent } from '../interceptor/points.ts';
import type { FailureKind } from '../record/types.ts';

/** Is told of an alert. What it throws, and a promise of it that rejects or hangs, is logged; no job is affected. */
export type AlertNotifier = (alert: AlertEvent) => unknown;

/** Raises an alert when there are more failures than it allows. */
export interface AlertRule {
  /** One of a kind. All processes that share a failed-jobs log share the cool-down of a name. */
  readonly name: string;
  readonly when: {
    /** More failures than this raise the alert. With `fingerprint: 'new'` the default is 0: the first one does. */
    readonly failures?: number;
    /** In the past this long. With `fingerprint: 'new'` the default is an hour. */
    readonly within?: Duration;
    readonly queue?: string;
    /** The name of a job. */
    readonly job?: string;
    readonly kind?: FailureKind;
    /** `'new'`: of groups that were never seen before; else the fingerprint of one group. */
    readonly fingerprint?: string;
  };
  /** After an alert the rule is silent for this long, at least a second. Default an hour. */
  readonly cooldown?: Duration;
  /** Default: a line in the log, at error level. */
  readonly notify?: AlertNotifier | readonly AlertNotifier[];
}
