import { expect, it } from 'vitest';
import type { WebhookOptions } from 'redrive/interceptors/failure-alerts';
import { code, page, section, tableRows } from './markdown.ts';

it('the guide to alerts lists the options of a webhook', () => {
  // The compiler holds this list against the interface. A test's own clock and fetch are nobody else's business.
  const options: Readonly<Record<Exclude<keyof WebhookOptions, 'clock' | 'fetch'>, true>> = {
    url: true,
    headers: true,
    body: true,
    timeout: true,
    retries: true,
    backoff: true,
  };
  const rows = tableRows(section(page('docs/guides/alerts.md'), '## Who is told'));
  expect(rows.map(([option]) => code(option))).toEqual(Object.keys(options));
});
