import { expect, it } from 'vitest';
import { makeScene } from '../interceptors/metrics/source.ts';
import { code, codes, page, section, tableRows } from './markdown.ts';

it('the guide to metrics lists each metric with its kind and its labels', async () => {
  const rows = tableRows(section(page('docs/guides/metrics.md'), '## What is counted where'));
  const documented = rows.map(([name, kind, labels = '']) => ({ name: code(name), kind, labels: codes(labels) }));
  const actual = makeScene()
    .registry.getMetricsAsArray()
    .map((metric) => {
      const { name, labelNames } = metric as typeof metric & { labelNames: readonly string[] };
      return { name, kind: metric.constructor.name.toLowerCase(), labels: labelNames };
    });
  expect(documented).toEqual(actual);
});
