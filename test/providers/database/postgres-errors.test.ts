import { describe, expect, it } from 'vitest';
import { explain, troubleOf } from '../../../providers/database/dialects/postgres/errors.ts';
import { RedriveError } from '../../../src/errors.ts';

const location = 'postgres://db:5432/app';

function fault(code: string, message = 'what the server says'): Error {
  return Object.assign(new Error(message), code === '' ? {} : { code });
}

describe('an error of PostgreSQL', () => {
  it.each([
    ['28P01', 'STORE_DENIED', 'correct user and password'],
    ['28000', 'STORE_DENIED', 'correct user and password'],
    ['42501', 'STORE_DENIED', 'grant what is missing'],
    ['3D000', 'STORE_MISSING', 'create the database'],
    ['42P01', 'STORE_UNMIGRATED', 'run "redrive migrate"'],
    ['42703', 'STORE_UNMIGRATED', 'run "redrive migrate"'],
    ['25006', 'STORE_READ_ONLY', 'name the primary server'],
    ['53300', 'STORE_UNREACHABLE', 'max_connections'],
    ['40P01', 'STORE_LOCKED', 'pg_stat_activity'],
    ['40001', 'STORE_LOCKED', 'pg_stat_activity'],
    ['55P03', 'STORE_LOCKED', 'pg_stat_activity'],
    ['53100', 'STORE_BROKEN', 'disk'],
    ['58030', 'STORE_BROKEN', 'disk'],
    ['54000', 'PAYLOAD_TOO_LARGE', 'store large data elsewhere'],
    ['22001', 'PAYLOAD_TOO_LARGE', 'shorten'],
    ['57P01', 'STORE_UNREACHABLE', 'check host, port and network'],
    ['57P03', 'STORE_UNREACHABLE', 'check host, port and network'],
    ['08006', 'STORE_UNREACHABLE', 'check host, port and network'],
    ['ECONNREFUSED', 'STORE_UNREACHABLE', 'whether the server runs'],
    ['ENOTFOUND', 'STORE_UNREACHABLE', 'check host, port and network'],
    ['ECONNRESET', 'STORE_UNREACHABLE', 'check host, port and network'],
  ])('with the code %s becomes %s, which says: %s', (code, expected, words) => {
    const cause = fault(code);
    const told = explain(cause, location);
    expect(told).toMatchObject({ code: expected, cause });
    expect(String(told)).toContain(location);
    expect(String(told)).toContain(words);
  });

  it.each([
    'Connection terminated unexpectedly',
    'timeout expired',
    'Query read timeout',
    'Connection terminated due to connection timeout',
  ])('of the driver that says "%s" and has no code becomes STORE_UNREACHABLE', (message) =>
    expect(explain(fault('', message), location)).toMatchObject({ code: 'STORE_UNREACHABLE' }),
  );

  it('of every address of a name at once becomes STORE_UNREACHABLE, with words', () => {
    const one = fault('ECONNREFUSED', 'connect ECONNREFUSED ::1:5432');
    const all = Object.assign(new AggregateError([one, fault('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432')]), {
      code: 'ECONNREFUSED',
    });
    expect(explain(all, location)).toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('connect ECONNREFUSED ::1:5432') as string,
    });
  });

  it('of a value beyond 1 GB becomes PAYLOAD_TOO_LARGE', () => {
    expect(explain(fault('XX000', 'invalid memory alloc request size 1073741824'), location)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it('of a pool with no connection to spare becomes STORE_UNREACHABLE', () => {
    const timeout = Object.assign(new Error('Knex: Timeout acquiring a connection.'), { name: 'KnexTimeoutError' });
    expect(explain(timeout, location)).toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining("raise the pool's max") as string,
    });
  });

  it('that is none of these, or coded already, stays what it is', () => {
    for (const other of [fault('22P02'), new TypeError('x'), new RedriveError('LEASE_LOST', 'x'), 'text'])
      expect(explain(other, location)).toBe(other);
  });
});

describe('after which error a script is run again', () => {
  it.each([
    ['40P01', 'contention'],
    ['40001', 'contention'],
    ['55P03', 'contention'],
    ['23505', 'taken'],
    ['57P01', 'disconnected'],
    ['25P03', 'disconnected'],
    ['ECONNRESET', 'disconnected'],
    ['EPIPE', 'disconnected'],
    // Somebody has to mend these first.
    ['ECONNREFUSED', undefined],
    ['28P01', undefined],
    ['42P01', undefined],
    ['25006', undefined],
    ['23502', undefined],
  ])('%s: %s', (code, trouble) => expect(troubleOf(fault(code))).toBe(trouble));

  it('not after one of our own', () => {
    expect(troubleOf(new RedriveError('LEASE_LOST', 'x', { cause: fault('40P01') }))).toBeUndefined();
  });
});
