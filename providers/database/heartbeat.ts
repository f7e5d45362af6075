import type { Knex } from 'knex';
import type { ConnectHeartbeat, Heartbeat } from '../../src/provider/heartbeat.ts';
import type { TableNames } from '../../src/store/sql-dialect.ts';
import type { SqlStore, StoreAddress } from '../../src/store/sql-store.ts';
import { givenDatabase } from './dialects/given-database.ts';
import { prolong } from './scripts/prolong.ts';
import { Stores } from './store-source.ts';

/** What reaches the heartbeat's thread. */
interface Given {
  readonly config: Knex.Config;
  readonly names: TableNames;
  /** The sessions table, quoted. */
  readonly sessions: string;
}

/** Runs in the heartbeat's thread. Opens the database when it is first needed: most workers never do, and a server's connections are few. */
export const connect: ConnectHeartbeat = async (given) => {
  const { config, names, sessions } = given as Given;
  const stores = new Stores();
  return {
    async prolong(session, leaseMs) {
      const store = await stores.open(config, 'change', names);
      await store.keepTime();
      // The time is taken inside: a script that had to wait for somebody's lock runs anew.
      return store.write(() => prolong(sessions, session, { now: store.now(), leaseMs }));
    },
    close: () => stores.close(),
  };
};

/** How that thread reaches an open database; undefined for one in this process's memory, or of a client of the user's own making. */
export async function heartbeatTo(store: SqlStore, address: StoreAddress, sessions: string): Promise<Heartbeat | undefined> {
  const { config } = givenDatabase(address);
  const { client, searchPath, version, synchronous } = config;
  // Nor can a pool of another library's making reach a thread.
  const isForeign = (config as { readonly connectionPool?: unknown }).connectionPool !== undefined;
  if (typeof client !== 'string' || isForeign || store.location === ':memory:') return undefined;
  // A file's path as it was found: the working directory may be another by the time the thread needs it.
  const connection = store.dialect === 'sqlite' ? { filename: store.location } : await plain(config.connection);
  const given = {
    config: { client, connection, searchPath, version, synchronous, pool: { min: 0, max: 1 } },
    names: store.sql.names,
    sessions,
  };
  return { module: new URL(import.meta.url), given };
}

/** Functions cannot reach another thread: those that give something are asked for it, and those that an UPDATE has no need of are left out. */
async function plain(connection: unknown): Promise<unknown> {
  const found = await asked(connection);
  if (typeof found !== 'object' || found === null) return found;
  const plainly: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(found)) {
    if (name === 'password') plainly[name] = await asked(value);
    else if (!needless.has(name)) plainly[name] = value;
  }
  return plainly;
}

const needless: ReadonlySet<string> = new Set(['expirationChecker', 'typeCast', 'types']);

async function asked(value: unknown): Promise<unknown> {
  return typeof value === 'function' ? (value as () => unknown)() : value;
}
