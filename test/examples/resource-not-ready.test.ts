import { expect, test } from 'vitest';
import { linesOf } from './runs.ts';

test('a resource that is not ready: released until it is, and failed where it never comes', async () => {
  const lines = await linesOf('resource-not-ready');
  const about = (report: string): readonly string[] => lines.filter((line) => line.startsWith(`  ${report}`)).map((line) => line.trim());
  expect(about('monday')).toEqual(['monday: mailed (attempt 1 of 4)']);
  expect(about('tuesday')).toEqual([
    'tuesday: not there yet (attempt 1 of 4)',
    'tuesday: not there yet (attempt 2 of 4)',
    'tuesday: mailed (attempt 3 of 4)',
  ]);
  expect(about('sunday')).toEqual([
    ...[1, 2, 3, 4].map((attempt) => `sunday: not there yet (attempt ${attempt} of 4)`),
    'sunday: mailed (attempt 1 of 4)',
  ]);
  const record = lines.indexOf('One never came, and is on record with every look:');
  expect(lines.slice(record + 1, record + 6)).toEqual([
    '  RedriveError, code MAX_ATTEMPTS_REACHED, kind released',
    ...[1, 2, 3].map((attempt) => `  attempt ${attempt}: released (rule released)`),
    '  attempt 4: released (rule max-attempts)',
  ]);
  expect(lines.at(-1)).toBe('1 resolved, 0 still failed');
});
