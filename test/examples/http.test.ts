import { expect, test } from 'vitest';
import { linesOf } from './runs.ts';

test.each(['http-express', 'http-fastify', 'http-hono', 'http-node'])('%s: mounted below an app of its own', async (example) => {
  expect(await linesOf(example)).toEqual([
    'The shop itself:       Welcome',
    'Without the token:     401',
    'What failed:           invoices.print: Error: the printer is out of paper',
    'Put back:              200',
    'What became of it:     successful: invoice 1001 is printed',
    'Who did what:          alice retried 1',
    'Its page, for people:  /redrive/docs, 200',
  ]);
});
