import { describe, expect, it } from 'vitest';
import { checkServer, exactCollation } from '../../../../providers/database/dialects/mysql/server.ts';

const strict = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION';
const check = (version: string, sqlMode = strict): void =>
  checkServer({ version, sqlMode, maxPacketBytes: 1, database: 'jobs' }, 'mysql://db:3306/jobs');

describe('a server of MySQL or MariaDB', () => {
  it.each(['10.6.0-MariaDB', '10.11.19-MariaDB-0+deb12u1', '11.4.2-MariaDB-log', '8.0.17', '8.0.36-0ubuntu0.22.04.1', '8.4.0', '9.1.0'])(
    'may be %s',
    (version) => {
      expect(() => check(version)).not.toThrow();
    },
  );

  it.each([
    ['5.7.44-log', 'is MySQL 5.7.44, and Redrive needs MySQL 8.0.17 or later'],
    ['8.0.16', 'is MySQL 8.0.16, and Redrive needs MySQL 8.0.17 or later'],
    ['8.0.11-TiDB-v7.5.0', 'is MySQL 8.0.11'],
    ['10.5.23-MariaDB', 'is MariaDB 10.5.23, and Redrive needs MariaDB 10.6.0 or later'],
    ['5.5.68-MariaDB', 'is MariaDB 5.5.68'],
  ])('must not be %s', (version, message) => {
    expect(() => check(version)).toThrow(expect.objectContaining({ code: 'STORE_TOO_OLD', message: expect.stringContaining(message) }));
  });

  it('must refuse what does not fit, and know the backslash', () => {
    expect(() => check('8.4.0', 'NO_ENGINE_SUBSTITUTION')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('lacks STRICT_TRANS_TABLES') }),
    );
    expect(() => check('8.4.0', '')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => check('8.4.0', 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES')).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('has NO_BACKSLASH_ESCAPES') }),
    );
  });

  it('has a collation that compares to the letter', () => {
    expect(exactCollation('10.11.19-MariaDB')).toBe('utf8mb4_nopad_bin');
    expect(exactCollation('8.4.0')).toBe('utf8mb4_0900_bin');
  });
});
