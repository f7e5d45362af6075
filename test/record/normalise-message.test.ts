import { describe, expect, it } from 'vitest';
import { normaliseMessage } from '../../src/record/normalise-message.ts';
import { cpuTime } from '../support/cpu-time.ts';

describe('normaliseMessage', () => {
  it.each([
    ['Order 17 costs -3.50 of 1,204.00', 'Order # costs # of #'],
    ['3f2504e0-4f89-41d3-9a0c-0305e82c3301 is gone', '# is gone'],
    ['commit 1a2b3c4 at 0xff, not abc123', 'commit # at #, not abc#'],
    ['GET https://a.example.com/b?c=d#e failed', 'GET <url> failed'],
    ['no mailbox ann@example.com here', 'no mailbox <email> here'],
    [`the "red" and 'blue' and \`green\` and “white” and «grey» one`, 'the <text> and <text> and <text> and <text> and <text> one'],
    ["can't find the user's 'thing', isn't it", "can't find the user's <text>, isn't it"],
    ['an unclosed "quote 17', 'an unclosed "quote #'],
    ['an escaped "a \\" b" quote', 'an escaped <text> quote'],
    ['open /srv/a/b.txt and ./c and src/d.ts and C:\\e\\f', 'open <path> and <path> and <path> and <path>'],
    ['application/json and/or 3/4', 'application/json and/or #'],
    ['at 2024-03-05T10:15:30Z or Tue, 05 Mar 2024 10:15:30 GMT or 10:15:30', 'at <date> or <date> or <date>'],
    ['got {"a":[1,"}"]} and [1, 2]', 'got <json> and <json>'],
    ['got [object Object] and {not: "json"}', 'got [object Object] and {not: <text>}'],
    ['unclosed {"a": 17', 'unclosed {<text>: #'],
    ['  much\n\twhite   space ', 'much white space'],
    ['status code 404, status=503, HTTP/1.1 500, statusCode: 429', 'status code 404, status=503, HTTP/1.1 500, statusCode: 429'],
    ['status code 40400 and 404 things', 'status code # and # things'],
    ['exited with code 137', 'exited with code 137'],
    ['ERR_HTTP2_STREAM_ERROR in utf8mb4', 'ERR_HTTP#_STREAM_ERROR in utf#mb#'],
    ['std::bad_alloc in ns::fn', 'std::bad_alloc in ns::fn'],
    ['', ''],
  ])('makes of %j %j', (message, normal) => {
    expect(normaliseMessage(message)).toBe(normal);
  });

  it('leaves what it made as it is', () => {
    const once = normaliseMessage('Order 17 at https://x.y/z of "a" in /b/c on 2024-01-01 with {"a":1} for a@b.cd');
    expect(normaliseMessage(once)).toBe(once);
  });

  it('F35 reads both ends of a long message, whatever the length between', () => {
    const long = (rows: number): string => `insert into "a" values ${'(?, ?), '.repeat(rows)}- no such table`;
    expect(normaliseMessage(long(2_000))).toBe(normaliseMessage(long(5_000)));
    expect(normaliseMessage(long(2_000))).toMatch(/^insert into <text> values .*- no such table$/s);
    expect(normaliseMessage(long(2_000))).not.toBe(normaliseMessage(long(2_000).replace('no such table', 'disk full')));
  });

  it('F35 makes the same of long and short JSON, quotes and lists', () => {
    for (const [open, close] of [
      ['{"rows":["', '"]}'],
      ['"', '"'],
      ['', ''],
    ]) {
      const of = (rows: number): string => `refused: ${open}${'1234567, '.repeat(rows)}1${close} at last`;
      expect(normaliseMessage(of(3))).toBe(normaliseMessage(of(5_000)));
    }
  });

  it('F15 is quick with 64 KiB of anything', () => {
    const patterns = [
      `' 'a`,
      '"',
      '{"',
      '[1',
      'a.',
      'a@',
      '1',
      '1a',
      'a:',
      '/a',
      'a/',
      'a',
      '2024-01-01T',
      'Mon, ',
      ' ',
      '# ',
      '1,',
      'http://',
      'http:',
      'aaaaaaaa-',
      '\\',
      'status ',
      '1:',
      '::1',
      '.1',
    ];
    for (const pattern of patterns) {
      const message = pattern.repeat(65_536 / pattern.length);
      // It takes a few ms; a pattern that backtracks takes minutes.
      const times = [1, 2, 3].map(() => cpuTime(() => normaliseMessage(message)));
      expect(Math.min(...times), pattern).toBeLessThan(500);
    }
  });
});
