import { RedriveError } from '../../../../src/errors.ts';

/** SQLite's result code of an error, such as `SQLITE_BUSY`; undefined for what is not SQLite's. */
function resultCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code } = error as Error & { code?: unknown };
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : undefined;
}

/** What can be done about a database that refuses everybody, by result code. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/^SQLITE_CORRUPT/, 'restore it from a backup, or save what can be read with "sqlite3 FILE .recover"'],
  [/^SQLITE_FULL/, 'make room on its disk'],
  [/^SQLITE_(IOERR|PROTOCOL)/, 'check its disk, and that it is a local one'],
  [/^SQLITE_NOMEM/, 'give the process more memory'],
];

/** True while somebody else writes: the same call succeeds later. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error) ?? '';
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED');
}

/** Says what an error of SQLite means for somebody who has to mend it; anything else comes back as it is. */
export function explain(error: unknown, filename: string): unknown {
  const code = resultCode(error);
  if (code === undefined || error instanceof RedriveError) return error;
  const { message } = error as Error;
  const cause = { cause: error };
  if (isBusy(error))
    return new RedriveError(
      'STORE_LOCKED',
      `${filename} is locked: another process is in the middle of a write transaction and does not end it; find it (for example with "fuser ${filename}") or wait`,
      cause,
    );
  if (code.startsWith('SQLITE_READONLY'))
    return new RedriveError(
      'STORE_READ_ONLY',
      `${filename} cannot be written (${message}); check the permissions of the file and of its folder`,
      cause,
    );
  if (code === 'SQLITE_NOTADB')
    return new RedriveError('STORE_NOT_A_DATABASE', `${filename} is not a SQLite database; name another file`, cause);
  if (code.startsWith('SQLITE_CANTOPEN'))
    return new RedriveError(
      'STORE_MISSING',
      `${filename} cannot be opened (${message}); check that it exists and that its folder may be written: SQLite needs to place files beside it`,
      cause,
    );
  if (/no such (table|column)|has no column named/.test(message))
    return new RedriveError('STORE_UNMIGRATED', `${filename}: ${message}; run "redrive migrate" to create or upgrade the tables`, cause);
  const remedy = remedies.find(([pattern]) => pattern.test(code))?.[1];
  if (remedy !== undefined) return new RedriveError('STORE_BROKEN', `${filename}: ${message} (${code}); ${remedy}`, cause);
  return error;
}
