import type { Knex } from 'knex';
import { isRedriveError } from '../../../../src/errors.ts';
import type { StatementResult } from '../../../../src/store/script.ts';
import type { Loss, Migration, MigrationReport, MigrationStep, StepsPlan } from '../../../../src/store/sql-store.ts';
import type { SqlDialect, TableNames } from '../../../../src/store/sql-dialect.ts';
import { bookkeepingOf, refused, runPending, undoAll } from '../steps.ts';
import type { RawConnection, ServerEngine } from './engine.ts';
import { patiently } from './patience.ts';
import type { ConnectionPool } from './pool.ts';
import type { Migrator } from './server-store.ts';

export interface TransactionalMigratorOptions {
  readonly engine: ServerEngine;
  readonly pool: ConnectionPool;
  readonly sql: SqlDialect & { readonly names: TableNames & { readonly schema: string } };
  readonly location: string;
  /** Gives one row where there is the table that it is given, quoted and with its schema. */
  readonly tableQuery: string;
  /** Begins a transaction that ends with what is locked by it, waits for other processes that migrate, and enters the schema. */
  begin(perform: Perform): Promise<void>;
  /** A Knex instance on this connection; for a plan one that builds no index, which would take its time. */
  knexOn(connection: RawConnection, purpose: Purpose): Knex;
}

export type Perform = (sql: string, bindings?: readonly unknown[]) => Promise<StatementResult>;
export type Purpose = 'act' | 'plan';

/**
 * All steps in one transaction, for servers that take back tables as well as rows. A lock that is gone with the transaction makes a second
 * process wait, which then finds nothing to do.
 */
export class TransactionalMigrator implements Migrator {
  constructor(private readonly options: TransactionalMigratorOptions) {}

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
        const { rows } = await perform(this.options.tableQuery, [table]);
        const done = rows.length > 0 ? ((await perform(`SELECT name FROM ${table}`)).rows as readonly { readonly name: string }[]) : [];
        const names = new Set(done.map(({ name }) => name));
        return steps.map(({ name }) => name).filter((name) => !names.has(name));
      }),
    );
  }

  private inTransaction<T>(
    what: 'migrated' | 'rolled back',
    task: (migration: Migration, perform: Perform) => Promise<T>,
    purpose: Purpose = 'act',
  ): Promise<T> {
    const { engine, location, sql } = this.options;
    const attempt = (): Promise<T> =>
      this.alone(async (perform, connection) => {
        await this.options.begin(perform);
        const knex = this.options.knexOn(connection, purpose);
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
      'SELECT TABLE_NAME AS of_table, COLUMN_NAME AS of_column FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION',
      [this.options.sql.names.schema],
    );
    const tables = new Map<string, string[]>();
    for (const { of_table: table, of_column: column } of rows as readonly { of_table: string; of_column: string }[])
      tables.set(table, [...(tables.get(table) ?? []), column]);
    return tables;
  }

  private async rowsOf(table: string): Promise<number> {
    const { rows } = await this.alone((perform) => perform(`SELECT count(*) AS count FROM ${this.options.sql.table(table)}`));
    return (rows[0] as { readonly count: number }).count;
  }
}

function lossesOf(before: ReadonlyMap<string, readonly string[]>, after: ReadonlyMap<string, readonly string[]>): readonly Loss[] {
  return [...before].flatMap(([table, columns]): Loss[] => {
    const kept = after.get(table);
    const gone = columns.filter((column) => kept?.includes(column) !== true);
    return gone.length === 0 ? [] : [{ table, ...(kept === undefined ? {} : { columns: gone }), rows: 0 }];
  });
}
