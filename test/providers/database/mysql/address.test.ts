import { describe, expect, it } from 'vitest';
import { checkAddress, connectionFor, describeAddress, userOf } from '../../../../providers/database/dialects/mysql/address.ts';

const always = { charset: 'utf8mb4', multipleStatements: false, connectTimeout: 10_000 };

describe('an address of MySQL', () => {
  it('is read from a URL, escapes and options included', () => {
    expect(
      connectionFor('mysql://ann%40home:p%3A%2Fw@db.example:3307/jobs%20db?ssl={"rejectUnauthorized":false}&localAddress=10.0.0.1'),
    ).toEqual({
      host: 'db.example',
      port: 3307,
      user: 'ann@home',
      password: 'p:/w',
      database: 'jobs db',
      ssl: { rejectUnauthorized: false },
      localAddress: '10.0.0.1',
      ...always,
    });
    expect(connectionFor('mariadb://localhost/jobs')).toEqual({ host: 'localhost', database: 'jobs', ...always });
    expect(connectionFor({ uri: 'mysql2://[::1]/jobs', user: 'ann' })).toEqual({ host: '::1', database: 'jobs', user: 'ann', ...always });
  });

  it('is taken as it was written, but for what would change the meaning of a statement', () => {
    const written = { host: 'db', database: 'jobs', multipleStatements: true, charset: 'latin1', connectTimeout: 500 };
    expect(connectionFor(written)).toEqual({ ...always, host: 'db', database: 'jobs', connectTimeout: 500 });
  });

  it('may be a function, which is asked at each connection', async () => {
    const connection = connectionFor(async () => ({ host: 'db', database: 'jobs', password: 'of today' })) as () => Promise<unknown>;
    expect(await connection()).toEqual({ ...always, host: 'db', database: 'jobs', password: 'of today' });
  });

  it('is shown without user and password', () => {
    expect(describeAddress('mysql://ann:secret@db/jobs')).toBe('mysql://db:3306/jobs');
    expect(describeAddress({ host: '::1', port: 3307, user: 'ann', password: 'secret', database: 'jobs' })).toBe('mysql://[::1]:3307/jobs');
    expect(describeAddress({ socketPath: '/run/mysqld.sock', database: 'jobs' })).toBe('mysql:///run/mysqld.sock/jobs');
    expect(describeAddress(async () => ({ password: 'secret' }))).toBe('MySQL');
    expect(userOf('mysql://ann:secret@db/jobs')).toBe('ann');
  });

  it.each([
    ['no URL at all', 'is no URL; write "mysql://user:password@host/database"'],
    ['postgres://localhost/jobs', 'begins with postgres://; a MySQL database has "mysql://"'],
    ['mysql://localhost', 'names no database; give connection: { host, user, password, database }'],
    [{ host: 'localhost' }, 'names no database'],
    [undefined, 'names no database'],
  ])('is refused where it leads nowhere: %j', (written, message) => {
    expect(() => checkAddress(written)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(message) }),
    );
  });
});
