import { RedriveError } from '../../../../src/errors.ts';
import type { Engine, GivenDatabase } from '../given-database.ts';
import { canonicalFile, type SqliteAddress } from './open.ts';
import { SqliteStore } from './store.ts';

export const sqlite: Engine = {
  clients: ['better-sqlite3', 'sqlite3', 'sqlite'],
  keyOf(given) {
    const { filename } = addressOf(given);
    // Two connections to `:memory:` are two databases.
    return filename === ':memory:' ? given.config : `${filename} ${given.names.prefix}`;
  },
  open: (given, access) => SqliteStore.open(addressOf(given), access, given.names),
};

function addressOf({ config, instance }: GivenDatabase): SqliteAddress {
  const filename = fileOf(config.connection);
  if (filename === undefined || filename === '')
    throw new RedriveError('CONFIG_INVALID', 'A SQLite database needs connection: { filename: "app.db" }');
  if (instance !== undefined && filename === ':memory:')
    throw new RedriveError(
      'CONFIG_INVALID',
      'A Knex instance on ":memory:" cannot be shared: Redrive opens a connection of its own beside it; use a file',
    );
  return { filename: canonicalFile(filename), synchronous: config.synchronous === 'FULL' ? 'FULL' : 'NORMAL' };
}

function fileOf(connection: unknown): string | undefined {
  if (typeof connection === 'string') return connection;
  if (typeof connection !== 'object' || connection === null) return undefined;
  const { filename } = connection as { filename?: unknown };
  return typeof filename === 'string' ? filename : undefined;
}
