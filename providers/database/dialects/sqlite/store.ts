import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Database, Statement as Prepared } from 'better-sqlite3';
import type { Knex } from 'knex';
import { systemClock } from '../../../../src/clock.ts';
import { isRedriveError, RedriveError } from '../../../../src/errors.ts';
import type { Script, Statement, StatementResult } from '../../../../src/store/script.ts';
import type { TableNames } from '../../../../src/store/sql-dialect.ts';
import type { MigrationReport, MigrationStep, SqlStore, StepsPlan, StoreAccess } from '../../../../src/store/sql-store.ts';
import { bookkeepingOf } from '../steps.ts';
import { SqliteDialect } from './dialect.ts';
import { explain, isBusy } from './errors.ts';
import { migrateFile, pendingSteps, rollbackFile, type MigrateOptions } from './migrate.ts';
import { OpenedFile } from './opened-file.ts';
import {
  acquire,
  canonicalFile,
  checkFile,
  configure,
  isReadOnly,
  openKnex,
  poolOf,
  requireDriver,
  useWal,
  type SqliteAddress,
} from './open.ts';
import { planMigration, planRollback, readSchema } from './plan.ts';
import { PreparedStatements } from './prepared-statements.ts';

/** How long a call waits for another process to end its write transaction. Others write for milliseconds; this is for one that hangs. */
const lockPatienceMs = 10_000;
const firstPauseMs = 1;
const longestPauseMs = 50;
/** How often another process's writes are looked for; reading `data_version` takes a microsecond. */
const foreignWritePollMs = 50;

/**
 * One SQLite file through one connection of our own. Scripts run without a pause in a single synchronous block,
 * so nothing of this process can come between two statements, and no transaction is ever left open over an await.
 */
export class SqliteStore implements SqlStore {
  readonly dialect = 'sqlite';
  readonly hearsOthers = true;
  readonly sql: SqliteDialect;
  readonly builder: Knex;
  private readonly prepared: PreparedStatements;
  private readonly file: OpenedFile;
  private migrating: Promise<unknown> | undefined;
  private lastWriteMs = 0;

  private constructor(
    private readonly address: SqliteAddress,
    private readonly access: StoreAccess,
    private readonly knex: Knex,
    private readonly database: Database,
    names: TableNames,
  ) {
    this.sql = new SqliteDialect(names);
    this.builder = knex;
    this.prepared = new PreparedStatements((text) => database.prepare(text));
    this.file = new OpenedFile(address.filename);
  }

  static async open(address: SqliteAddress, access: StoreAccess, names: TableNames): Promise<SqliteStore> {
    await requireDriver();
    checkFile(address.filename, access);
    const isAbsent = access === 'plan' && !existsSync(address.filename);
    const knex = isAbsent ? openKnex(':memory:', false) : openKnex(address.filename, isReadOnly(access));
    let database: Database | undefined;
    try {
      const opened = await acquire(knex);
      database = opened;
      const configuration = { access, bookkeeping: bookkeepingOf(new SqliteDialect(names)) };
      await patiently(() => configure(opened, address, configuration), address.filename);
      return new SqliteStore(address, access, knex, opened, names);
    } catch (error) {
      // Back into the pool first: destroying a pool waits for what is out.
      if (database !== undefined) await poolOf(knex).releaseConnection(database);
      await knex.destroy();
      throw explain(error, address.filename);
    }
  }

  get location(): string {
    return this.address.filename;
  }

  async read<T>(script: () => Script<T>): Promise<T> {
    if (this.migrating !== undefined) await this.migrating;
    return patiently(() => this.transact('BEGIN', script), this.location);
  }

  async write<T>(script: () => Script<T>): Promise<T> {
    if (this.migrating !== undefined) await this.migrating;
    if (isReadOnly(this.access)) throw new RedriveError('STORE_READ_ONLY', `${this.location} was opened for looking only`);
    return patiently(() => {
      const startedAt = systemClock.now();
      const result = this.transact('BEGIN IMMEDIATE', script);
      this.lastWriteMs = systemClock.now() - startedAt;
      return result;
    }, this.location);
  }

  async within<T>(transaction: Knex.Transaction, script: () => Script<T>): Promise<T> {
    if (!isTransaction(transaction))
      throw new RedriveError(
        'OPTIONS_INVALID',
        'transaction: it is no Knex transaction; pass what the callback of knex.transaction() is given',
      );
    // Its connection is somebody else's by now: the job would be stored all the same, or in another's transaction.
    if (transaction.isCompleted())
      throw new RedriveError('OPTIONS_INVALID', 'transaction: it has ended; dispatch before its commit, or without it');
    const connection: Partial<Database> = await poolOf(transaction).acquireConnection();
    if (typeof connection.prepare !== 'function')
      throw new RedriveError('OPTIONS_INVALID', `transaction: it is not one of ${this.location}`);
    if (typeof connection.name === 'string' && canonicalFile(connection.name) !== this.location) {
      throw new RedriveError(
        'OPTIONS_INVALID',
        `transaction: it belongs to ${connection.name}, but the job's connection to ${this.location}`,
      );
    }
    const database = connection as Database;
    // All of the script or nothing: the user may catch what it throws, and commit.
    database.exec('SAVEPOINT redrive');
    try {
      return run(script(), (statement) => execute(database.prepare(statement.sql), statement.bindings));
    } catch (error) {
      database.exec('ROLLBACK TO redrive');
      throw explain(error, this.location);
    } finally {
      database.exec('RELEASE redrive');
    }
  }

  async migrate(steps: readonly MigrationStep[]): Promise<MigrationReport> {
    if ((await this.pending(steps)).length === 0) return { applied: [], pending: [] };
    return this.alone(async (options) => {
      const report = await migrateFile(steps, options);
      await this.adopt();
      return report;
    });
  }

  rollback(steps: readonly MigrationStep[]): Promise<readonly string[]> {
    return this.alone((options) => rollbackFile(steps, options));
  }

  async planMigration(steps: readonly MigrationStep[]): Promise<StepsPlan> {
    if (this.migrating !== undefined) await this.migrating;
    const schema = await patiently(() => readSchema(this.location, this.sql, (statement) => this.execute(statement)), this.location);
    return { steps: await planMigration(steps, schema, this.sql), losses: [] };
  }

  planRollback(steps: readonly MigrationStep[]): Promise<StepsPlan> {
    return this.alone((options) => planRollback(steps, options));
  }

  async pending(steps: readonly MigrationStep[]): Promise<readonly string[]> {
    if (this.migrating !== undefined) await this.migrating;
    this.file.check();
    return patiently(() => pendingSteps(steps, this.sql, (statement) => this.execute(statement)), this.location);
  }

  onForeignWrite(listener: () => void): () => void {
    let seen = this.dataVersion();
    const timer = setInterval(() => {
      const now = this.dataVersion();
      if (now !== seen) listener();
      seen = now;
    }, foreignWritePollMs);
    timer.unref();
    return () => clearInterval(timer);
  }

  /** Whoever has this file has this clock. */
  now(): number {
    return systemClock.now();
  }

  async keepTime(): Promise<void> {}

  /** They see it by `data_version`. */
  tellOthers(): void {}

  /**
   * As long as the last write took: whoever waits for the lock looks for it now and then, and would meet it taken again and again
   * if it were free for no more than a moment.
   */
  async makeWay(): Promise<void> {
    // It keeps the process alive: a command has nothing else that would.
    await pause(Math.min(Math.max(this.lastWriteMs, 1), longestPauseMs));
  }

  async close(): Promise<void> {
    this.prepared.clear();
    // Back into the pool first: destroying a pool waits for what is out.
    await poolOf(this.knex).releaseConnection(this.database);
    await this.knex.destroy();
  }

  /** The file is ours from now on. Where somebody reads it for too long it is set right when it is next opened: until then it works all the same. */
  private async adopt(): Promise<void> {
    try {
      await patiently(() => useWal(this.database, this.address), this.location);
    } catch (error) {
      if (!isRedriveError(error, 'STORE_LOCKED')) throw error;
    }
  }

  /** Everything else on this store waits meanwhile: Knex pauses between statements, and the connection is the same. */
  private async alone<T>(task: (options: MigrateOptions) => Promise<T>): Promise<T> {
    // Looked at again after each wait: several may have waited for the same migration.
    while (this.migrating !== undefined) await this.migrating;
    const { knex, sql, database, location } = this;
    const migration = (async () => {
      await poolOf(knex).releaseConnection(database);
      try {
        return await task({ knex, sql, database, location, patiently });
      } finally {
        await acquire(knex);
      }
    })();
    this.migrating = migration.catch(() => undefined).finally(() => (this.migrating = undefined));
    return migration;
  }

  /** Undefined while it cannot be read: whoever reads next is told why. */
  private dataVersion(): unknown {
    try {
      return this.database.pragma('data_version', { simple: true });
    } catch {
      return undefined;
    }
  }

  private transact<T>(begin: string, script: () => Script<T>): T {
    this.file.check();
    this.execute({ sql: begin, bindings: [] });
    try {
      const result = run(script(), (statement) => this.execute(statement));
      this.execute({ sql: 'COMMIT', bindings: [] });
      return result;
    } catch (error) {
      if (this.database.inTransaction) this.execute({ sql: 'ROLLBACK', bindings: [] });
      throw error;
    }
  }

  private execute({ sql, bindings }: Statement): StatementResult {
    return execute(this.prepared.get(sql), bindings);
  }
}

function isTransaction(value: unknown): value is Knex.Transaction {
  return typeof value === 'function' && (value as { isTransaction?: unknown }).isTransaction === true;
}

function execute(statement: Prepared, bindings: readonly unknown[]): StatementResult {
  if (statement.reader) {
    const rows = statement.all(...bindings);
    return { rows, changes: rows.length };
  }
  return { rows: [], changes: statement.run(...bindings).changes };
}

function run<T>(script: Script<T>, perform: (statement: Statement) => StatementResult): T {
  let step = script.next();
  while (step.done !== true) {
    let result: StatementResult;
    try {
      result = perform(step.value);
    } catch (error) {
      step = script.throw(error);
      continue;
    }
    step = script.next(result);
  }
  return step.value;
}

/** Waits, without blocking the process, while somebody else writes. Jitter keeps two waiters from meeting again and again. */
async function patiently<T>(attempt: () => T, location: string): Promise<T> {
  const started = systemClock.now();
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || systemClock.now() - started > lockPatienceMs) throw explain(error, location);
    }
    // No clock's timer: those let the process end, and somebody waits for this.
    await new Promise<void>((resolve) => void setTimeout(resolve, pauseMs * (0.5 + Math.random() / 2)));
  }
}
