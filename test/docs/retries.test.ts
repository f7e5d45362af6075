import { expect, it } from 'vitest';
import { failureKinds, type DecisionRule, type RetryStatus } from 'redrive';
import { code, page, section, tableRows } from './markdown.ts';

const text = page('docs/guides/retries-and-failure.md');
const first = (heading: string): readonly string[] => tableRows(section(text, heading)).map(([cell]) => code(cell));

// The compiler holds these lists against the types.
const rules: Readonly<Record<DecisionRule, true>> = {
  'attempts-left': true,
  'retry-after': true,
  released: true,
  shutdown: true,
  'max-attempts': true,
  unrecoverable: true,
  fail: true,
  'fail-on': true,
  'not-retry-on': true,
  'mark-as-failed': true,
  'backoff-null': true,
  'retry-until': true,
  cancelled: true,
  lost: true,
  unprocessable: true,
  manual: true,
};
const statuses: Readonly<Record<RetryStatus, true>> = {
  requeued: true,
  would_requeue: true,
  not_failed: true,
  not_found: true,
  duplicate: true,
  error: true,
};

it('the guide to failure has every kind, every rule, and every outcome of a retry', () => {
  expect(first('### Kinds')).toEqual(failureKinds);
  expect(first('### Rules')).toEqual(Object.keys(rules));
  expect(first('## Putting back')).toEqual(Object.keys(statuses));
});
