import { expect, test } from 'vitest';
import { linesOf } from './runs.ts';

test('the alerting interceptor: calls for a failed payment, once, and for nothing else', async () => {
  expect(await linesOf('alerting-interceptor')).toEqual([
    'Two payments and an e-mail:',
    '  order 6 captured in attempt 3',
    '  PAGER payments.capture failed: TypeError: the bank does not know order 7',
    '  PAGER after 3 attempts; look at it with: redrive failed show 2',
    '',
    'What failed, whether somebody was called or not:',
    '  number 1: emails.welcome, no mail server (1 of 1 attempts)',
    '  number 2: payments.capture, the bank does not know order 7 (3 of 3 attempts)',
    '',
    '1 call, 2 failed jobs',
  ]);
});
