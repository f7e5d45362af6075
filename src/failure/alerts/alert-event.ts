import type { ResolvedAlertRule } from '../../config/resolved.ts';
import type { AlertEvent, AlertRuleInfo } from '../../interceptor/points.ts';
import type { Redactor } from '../../record/redaction.ts';
import type { RaisedAlert } from './raised-alert.ts';

const longestMessage = 500;

/** What everybody is told of a raised alert. Redacted once more, since a rule may be younger than what is on record. */
export function alertEvent(
  rule: ResolvedAlertRule,
  { id, count, from, to, groups }: RaisedAlert,
  { redactor, redelivered }: { readonly redactor: Redactor; readonly redelivered: boolean },
): AlertEvent {
  return {
    eventId: id,
    at: new Date(to),
    rule: ruleInfo(rule),
    count,
    window: Object.freeze({ from: new Date(from), to: new Date(to) }),
    groups: groups.map((group) => Object.freeze({ ...group, message: cut(redactor.text(group.message)) })),
    silentUntil: new Date(to + rule.cooldownMs),
    redelivered,
  };
}

function ruleInfo({ name, failures, withinMs, cooldownMs, queue, job, kind, fingerprint }: ResolvedAlertRule): AlertRuleInfo {
  const narrowed = { queue, job, kind, fingerprint };
  const given = Object.entries(narrowed).filter(([, value]) => value !== undefined);
  return Object.freeze({ name, failures, within: withinMs / 1_000, cooldown: cooldownMs / 1_000, ...Object.fromEntries(given) });
}

function cut(message: string): string {
  return message.length > longestMessage ? `${message.slice(0, longestMessage)}…` : message;
}
