import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { createRedrive, defineJob, type Job, type RedriveConfig } from '../src/index.ts';
import { DatabaseProvider } from '../providers/database/index.ts';

// What the SQLite path costs beside the least that raw better-sqlite3 could do for the same rows.
// Ratios within one run are what counts; each figure is the median of several rounds.

const jobs = Number(process.env['BENCH_JOBS'] ?? 5_000);
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const silent = { debug() {}, info() {}, warn() {}, error() {}, fatal() {}, child: () => silent };

const ok = defineJob({ name: 'ok', handle: (job: Job<{ n: number }>) => job.properties.n });
const bad = defineJob({
  name: 'bad',
  handle: (job: Job<{ n: number }>) => {
    throw new TypeError(`delivery ${job.properties.n} was refused`);
  },
});

async function withFolder<T>(run: (folder: string) => Promise<T> | T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'redrive-bench-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function config(folder: string, quantity: number, properties: Record<string, unknown> = {}): RedriveConfig {
  return {
    connections: {
      default: {
        provider: DatabaseProvider,
        properties: { client: 'better-sqlite3', connection: { filename: join(folder, 'bench.db') }, ...properties },
      },
    },
    workerPools: { main: { connection: 'default', quantity } },
    jobs: [ok, bad],
    logFailedJobs: true,
    logAttempts: false,
    logger: silent,
  };
}

async function perSecond(count: number, run: () => unknown): Promise<number> {
  const started = process.hrtime.bigint();
  await run();
  return count / (Number(process.hrtime.bigint() - started) / 1e9);
}

async function rawRound(): Promise<Record<string, number>> {
  return withFolder(async (folder) => {
    const db = new BetterSqlite3(join(folder, 'raw.db'));
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = NORMAL');
    db.exec(`CREATE TABLE jobs (id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, memento TEXT, status TEXT);
      CREATE INDEX ready ON jobs (id) WHERE status = 'ready'; CREATE TABLE failed (id INTEGER PRIMARY KEY, job TEXT UNIQUE, exception TEXT)`);
    const insert = db.prepare(`INSERT INTO jobs (uuid, memento, status) VALUES (?, ?, 'ready')`);
    const memento = JSON.stringify({ name: 'ok', properties: { n: 1 }, options: {}, createdAt: Date.now() });
    const dispatch = await perSecond(jobs, () => {
      for (let n = 0; n < jobs; n++) insert.run(`id-${n}`, memento);
    });
    const take = db.prepare(`SELECT id FROM jobs WHERE status = 'ready' ORDER BY id LIMIT 10`);
    const reserve = db.prepare(`UPDATE jobs SET status = 'reserved' WHERE id = ?`);
    const finish = db.prepare(`UPDATE jobs SET status = ? WHERE id = ?`);
    const fail = db.prepare('INSERT INTO failed (job, exception) VALUES (?, ?)');
    const batch = db.transaction((outcome: string): number => {
      const rows = take.all() as { id: number }[];
      for (const { id } of rows) {
        reserve.run(id);
        finish.run(outcome, id);
        if (outcome === 'failed') fail.run(`id-${id}`, memento.repeat(10));
      }
      return rows.length;
    });
    const drain = await perSecond(jobs, () => {
      while (batch('completed') > 0);
    });
    db.exec(`UPDATE jobs SET status = 'ready'`);
    const failures = await perSecond(jobs, () => {
      while (batch('failed') > 0);
    });
    db.close();
    return { dispatch, drain, failures };
  });
}

async function redriveRound(quantity: number): Promise<Record<string, number>> {
  return withFolder(async (folder) => {
    const redrive = await createRedrive(config(folder, quantity));
    await redrive.migrate();
    const dispatch = await perSecond(jobs, async () => {
      for (let n = 0; n < jobs; n++) await redrive.dispatch(ok, { n });
    });
    const drain = await perSecond(jobs, async () => {
      await redrive.start();
      await redrive.idle();
    });
    const bulk = await perSecond(jobs, () =>
      redrive.dispatchMany(Array.from({ length: jobs }, (_, n) => ({ job: bad, properties: { n } }))),
    );
    const failures = await perSecond(jobs, () => redrive.idle());
    const retry = await perSecond(jobs, () => redrive.failedJobs.retry({}));
    await redrive.stop();
    return { dispatch, 'dispatch (dispatchMany)': bulk, drain, failures, 'retry (failedJobs.retry({}))': retry };
  });
}

async function medians(round: () => Promise<Record<string, number>>): Promise<Record<string, number>> {
  const results: Record<string, number>[] = [];
  for (let n = 0; n < rounds; n++) results.push(await round());
  const keys = Object.keys(results[0] ?? {});
  return Object.fromEntries(
    keys.map((key) => [key, results.map((one) => one[key] ?? 0).toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0]),
  );
}

const raw = await medians(rawRound);
console.log(`SQLite, ${jobs} jobs a round, median of ${rounds} rounds, jobs per second; node ${process.version}\n`);
for (const quantity of [1, 10, 50]) {
  const measured = await medians(() => redriveRound(quantity));
  console.log(`concurrency ${quantity}`);
  for (const [name, value] of Object.entries(measured)) {
    const beside = raw[name.split(' ')[0] ?? ''];
    const ratio =
      beside === undefined ? '' : `   raw better-sqlite3 ${Math.round(beside).toString().padStart(7)}   ${(beside / value).toFixed(1)} x`;
    console.log(`  ${name.padEnd(30)} ${Math.round(value).toString().padStart(7)}${ratio}`);
  }
}
