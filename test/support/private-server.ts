import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, chownSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import knexModule, { type Knex } from 'knex';
import type { ServerName } from './servers.ts';

/** A database server of the test's own, which it may stop as it likes. */
export interface PrivateServer {
  /** A Knex config that leads to its database; `userConfig` as somebody who administers nothing. */
  readonly config: PrivateConfig;
  readonly userConfig: PrivateConfig;
  /** Takes no writes of users any more, as a server that became a standby. */
  refuseWrites(): Promise<void>;
  takeWrites(): Promise<void>;
  /** Resolves once it answers. */
  start(): Promise<void>;
  /** `orderly`: its clients are sent away; `crash`: it is killed, and recovers when it starts again. */
  stop(how: 'orderly' | 'crash'): Promise<void>;
  /** Runs statements as its administrator. */
  administer<T>(task: (knex: Knex) => Promise<T>): Promise<T>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

export interface PrivateConfig {
  readonly client: string;
  readonly connection: Readonly<Record<string, string | number>>;
}

interface Recipe {
  /** The user that the server runs as where the test is run by root, who may not run some of them. */
  readonly user: string;
  /** What must be there; undefined: it is not. */
  readonly programs: () => Readonly<Record<'init' | 'serve', string>> | undefined;
  readonly init: (folder: string) => readonly string[];
  readonly serve: (folder: string, port: number) => readonly string[];
  readonly signals: Readonly<Record<'orderly' | 'crash', NodeJS.Signals>>;
  readonly client: string;
  readonly administrator: { readonly user: string; readonly database: string };
  /** Makes a user who may do anything in the database, and nothing else. */
  readonly makeUser: readonly string[];
  readonly refuseWrites: readonly string[];
  readonly takeWrites: readonly string[];
}

const sendAway = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'redrive'`;

const recipes: Readonly<Record<ServerName, Recipe>> = {
  postgres: {
    user: 'postgres',
    programs() {
      const versions = '/usr/lib/postgresql';
      const newest = existsSync(versions) ? readdirSync(versions).toSorted((a, b) => Number(b) - Number(a))[0] : undefined;
      const bin = join(versions, newest ?? '', 'bin');
      return found({ init: join(bin, 'initdb'), serve: join(bin, 'postgres') });
    },
    init: (folder) => ['-D', folder, '-U', 'postgres', '-A', 'trust', '--no-sync'],
    serve: (folder, port) => [
      '-D',
      folder,
      '-p',
      String(port),
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'unix_socket_directories=',
      '-c',
      'fsync=off',
    ],
    signals: { orderly: 'SIGINT', crash: 'SIGQUIT' },
    client: 'pg',
    administrator: { user: 'postgres', database: 'postgres' },
    makeUser: ['CREATE USER worker', 'ALTER DATABASE redrive OWNER TO worker'],
    refuseWrites: ['ALTER DATABASE redrive SET default_transaction_read_only = on', sendAway],
    takeWrites: ['ALTER DATABASE redrive RESET default_transaction_read_only', sendAway],
  },
  mysql: {
    user: 'mysql',
    programs: () => found({ init: '/usr/bin/mariadb-install-db', serve: '/usr/sbin/mariadbd' }),
    init: (folder) => ['--no-defaults', `--datadir=${folder}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
    serve: (folder, port) => [
      '--no-defaults',
      `--datadir=${folder}`,
      `--port=${port}`,
      `--socket=${join(folder, 'socket')}`,
      '--bind-address=127.0.0.1',
      '--innodb-buffer-pool-size=32M',
    ],
    signals: { orderly: 'SIGTERM', crash: 'SIGKILL' },
    client: 'mysql2',
    administrator: { user: 'root', database: 'mysql' },
    makeUser: [`CREATE USER worker@localhost`, `GRANT ALL ON redrive.* TO worker@localhost`],
    refuseWrites: ['SET GLOBAL read_only = 1'],
    takeWrites: ['SET GLOBAL read_only = 0'],
  },
};

function found<T extends Record<string, string>>(programs: T): T | undefined {
  return Object.values(programs).every((file) => existsSync(file)) ? programs : undefined;
}

/** Why no such server can be made here; undefined where one can. */
export function whyNoPrivateServer(server: ServerName): string | undefined {
  return recipes[server].programs() === undefined
    ? `needs the programs of ${server === 'postgres' ? 'PostgreSQL' : 'MariaDB'} as Debian installs them`
    : undefined;
}

/** Makes a server with empty data; it is not started yet. */
export async function makePrivateServer(server: ServerName): Promise<PrivateServer> {
  const { programs, user, init, serve, signals, client, administrator, ...statements } = recipes[server];
  const found = programs();
  if (found === undefined) throw new Error(whyNoPrivateServer(server));
  const as = process.getuid?.() === 0 ? idsOf(user) : {};
  const folder = mkdtempSync(join(tmpdir(), 'redrive-server-'));
  if (as.uid !== undefined) chownSync(folder, as.uid, as.gid ?? -1);
  const data = join(folder, 'data');
  execFileSync(found.init, init(data), { ...as, cwd: folder, stdio: 'pipe' });
  const port = await freePort();
  const connection = { host: '127.0.0.1', port };
  let running: ChildProcess | undefined;
  let printed = '';

  const administer = async <T>(task: (knex: Knex) => Promise<T>): Promise<T> => {
    const knex = knexModule.knex({ client, connection: { ...connection, ...administrator }, pool: { min: 0, max: 1 }, log: silent });
    try {
      return await task(knex);
    } finally {
      await knex.destroy();
    }
  };
  const run = (sql: readonly string[]): Promise<void> =>
    administer(async (knex) => {
      for (const statement of sql) await knex.raw(statement);
    });
  const one: PrivateServer = {
    config: { client, connection: { ...connection, user: administrator.user, database: 'redrive' } },
    userConfig: { client, connection: { ...connection, user: 'worker', database: 'redrive' } },
    refuseWrites: () => run(statements.refuseWrites),
    takeWrites: () => run(statements.takeWrites),
    administer,
    async start() {
      const child = spawn(found.serve, serve(data, port), { ...as, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
      running = child;
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
      for (;;) {
        try {
          return await administer(async (knex) => void (await knex.raw('SELECT 1')));
        } catch (error) {
          if (child.exitCode !== null) throw new Error(`The server ended before it answered:\n${printed}`, { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async stop(how) {
      const child = running;
      running = undefined;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signals[how]);
      await ended;
    },
    async remove() {
      await one.stop('crash');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  await one.start();
  await run(['CREATE DATABASE redrive', ...statements.makeUser]);
  return one;
}

const silent = { warn: () => undefined, error: () => undefined, debug: () => undefined };

function idsOf(user: string): { readonly uid?: number; readonly gid?: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
