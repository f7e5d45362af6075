import type { Knex } from 'knex';
import type { Engine } from '../given-database.ts';
import type { RawConnection } from '../server/engine.ts';
import { loadDriver, openServer, type Driver, type Reached, type ServerKind } from '../server/open.ts';
import type { ServerStoreParts } from '../server/server-store.ts';
import { checkAddress, connectionFor, describeAddress, userOf } from './address.ts';
import { MysqlDialect } from './dialect.ts';
import { mysqlEngine, type MysqlDriver } from './engine.ts';
import { MysqlMigrator } from './migrate.ts';
import { checkServer, exactCollation, serverQuery, type ServerFacts } from './server.ts';
import { noWakeUps } from '../server/wake-ups.ts';

export const mysql: Engine = {
  clients: ['mysql2', 'mysql', 'mariadb'],
  keyOf({ config, instance, names }) {
    if (instance !== undefined) return instance;
    if (typeof config.connection === 'function') return config.connection;
    return JSON.stringify([describeAddress(config.connection), userOf(config.connection), names]);
  },
  async open(given, access) {
    if (given.instance === undefined) checkAddress(given.config.connection);
    const module = (await loadDriver(driver)) as { readonly default: MysqlDriver };
    return openServer(kindFor(module.default, given.instance === undefined ? 'ours' : 'theirs'), given, access);
  },
};

/**
 * Settings of each connection of a pool of ours: nothing is cut silently, and no time has a zone. A process that is stopped in the middle of
 * a transaction holds up the others for a while only, where the server can see to that, which is MariaDB.
 */
const settings = [
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  `SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = 5 /*M!, idle_transaction_timeout = 5 */`,
] as const;

/** Until the server has said what it takes: less than any takes. */
const smallestPacketBytes = 65_536;

const driver: Driver = { name: 'mysql2', install: 'npm install mysql2', load: () => import('mysql2') };

function kindFor({ format }: MysqlDriver, connections: 'ours' | 'theirs'): ServerKind {
  const engine = mysqlEngine({ format, connections, maxPacketBytes: smallestPacketBytes });
  return {
    engine,
    client: 'mysql2',
    driver,
    describe: (config: Knex.Config) => describeAddress(config.connection),
    connection: connectionFor,
    async prepare(connection: RawConnection) {
      for (const sql of settings) await engine.perform(connection, { sql, bindings: [] });
    },
    async parts({ connection, pool, knex, names }: Reached): Promise<Omit<ServerStoreParts, 'pool' | 'access'>> {
      const { rows } = await engine.perform(connection, { sql: serverQuery, bindings: [] });
      const facts = rows[0] as ServerFacts;
      const location = describeAddress((knex.client as { config: Knex.Config }).config.connection);
      checkServer(facts, location);
      const sql = new MysqlDialect(names, exactCollation(facts.version));
      const database = { connected: facts.database ?? '', ofTables: names.schema ?? facts.database ?? '' };
      const informed = mysqlEngine({ format, connections, maxPacketBytes: facts.maxPacketBytes });
      const migrator = new MysqlMigrator({ pool, engine: informed, sql, location, database });
      return { engine: informed, sql, location, migrator, wakeUps: noWakeUps };
    },
  };
}
