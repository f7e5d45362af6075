import { RedriveError } from '../../../../src/errors.ts';

/** The facts of a server, in one row. */
export const serverQuery = `SELECT VERSION() AS version, @@max_allowed_packet AS maxPacketBytes, @@sql_mode AS sqlMode, DATABASE() AS "database"`;

/** What a connection says of its server and of itself. */
export interface ServerFacts {
  readonly version: string;
  readonly maxPacketBytes: number;
  readonly sqlMode: string;
  readonly database: string | null;
}

/** The oldest that know SKIP LOCKED, DDL that is whole or not at all, and a counter that outlives a restart. */
const oldest = { MariaDB: [10, 6, 0], MySQL: [8, 0, 17] } as const;

/** Throws `STORE_TOO_OLD`, or `CONFIG_INVALID` for settings under which values would be changed on their way. */
export function checkServer({ version, sqlMode }: ServerFacts, location: string): void {
  const kind = kindOf(version);
  const [, ...parts] = /(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  if (isOlder(parts.map(Number), oldest[kind])) {
    throw new RedriveError(
      'STORE_TOO_OLD',
      `${location} is ${kind} ${parts.join('.')}, and Redrive needs ${kind} ${oldest[kind].join('.')} or later; upgrade the server`,
    );
  }
  const modes = sqlMode.split(',');
  if (modes.includes('NO_BACKSLASH_ESCAPES')) throw unfit(location, 'has NO_BACKSLASH_ESCAPES, under which mysql2 escapes text wrongly');
  if (!modes.includes('STRICT_TRANS_TABLES') && !modes.includes('STRICT_ALL_TABLES'))
    throw unfit(location, 'lacks STRICT_TRANS_TABLES, without which the server cuts what does not fit, and says nothing');
}

/** The collation under which two texts are equal only to the letter, also in the spaces at their end. */
export function exactCollation(version: string): string {
  return kindOf(version) === 'MariaDB' ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
}

function kindOf(version: string): keyof typeof oldest {
  return /mariadb/i.test(version) ? 'MariaDB' : 'MySQL';
}

function isOlder(found: readonly number[], wanted: readonly number[]): boolean {
  for (const [index, number] of wanted.entries()) {
    const difference = (found[index] ?? 0) - number;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function unfit(location: string, what: string): RedriveError {
  return new RedriveError(
    'CONFIG_INVALID',
    `${location}: sql_mode of the connection ${what}; set it for the connections of this Knex instance, or give Redrive its config in place of the instance`,
  );
}
