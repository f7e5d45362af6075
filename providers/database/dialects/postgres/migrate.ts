import { isRedriveError } from '../../../../src/errors.ts';
import type { StatementResult } from '../../../../src/store/script.ts';
import type { Loss, Migration, MigrationReport, MigrationStep, StepsPlan } from '../../../../src/store/sql-store.ts';
import type { RawConnection, ServerEngine } from '../server/engine.ts';
import { patiently } from '../server/patience.ts';
import { pinnedKnex } from '../server/pinned-knex.ts';
import type { ConnectionPool } from '../server/pool.ts';
import type { Migrator } from '../server/server-store.ts';
import { bookkeepingOf, refused, runPending, undoAll } from '../steps.ts';
import type { PostgresDialect } from './dialect.ts';

export interface PostgresMigratorOptions {
  readonly engine: ServerEngine;
  readonly pool: ConnectionPool;
  readonly sql: PostgresDialect;
  readonly location: string;
}

type Perform = (sql: string, bindings?: readonly unknown[]) => Promise<StatementResult>;

/**
 * All steps in one transaction: PostgreSQL takes back tables as well as rows. An advisory lock, gone with the transaction, makes a second
 * process wait, which then finds nothing to do.
 */
export class PostgresMigrator implements Migrator {
  constructor(private readonly options: PostgresMigratorOptions) {}

  async migrate(steps: readonly MigrationStep[]): Promise<MigrationReport> {
    if ((await this.pending(steps)).length === 0) return { applied: [], pending: [] };
    const ran = await this.inTransaction('migrated', (migration) => runPending(steps, migration));
    return { applied: ran.map(({ name }) => name), pending: [] };
  }

  async rollback(steps: readonly MigrationStep[]): Promise<readonly string[]> {
    const undone = await this.inTransaction('rolled back', (migration) => undoAll(steps, migration));
    return undone.map(({ name }) => name);
  }

  /** Found out by doing it, but for the indexes, which would take their time, and taking it back. */
  async planMigration(steps: readonly MigrationStep[]): Promise<StepsPlan> {
    const planned = await this.inTransaction('migrated', (migration) => runPending(steps, migration), 'plan');
    return { steps: planned, losses: [] };
  }

  /** The same, and then how many rows there are in what would be gone. */
  async planRollback(steps: readonly MigrationStep[]): Promise<StepsPlan> {
    const task = async (migration: Migration, perform: Perform): Promise<StepsPlan> => {
      const before = await this.columnsByTable(perform);
      const undone = await undoAll(steps, migration);
      return { steps: undone, losses: lossesOf(before, await this.columnsByTable(perform)) };
    };
    const plan = await this.inTransaction('rolled back', task, 'plan');
    const losses: Loss[] = [];
    for (const loss of plan.losses) losses.push({ ...loss, rows: await this.rowsOf(loss.table) });
    return { ...plan, losses };
  }

  pending(steps: readonly MigrationStep[]): Promise<readonly string[]> {
    const { engine, location, sql } = this.options;
    const table = sql.table(bookkeepingOf(sql));
    return patiently(engine, location, () =>
      this.alone(async (perform) => {
        const { rows } = await perform('SELECT to_regclass(?) IS NOT NULL AS is_there', [table]);
        const isThere = (rows[0] as { readonly is_there: boolean }).is_there;
        const done = isThere ? ((await perform(`SELECT name FROM ${table}`)).rows as readonly { readonly name: string }[]) : [];
        const names = new Set(done.map(({ name }) => name));
        return steps.map(({ name }) => name).filter((name) => !names.has(name));
      }),
    );
  }

  private inTransaction<T>(
    what: 'migrated' | 'rolled back',
    task: (migration: Migration, perform: Perform) => Promise<T>,
    purpose: 'act' | 'plan' = 'act',
  ): Promise<T> {
    const { engine, location, sql } = this.options;
    const attempt = (): Promise<T> =>
      this.alone(async (perform, connection) => {
        await perform(`BEGIN ISOLATION LEVEL READ COMMITTED; ${limits.wait}`);
        await perform('SELECT pg_advisory_xact_lock(hashtextextended(?, 0))', [`redrive migrate ${sql.own('')}`]);
        await perform(limits.work);
        await this.enterSchema(perform);
        const knex = pinnedKnex(engine.knexDialect, purpose === 'plan' ? withoutIndexing(connection) : connection);
        const result = await task({ knex, sql }, perform);
        await perform(purpose === 'plan' ? 'ROLLBACK' : 'COMMIT');
        return result;
      });
    return patiently({ troubleOf: (error) => engine.troubleOf(error), explain: (error) => error }, location, attempt).catch(
      (error: unknown) => {
        const told = engine.explain(error, location);
        // Missing tables and columns are what a migration is about: of these the step says more.
        if (isRedriveError(told) && told.code !== 'STORE_UNMIGRATED') throw told;
        return refused({ location }, what)(error);
      },
    );
  }

  /** Creates the schema where it is missing, and makes it that of all names without one. */
  private async enterSchema(perform: Perform): Promise<void> {
    const { sql } = this.options;
    const schema = sql.id(sql.names.schema);
    const { rows } = await perform('SELECT to_regnamespace(?) IS NULL AS is_missing', [schema]);
    // Even where it is there, IF NOT EXISTS would ask for the right to create it.
    if ((rows[0] as { readonly is_missing: boolean }).is_missing) await perform(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await perform(`SET LOCAL search_path = ${schema}`);
  }

  private async alone<T>(task: (perform: Perform, connection: RawConnection) => Promise<T>): Promise<T> {
    const { pool, engine } = this.options;
    const connection = await pool.acquire();
    const perform: Perform = (sql, bindings = []) => engine.perform(connection, { sql, bindings });
    let fault: unknown;
    try {
      return await task(perform, connection);
    } catch (error) {
      // Outside of a transaction it does nothing.
      await perform('ROLLBACK').catch((found: unknown) => (fault = found));
      throw error;
    } finally {
      await pool.release(connection, fault);
    }
  }

  private async columnsByTable(perform: Perform): Promise<ReadonlyMap<string, readonly string[]>> {
    const { rows } = await perform(
      'SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ? ORDER BY table_name, ordinal_position',
      [this.options.sql.names.schema],
    );
    const tables = new Map<string, string[]>();
    for (const { table_name: table, column_name: column } of rows as readonly { table_name: string; column_name: string }[])
      tables.set(table, [...(tables.get(table) ?? []), column]);
    return tables;
  }

  private async rowsOf(table: string): Promise<number> {
    const { rows } = await this.alone((perform) => perform(`SELECT count(*) AS count FROM ${this.options.sql.table(table)}`));
    return (rows[0] as { readonly count: number }).count;
  }
}

/** For another migration, which may take long; then for a table that is in use, whose other users must not queue up behind us for long. */
const limits = { wait: `SET LOCAL lock_timeout = '5min'`, work: `SET LOCAL lock_timeout = '5s'` };

function lossesOf(before: ReadonlyMap<string, readonly string[]>, after: ReadonlyMap<string, readonly string[]>): readonly Loss[] {
  return [...before].flatMap(([table, columns]): Loss[] => {
    const kept = after.get(table);
    const gone = columns.filter((column) => kept?.includes(column) !== true);
    return gone.length === 0 ? [] : [{ table, ...(kept === undefined ? {} : { columns: gone }), rows: 0 }];
  });
}

type Callback = (error: unknown, result?: unknown) => void;

/** A connection as Knex uses it, that builds no index. */
function withoutIndexing(connection: RawConnection): RawConnection {
  const real = connection as { query(config: { readonly text: string }, callback: Callback): unknown };
  return {
    query(config: { readonly text: string }, callback: Callback): unknown {
      if (/^\s*create\s+(?:unique\s+)?index\b/i.test(config.text)) return callback(null, { command: 'CREATE', rows: [], rowCount: 0 });
      return real.query(config, callback);
    },
  };
}
