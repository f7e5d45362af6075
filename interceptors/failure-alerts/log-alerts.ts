import type { AlertNotifier } from '../../src/config/alert-rule.ts';
import { formatDuration } from '../../src/duration.ts';
import type { AlertEvent } from '../../src/interceptor/points.ts';
import type { Logger } from '../../src/logger.ts';

/** Tells of alerts by a line in a log, at error level: what a rule without `notify` does. */
export function logAlerts(logger: Logger): AlertNotifier {
  return (alert: AlertEvent) => {
    const { eventId, rule, count, window, groups, silentUntil, redelivered } = alert;
    logger.error({ alert: rule.name, eventId, rule, count, window, groups, silentUntil, redelivered }, describeAlert(alert));
  };
}

/** An alert as one line. */
export function describeAlert({ rule, count, groups }: AlertEvent): string {
  const { name, within, queue, job, kind, fingerprint } = rule;
  const narrowed = Object.entries({ queue, job, kind, group: fingerprint }).filter(([, value]) => value !== undefined);
  const which = narrowed.map(([key, value]) => ` of ${key} ${value}`).join('');
  const [largest] = groups;
  const most = largest === undefined ? '' : `; most of them ${largest.job}: ${largest.type}: ${firstLine(largest.message)}`;
  return `Alert "${name}": ${count} failure(s)${which} within ${formatDuration(within * 1_000)}${most}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
