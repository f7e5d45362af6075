import type { AlertNotifier } from '../../src/config/alert-rule.ts';
import { guarded, type GuardOptions } from '../../src/guard.ts';
import type { AlertEvent, Interceptor } from '../../src/interceptor/points.ts';
import { logAlerts } from './log-alerts.ts';

export interface FailureAlertsOptions extends GuardOptions {
  /** The rules, each with those it tells; none: the log. */
  readonly rules: readonly { readonly name: string; readonly notifiers: readonly AlertNotifier[] }[];
}

/**
 * Tells the notifiers of a rule of its alerts, all at the same time: one that throws or hangs is logged, and holds up no other.
 * Nobody is told again by it: a notifier may have come half-way, and those that want to try again do so themselves.
 */
export class FailureAlerts implements Interceptor {
  constructor(private readonly options: FailureAlertsOptions) {}

  async onAlert(alert: AlertEvent): Promise<void> {
    const { rules, logger } = this.options;
    const { name } = alert.rule;
    const own = rules.find((rule) => rule.name === name)?.notifiers ?? [];
    const notifiers = own.length === 0 ? [logAlerts(logger)] : own;
    await Promise.all(notifiers.map((notify) => guarded(`notify of the alert "${name}"`, this.options, () => notify(alert))));
  }
}
