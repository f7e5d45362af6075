import { expect, test } from 'vitest';
import { linesOf } from './runs.ts';

test('the flaky API: backoff, RetryAfter, and a retry once it is up again', async () => {
  const lines = await linesOf('flaky-api');
  const about = (order: number): readonly string[] =>
    lines.filter((line) => line.startsWith(`  order ${order}`)).map((line) => line.trim());
  expect(about(1001)).toEqual([
    'order 1001, attempt 1: the API answered 503; again in 0.1 s',
    'order 1001, attempt 2: the API answered 503; again in 0.2 s',
    'order 1001, attempt 3: shipped',
  ]);
  expect(about(1002)).toEqual(['order 1002, attempt 1: the API answered 429; again in 0.5 s', 'order 1002, attempt 2: shipped']);
  expect(about(1003)).toEqual([
    'order 1003, attempt 1: the API answered 500; again in 0.1 s',
    'order 1003, attempt 2: the API answered 500; again in 0.2 s',
    'order 1003, attempt 3: the API answered 500; failed',
    'order 1003: the API answered 500, after 3 attempts (max-attempts)',
    'order 1003, attempt 1: shipped',
  ]);
  expect(lines.at(-1)).toBe('1 retried, 1 resolved, 0 still failed');
});
