import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/errors.ts';
import { code, page, section, tableRows } from './markdown.ts';

const codes = tableRows(section(page('docs/reference/errors.md'), '## Codes'));

describe('the reference of errors', () => {
  it('has a row for each code, and no other, in alphabetical order', () => {
    expect(codes.map(([first]) => code(first))).toEqual(Object.keys(errorCodes).toSorted());
  });

  it.each(codes)('says of %s what the source says, and what to do', (first, meaning, remedy) => {
    expect(meaning).toBe(errorCodes[code(first) as keyof typeof errorCodes]);
    expect(remedy).toMatch(/^[A-Z].{10,}\.$/);
  });
});
