import { tryDurationMs, type Duration } from '../duration.ts';
import { failureKinds, type FailureKind } from '../record/types.ts';
import type { AlertNotifier } from './alert-rule.ts';
import { checkChoice, checkDuration, checkName, checkQueue, type Check } from './checks.ts';
import { describe, show } from './describe.ts';
import { here } from './finding.ts';
import { leaf, listOf, section } from './schema-parts.ts';

/** Its claim, `alert:NAME`, has to fit a column. */
const longestRuleName = 200;
const mostFailures = 1_000_000;
const shortestSpanMs = 1_000;

const checkRuleName: Check = (value) => {
  if (value === undefined) return [here('is missing; give the rule a name of its own')];
  const findings = checkName(value);
  if (findings.length > 0 || typeof value !== 'string' || value.length <= longestRuleName) return findings;
  return [here(`is ${value.length} characters long; ${longestRuleName} are allowed`)];
};

const checkFailures: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= mostFailures
    ? []
    : [here(`must be a whole number from 0 to ${mostFailures} (more failures than this raise the alert), not ${show(value)}`)];

const checkSpan: Check = (value) => {
  const findings = checkDuration(value);
  if (findings.length > 0 || (tryDurationMs(value) ?? 0) >= shortestSpanMs) return findings;
  return [here(`${show(value)} is too short; give a second at least`)];
};

const checkNotify: Check = (value) => {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value];
  const wrong = all.find((one) => typeof one !== 'function');
  return wrong === undefined ? [] : [here(`must be a function, such as webhook({ url }), or a list of them, not ${describe(wrong)}`)];
};

const when = section({
  failures: leaf<number>(checkFailures).optional(),
  within: leaf<Duration>(checkSpan).optional(),
  queue: leaf<string>(checkQueue).optional(),
  job: leaf<string>(checkName).optional(),
  kind: leaf<FailureKind>(checkChoice(failureKinds)).optional(),
  fingerprint: leaf<string>(checkName).optional(),
}).check(({ value, issues }) => {
  if (value.fingerprint === 'new') return;
  for (const key of ['failures', 'within'] as const)
    if (value[key] === undefined)
      issues.push({ code: 'custom', path: [key], input: value, message: 'is missing; a rule is { failures: 100, within: "1h" }' });
});

const rule = section({
  name: leaf<string>(checkRuleName),
  when,
  cooldown: leaf<Duration>(checkSpan).optional(),
  notify: leaf<AlertNotifier | readonly AlertNotifier[]>(checkNotify).optional(),
});

/** The rules of `alerts`; each has a name of its own. */
export const alertRules = listOf(rule, 'rules').check(({ value, issues }) => {
  const names = value.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    const first = names.indexOf(name);
    if (first < index)
      issues.push({
        code: 'custom',
        path: [index, 'name'],
        input: value,
        message: `${show(name)} is the name of alerts[${first}] already`,
      });
  }
});
