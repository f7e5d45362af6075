import { describe, expect, it } from 'vitest';
import { code, page, section, tableRows } from './markdown.ts';
import { configMistakes } from './mistakes/config.ts';
import { dispatchMistakes } from './mistakes/dispatching.ts';
import { failedJobMistakes } from './mistakes/failed-jobs.ts';
import { jobMistakes } from './mistakes/jobs.ts';
import { runningMistakes } from './mistakes/running.ts';
import { serviceMistakes } from './mistakes/services.ts';
import { storeMistakes } from './mistakes/stores.ts';

const mistakes = {
  ...configMistakes,
  ...jobMistakes,
  ...serviceMistakes,
  ...storeMistakes,
  ...dispatchMistakes,
  ...runningMistakes,
  ...failedJobMistakes,
};
const rows = tableRows(section(page('docs/reference/errors.md'), '## From a mistake to what you read')).map(
  ([mistake, what, read, text]) => ({
    mistake: code(mistake),
    what: what ?? '',
    code: code(read),
    text: code(text),
  }),
);

describe('the table of mistakes', () => {
  it('has a row for each mistake that is made here, and no other, none twice', () => {
    expect(rows.map(({ mistake }) => mistake).toSorted()).toEqual(Object.keys(mistakes).toSorted());
  });

  it.each(rows)('is right about $mistake', async ({ mistake, code: wanted, text }) => {
    const read = await mistakes[mistake as keyof typeof mistakes]!();
    expect(read.code).toBe(wanted);
    expect(read.text).toContain(text);
  });
});
