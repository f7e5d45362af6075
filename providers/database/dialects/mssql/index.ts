import { RedriveError } from '../../../../src/errors.ts';
import type { Engine } from '../given-database.ts';
import { loadDriver, openServer, type Driver, type Reached, type ServerKind } from '../server/open.ts';
import type { ServerStoreParts } from '../server/server-store.ts';
import { TransactionalMigrator } from '../server/transactional-migrator.ts';
import { noWakeUps } from '../server/wake-ups.ts';
import { databaseOf, describeAddress, userOf } from './address.ts';
import { MssqlDialect } from './dialect.ts';
import type { TediousDriver } from './driver.ts';
import { mssqlEngine } from './engine.ts';
import { mssqlMigration } from './migrate.ts';

/** SQL Server, for the failed-jobs log of jobs that are kept elsewhere. */
export const mssql: Engine = {
  clients: ['mssql'],
  keyOf: ({ config: { connection }, names }) => JSON.stringify([describeAddress(connection), userOf(connection), names]),
  async open(given, access) {
    // Settings of a session stay with its connection, and those of a pool of the user's are not ours to change.
    if (given.instance !== undefined)
      throw invalid('a Knex instance is not taken for SQL Server; give its config in place of the instance');
    const database = databaseOf(given.config.connection);
    const module = (await loadDriver(driver)) as { readonly default?: TediousDriver } & TediousDriver;
    return openServer(kindFor(module.default ?? module, database), given, access);
  },
};

/** The schema that Knex takes for granted when it looks for columns. */
const schema = 'dbo';
const oldest = 13;

/** Not a text that a compiler would look for: the package is not among those this one is built with. */
const packageName: string = 'tedious';
const driver: Driver = { name: packageName, install: 'npm install tedious', load: () => import(packageName) };

interface Facts {
  readonly version: number;
  readonly schema: string | null;
}

function kindFor(tedious: TediousDriver, database: string): ServerKind {
  const engine = mssqlEngine(tedious);
  return {
    engine,
    client: 'mssql',
    driver,
    describe: ({ connection }) => describeAddress(connection),
    connection: (written) => written,
    async parts({ connection, pool, knex, names }: Reached): Promise<Omit<ServerStoreParts, 'pool' | 'access'>> {
      const location = describeAddress((knex.client as { config: Parameters<ServerKind['describe']>[0] }).config.connection);
      const sql = `SELECT CAST(SERVERPROPERTY('ProductMajorVersion') AS int) AS version, SCHEMA_NAME() AS [schema]`;
      const facts = (await engine.perform(connection, { sql, bindings: [] })).rows[0] as Facts;
      if (facts.version < oldest)
        throw new RedriveError('STORE_TOO_OLD', `${location} is SQL Server ${facts.version}.x; Redrive needs 2016 (13.x) or later`);
      if (facts.schema !== schema || (names.schema ?? schema) !== schema)
        throw invalid(
          `on SQL Server the tables are in the schema "${schema}", which has to be the default one of the login; leave "schema" out`,
        );
      const dialect = new MssqlDialect({ ...names, schema });
      const migrator = new TransactionalMigrator({ engine, pool, sql: dialect, location, ...mssqlMigration(tedious, dialect, database) });
      return { engine, sql: dialect, location, migrator, wakeUps: noWakeUps };
    },
  };
}

function invalid(what: string): RedriveError {
  return new RedriveError('CONFIG_INVALID', `logFailedJobsProperties.datasource: ${what}`);
}
