import { expect, test } from 'vitest';
import { linesOf } from './runs.ts';

test('invalid data: refused at dispatch, before the job, and by the job, and never tried again', async () => {
  expect(await linesOf('invalid-data')).toEqual([
    '1. The schema refuses bad data at dispatch, and nothing is stored:',
    '  properties.customer: not positive',
    '',
    '2. Four invoices are sent, one of them by an older program without a schema:',
    '  invoice for customer 1 sent to ada@example.com (attempt 1)',
    '  invoice for customer 4 sent to edsger@example.com (attempt 2)',
    '',
    '3. What failed was tried once at most; the busy mail server was tried again:',
    '  number 1: unprocessable, rule unprocessable, attempt 1 of 5',
    "    The properties do not fit the job's schema: properties.customer: no number",
    '  number 2: exception, rule unrecoverable, attempt 1 of 5',
    '    customer 3 has no address',
    '',
    '4. The address is filled in, and what lacked it is put back:',
    '  invoice for customer 3 sent to barbara@example.com (attempt 1)',
    '',
    '5. The unreadable one is sent anew with good data, and its failure resolved:',
    '  invoice for customer 2 sent to grace@example.com (attempt 1)',
    '',
    '2 resolved, 0 still failed',
  ]);
});
