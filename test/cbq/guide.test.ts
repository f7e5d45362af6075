import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { interceptionPoints } from '../../src/index.ts';
import { code, page, section, tableRows } from '../docs/markdown.ts';

const guide = page('docs/migrating-from-cbq.md');

describe('the guide for those who come from cbq', () => {
  const counterparts = tableRows(section(guide, "## The behaviours of cbq's specs"));

  it.each(counterparts)('names a test for what %s asks (%s), or says that there is none', (_, __, here = '') => {
    if (/^not there( yet)?(:|$)/.test(here)) return;
    const file = code(here);
    const title = here.slice(here.indexOf('`: ') + 3);
    expect(existsSync(file), file).toBe(true);
    expect(page(file)).toMatch(new RegExp(`\\((['"\`])${title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll("'", "\\\\?'")}\\1`));
  });

  it('names every point that cbq has a word for', () => {
    const points = tableRows(section(guide, '### Interception points')).flatMap(([, here]) =>
      [...here!.matchAll(/`(on\w+)`/g)].map(([, point]) => point),
    );
    expect(interceptionPoints.filter((point) => !points.includes(point))).toEqual(['onBatchComplete', 'onBatchFailed', 'onAlert']);
    expect(points.filter((point) => !(interceptionPoints as readonly unknown[]).includes(point))).toEqual([]);
  });
});
