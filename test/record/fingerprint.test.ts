import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/record/fingerprint.ts';
import { snapshotException } from '../../src/record/exception-snapshot.ts';
import type { ExceptionSnapshot } from '../../src/record/types.ts';
import { hostileValues } from '../../src/testing/hostile/hostile-values.ts';

const frames = '\n    at charge (/srv/app/jobs/charge.ts:12:5)\n    at run (/srv/app/node_modules/x/index.js:1:1)';

function setup(message: string, change: Partial<ExceptionSnapshot> & { readonly job?: string } = {}): string {
  const { job = 'charge', ...exception } = change;
  return fingerprintOf({ job, exception: { type: 'Error', message, stack: `Error: ${message}${frames}`, ...exception } });
}

/** Messages as they are met in the field: those of one line have one cause. */
const causes: Readonly<Record<string, readonly string[]>> = {
  'connection refused': [
    'connect ECONNREFUSED 127.0.0.1:5432',
    'connect ECONNREFUSED 10.0.3.17:6379',
    'connect ECONNREFUSED ::1:5432',
    'connect ECONNREFUSED fe80::1c2f:7aff:fe1e:1:80',
  ],
  'connection timed out': ['connect ETIMEDOUT 34.117.59.81:443', 'connect ETIMEDOUT 10.0.0.1:5432'],
  'connection reset': ['read ECONNRESET'],
  'socket hung up': ['socket hang up'],
  'unknown host': ['getaddrinfo ENOTFOUND db-1.internal.example.com', 'getaddrinfo ENOTFOUND db-27.internal.example.com'],
  'duplicate key': [
    'duplicate key value violates unique constraint "users_email_key"',
    'duplicate key value violates unique constraint "orders_number_key"',
  ],
  'missing column': ['column "a" does not exist', 'column "customer_id" does not exist'],
  'missing relation': ['relation "users" does not exist', 'relation "order-items" does not exist'],
  'missing file': [
    "ENOENT: no such file or directory, open '/tmp/upload-1a2b3c/report.pdf'",
    "ENOENT: no such file or directory, open 'C:\\Users\\ann\\it's here.txt'",
  ],
  'missing path': [
    'Cannot read /var/data/in/17.csv',
    'Cannot read ../in/customers-2024.csv',
    'Cannot read C:\\in\\x.csv',
    'Cannot read ~/x.csv',
    'Cannot read data/in/x.csv',
  ],
  'no permission': ["EACCES: permission denied, open '/etc/passwd'", "EACCES: permission denied, open '/root/.ssh/id_rsa'"],
  'property of undefined': [
    "Cannot read properties of undefined (reading 'id')",
    "Cannot read properties of undefined (reading 'customer name')",
  ],
  'not found (404)': ['Request failed with status code 404'],
  'server broken (500)': ['Request failed with status code 500'],
  'HTTP 429': ['HTTP 429 from https://api.example.com/v1/orders/17?page=2', 'HTTP 429 from http://10.0.0.7:8080/x'],
  'HTTP 503': ['HTTP 503 from https://api.example.com/v1/orders/17?page=2', 'HTTP 503 from https://b.example.com/'],
  'out of memory': ['Command failed with exit code 137 after 31 s', 'Command failed with exit code 137 after 5.5 s'],
  'command failed': ['Command failed with exit code 1 after 31 s', 'Command failed with exit code 1 after 1,204 s'],
  'timeout of a request': ['timeout of 5000ms exceeded', 'timeout of 30000ms exceeded'],
  'unknown order': [
    'Order 17 not found',
    'Order 99182736451 not found',
    'Order 3f2504e0-4f89-41d3-9a0c-0305e82c3301 not found',
    'Order 01ARZ3NDEKTSV4RRFFQ69G5FAV not found',
    'Order 507f1f77bcf86cd799439011 not found',
    'Order deadbee not found',
    'Order -3 not found',
  ],
  'unknown orders': ['Orders 1, 2 and 3 missing', 'Orders 17, 18, 19, 20 and 4 missing'],
  'unknown customer': ['No such customer: cus_9s6XKzkNRiz8i3', 'No such customer: cus_NffrFeUfNV2Hib5'],
  'bad address': [
    'Mailbox unavailable: ann@example.com',
    'Mailbox unavailable: o.neil+news@mail.example.co.uk',
    'Mailbox unavailable: jürgen@example.de',
  ],
  'bad JSON body': [
    'Unexpected response: {"error":{"code":17,"messages":["a","}"]}}',
    'Unexpected response: []',
    'Unexpected response: {}',
    'Unexpected response: [1, 2, {"a": null}]',
  ],
  'token expired': [
    'Token expired at 2024-03-05T10:15:30.123Z',
    'Token expired at 2025-12-31 23:59:59+01:00',
    'Token expired at 2025-12-31',
    'Token expired at Tue, 05 Mar 2024 10:15:30 GMT',
    'Token expired at Tue Mar 05 2024 10:15:30 GMT+0100 (Central European Standard Time)',
    'Token expired at 5 March 2024 10:15',
  ],
  deadlock: [
    'Deadlock found when trying to get lock; try restarting transaction',
    'Deadlock found when trying to get lock; try restarting transaction ',
  ],
  lock: ['SQLITE_BUSY: database is locked'],
  'bad certificate': [
    "Hostname/IP does not match certificate's altnames: Host: a.example.com. is not in the cert's altnames",
    "Hostname/IP does not match certificate's altnames: Host: a.example.com. is not in the cert's  altnames",
  ],
};

describe('F35 fingerprints of messages from the field', () => {
  it.each(Object.entries(causes))('F35 falls together: %s', (_, messages) => {
    expect(new Set(messages.map((message) => setup(message))).size).toBe(1);
  });

  it('F35 keeps different causes apart', () => {
    const prints = Object.values(causes).map((messages) => setup(messages[0] ?? ''));
    expect(new Set(prints).size).toBe(prints.length);
  });
});

describe('F35 what a fingerprint is made of', () => {
  it('F35 is 16 hex digits', () => {
    expect(setup('x')).toMatch(/^[0-9a-f]{16}$/);
  });

  it('F35 differs by job, type and top application frame', () => {
    const other = 'Error: x\n    at refund (/srv/app/jobs/charge.ts:12:5)';
    const prints = [
      setup('x'),
      setup('x', { job: 'refund' }),
      setup('x', { type: 'TypeError' }),
      setup('x', { stack: other }),
      setup('x', { stack: '' }),
    ];
    expect(new Set(prints).size).toBe(prints.length);
  });

  it('F35 does not depend on lines and columns', () => {
    expect(setup('x', { stack: `Error: x${frames.replaceAll(/:\d+:\d+/g, ':7:7')}` })).toBe(setup('x'));
  });

  it('F35 leaves causes, fields, code and truncation out', () => {
    const cause = snapshotException(new Error('why'));
    expect(setup('x', { cause, errors: [cause], fields: { a: 1 }, code: 'E', truncated: true })).toBe(setup('x'));
  });

  it('F35 takes no frame from a message that quotes a stack', () => {
    const stackOf = (name: string): string => setup(`remote failed\n    at ${name} (/srv/app/remote.ts:1:1)`);
    const message = 'remote failed\n    at quoted (/srv/app/remote.ts:1:1)';
    expect(setup(message)).toBe(setup(message, { stack: `Error: ${message}${frames}` }));
    expect(stackOf('one')).not.toBe(stackOf('two'));
  });

  it('F15 is made of any hostile value', () => {
    for (const { make } of hostileValues)
      expect(fingerprintOf({ job: 'x', exception: snapshotException(make()) })).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('F35 what differs from one failure to the next', () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: length, maxLength: length });
  const name = fc.string({ unit: fc.constantFrom(...'abcdefghij-_'.split('')), minLength: 1, maxLength: 12 });
  const variants: Readonly<Record<string, fc.Arbitrary<string>>> = {
    number: fc.oneof(
      fc.integer().map(String),
      fc.double({ noDefaultInfinity: true, noNaN: true }).map(String),
      fc.bigInt({ min: 0n }).map(String),
    ),
    UUID: fc.uuid(),
    hex: fc.integer({ min: 7, max: 64 }).chain(hex),
    URL: fc.webUrl({ withQueryParameters: true, withFragments: true }).filter((url) => !/['"`<>]/.test(url)),
    quoted: fc
      .string({ unit: 'grapheme' })
      .filter((text) => !/["\\]/.test(text))
      .map((text) => `"${text}"`),
    path: fc.array(name, { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.join('/')}`),
    'Windows path': fc.array(name, { minLength: 1, maxLength: 5 }).map((parts) => `C:\\${parts.join('\\')}`),
    'ISO date': fc.date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-01-01') }).map((date) => date.toISOString()),
    'RFC date': fc
      .date({ noInvalidDate: true, min: new Date('1000-01-01'), max: new Date('9999-01-01') })
      .map((date) => date.toUTCString()),
    JSON: fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue())).map((value) => JSON.stringify(value)),
    email: fc.tuple(name, name).map(([user, host]) => `${user}@x${host}x.com`),
  };
  const words = fc.constantFrom('cannot charge', 'late by', 'refused', 'no room for', 'failed:');

  it.each(Object.entries(variants))('F35 does not depend on the %s in a message', (_, variant) => {
    fc.assert(
      fc.property(words, words, variant, variant, (before, after, one, other) => {
        expect(setup(`${before} ${one} ${after}`)).toBe(setup(`${before} ${other} ${after}`));
      }),
    );
  });

  it('F35 depends on all words around', () => {
    fc.assert(
      fc.property(words, words, fc.nat(), (one, other, id) => {
        expect(setup(`${one} ${id}`) === setup(`${other} ${id}`)).toBe(one === other);
      }),
    );
  });

  it('F35 differs for different types', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.string(),
        (message, one, other) => (setup(message, { type: one }) === setup(message, { type: other })) === (one === other),
      ),
    );
  });
});
