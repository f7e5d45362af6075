import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import knexModule from 'knex';
import { SqlFailureLog } from '../interceptors/log-failed-jobs/index.ts';
import { failedJobsMigrations } from '../migrations/index.ts';
import { DatabaseProvider } from '../providers/database/index.ts';
import { Stores } from '../providers/database/store-source.ts';
import { createRedrive } from '../src/index.ts';
import type { SqlStore } from '../src/store/sql-store.ts';
import { failureOf, fill } from './failed-jobs/contents.ts';
import { questions } from './failed-jobs/questions.ts';

// What looking at a million failed jobs takes, beside what it may take, and what the indexes cost a failure. Arguments choose the
// engines: sqlite, postgres, mysql. `BENCH_ROWS`, `BENCH_ROUNDS` and `BENCH_DAYS` (over which the failures are spread) set its size.

const count = Number(process.env['BENCH_ROWS'] ?? 1_000_000);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 7);
const table = 'cbq_failed_jobs';
const silent = { debug() {}, info() {}, warn() {}, error() {}, fatal() {}, child: () => silent };

interface Engine {
  readonly address: { readonly client: string; readonly connection: Record<string, unknown>; readonly useNullAsDefault?: boolean };
  /** What the server does by itself after a while. */
  readonly settle?: string;
  readonly drop: () => Promise<void>;
}

const engines: Readonly<Record<string, () => Promise<Engine>>> = {
  async sqlite() {
    const folder = mkdtempSync(join(tmpdir(), 'redrive-bench-'));
    const address = { client: 'better-sqlite3', connection: { filename: join(folder, 'bench.db') }, useNullAsDefault: true };
    return { address, drop: async () => rmSync(folder, { recursive: true, force: true }) };
  },
  postgres: () =>
    onServer('pg', { host: '127.0.0.1', port: 5432, user: 'postgres' }, { main: 'postgres', settle: `VACUUM ANALYZE ${table}` }),
  mysql: () => onServer('mysql2', { host: '127.0.0.1', port: 3306, user: 'root' }, { main: 'mysql', settle: `ANALYZE TABLE ${table}` }),
};

async function onServer(
  client: string,
  server: object,
  { main, settle }: { readonly main: string; readonly settle: string },
): Promise<Engine> {
  const database = `redrive_bench_${process.pid}`;
  const administer = async (sql: string): Promise<void> => {
    const knex = knexModule.knex({ client, connection: { ...server, database: main } });
    try {
      await knex.raw(sql);
    } finally {
      await knex.destroy();
    }
  };
  await administer(`CREATE DATABASE ${database}`);
  return { address: { client, connection: { ...server, database } }, settle, drop: () => administer(`DROP DATABASE ${database}`) };
}

async function run(name: string): Promise<void> {
  const engine = await engines[name]?.();
  if (engine === undefined) throw new Error(`There is no engine ${name}; give some of ${Object.keys(engines).join(', ')}`);
  const stores = new Stores();
  try {
    const store = await stores.open(engine.address, 'create');
    await store.migrate(failedJobsMigrations(table));
    await fill(store, { table, count, onProgress: (done) => process.stderr.write(`\r${name}: ${done} rows `) });
    process.stderr.write('\r');
    const { settle } = engine;
    if (settle !== undefined) await raw(engine, settle);
    console.log(`\n## ${name}: ${count.toLocaleString('en')} failed jobs, medians of ${rounds}\n`);
    await look(engine);
    console.log(`\n### a failure recorded, by 50 at once, µs each, medians of ${rounds}\n`);
    await recordWithout(engine, store);
  } finally {
    await stores.close();
    await engine.drop();
  }
}

async function raw({ address }: Engine, sql: string): Promise<void> {
  const knex = knexModule.knex(address);
  try {
    await knex.raw(sql);
  } finally {
    await knex.destroy();
  }
}

async function look({ address }: Engine): Promise<void> {
  const redrive = await createRedrive(
    {
      connections: { main: { provider: DatabaseProvider, properties: address } },
      logFailedJobs: true,
      registerWorkers: false,
      logger: silent,
    },
    { access: 'change' },
  );
  try {
    console.log('| | found | ms | may take | of it |');
    console.log('|---|---|---|---|---|');
    for (const { what, mayTakeMs, ask } of await questions(redrive.failedJobs)) {
      const { found, ms } = await medianOf(() => ask(redrive.failedJobs));
      console.log(`| ${what} | ${found} | ${ms.toFixed(1)} | ${mayTakeMs} | ${Math.round((100 * ms) / mayTakeMs)} % |`);
    }
  } finally {
    await redrive.stop();
  }
}

async function medianOf(
  ask: () => ReturnType<Awaited<ReturnType<typeof questions>>[number]['ask']>,
): Promise<{ readonly found: string; readonly ms: number }> {
  const times: number[] = [];
  let found = '';
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    found = await ask();
    times.push(performance.now() - started);
  }
  return { found, ms: median(times) };
}

/** Indexes are left out one by one, which no migration would do: what remains is what they cost. */
async function recordWithout(engine: Engine, store: SqlStore): Promise<void> {
  let next = count;
  const measure = async (): Promise<number> => {
    const log = new SqlFailureLog(store, { tableName: table });
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const records = Array.from({ length: 1_000 }, (_, index) => failureOf(next + index, count));
      next += records.length;
      const started = performance.now();
      for (let from = 0; from < records.length; from += 50) await log.append(records.slice(from, from + 50));
      times.push(performance.now() - started);
    }
    return median(times);
  };
  console.log('| indexes | µs |\n|---|---|');
  console.log(`| all | ${(await measure()).toFixed(0)} |`);
  for (const index of ['release', 'series', 'time']) {
    const name = `${table}_${index}`;
    await raw(engine, store.dialect === 'mysql' ? `DROP INDEX ${name} ON ${table}` : `DROP INDEX ${name}`);
    console.log(`| without ${index} as well | ${(await measure()).toFixed(0)} |`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const asked = process.argv.slice(2);
for (const name of asked.length === 0 ? Object.keys(engines) : asked) await run(name);
