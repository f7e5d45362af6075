import { createHash } from 'node:crypto';
import { isRedriveError, RedriveError } from '../../../../src/errors.ts';
import type { StatementResult } from '../../../../src/store/script.ts';
import type { Migration, MigrationReport, MigrationStep, PlannedStep, StepsPlan } from '../../../../src/store/sql-store.ts';
import type { RawConnection, ServerEngine } from '../server/engine.ts';
import type { ConnectionPool } from '../server/pool.ts';
import type { Migrator } from '../server/server-store.ts';
import { bookkeepingOf, createBookkeeping, nextBatch, reason, runPending, runStep, stepsDone, undoAll, undoStep } from '../steps.ts';
import type { MysqlDialect } from './dialect.ts';
import { execute } from './engine.ts';
import { Journal, type Direction, type Unfinished } from './journal.ts';
import { capturingKnex, lossesOf } from './plan.ts';

/** How long a process waits for another one that migrates: an index of a large table takes its time. */
const lockAttempts = 30;
const lockAttemptSeconds = 10;

export interface MysqlMigratorParts {
  readonly pool: ConnectionPool;
  readonly engine: ServerEngine;
  readonly sql: MysqlDialect;
  readonly location: string;
  /** The database that the connections of the pool are in, and that of the tables. */
  readonly database: { readonly connected: string; readonly ofTables: string };
}

/** A connection while it migrates. */
interface Session {
  readonly journal: Journal;
  /** What steps are given to find out what they would do: from here on one's questions are answered as if the other had been done. */
  capturing(): Migration;
  perform(sql: string, bindings?: readonly unknown[]): Promise<StatementResult>;
  hasTable(name: string): Promise<boolean>;
}

/**
 * DDL commits by itself here, so no transaction can hold a migration. Instead each step is turned into a list of statements,
 * the list is written down, and its statements are carried out one by one: whoever comes after a process that died goes on
 * with its list. A lock of the server's, gone with its connection, lets one process migrate at a time.
 */
export class MysqlMigrator implements Migrator {
  private readonly bookkeeping: string;
  private readonly journal: string;

  constructor(private readonly parts: MysqlMigratorParts) {
    this.bookkeeping = bookkeepingOf(parts.sql);
    this.journal = `${this.bookkeeping}_journal`;
  }

  async migrate(steps: readonly MigrationStep[]): Promise<MigrationReport> {
    const { pending, isTidy } = await this.standing(steps);
    if (pending.length === 0 && isTidy) return { applied: [], pending: [] };
    const applied = await this.alone('migrated', async (session) => {
      const finished = await this.finish(session);
      const ran = finished?.direction === 'up' ? [finished.step] : [];
      // A later step that refuses what it finds refuses it before the first one has made anything.
      await runPending(steps, session.capturing());
      for (const statement of await createBookkeeping(session.capturing())) await session.perform(statement);
      const done = await stepsDone(session.capturing());
      const batch = await nextBatch(session.capturing());
      for (const step of steps.filter(({ name }) => !done.has(name))) {
        await carryOut(session, 'up', await runStep(step, session.capturing(), batch));
        ran.push(step.name);
      }
      return ran;
    });
    return { applied, pending: [] };
  }

  rollback(steps: readonly MigrationStep[]): Promise<readonly string[]> {
    return this.alone('rolled back', async (session) => {
      const finished = await this.finish(session);
      const undone = finished?.direction === 'down' ? [finished.step] : [];
      if (!(await session.hasTable(this.bookkeeping))) return undone;
      const left = new Set(await stepsDone(session.capturing()));
      for (const step of steps.filter(({ name }) => left.has(name)).toReversed()) {
        left.delete(step.name);
        await carryOut(session, 'down', await undoStep(step, session.capturing(), left));
        undone.push(step.name);
      }
      return undone;
    });
  }

  planMigration(steps: readonly MigrationStep[]): Promise<StepsPlan> {
    return this.planned('migrated', async (session, capturing) => {
      const rest = await this.rest(session, capturing);
      const others = steps.filter(({ name }) => rest?.direction !== 'up' || name !== rest.name);
      const ran = await runPending(others, capturing);
      return { steps: rest === undefined ? ran : [rest, ...ran], losses: [] };
    });
  }

  planRollback(steps: readonly MigrationStep[]): Promise<StepsPlan> {
    return this.planned('rolled back', async (session, capturing) => {
      const rest = await this.rest(session, capturing);
      const others = steps.filter(({ name }) => rest?.direction !== 'down' || name !== rest.name);
      const undone = await undoAll(others, capturing);
      const all = rest === undefined ? undone : [rest, ...undone];
      return { steps: all, losses: await lossesOf(all, (sql) => session.perform(sql), this.parts.sql) };
    });
  }

  async pending(steps: readonly MigrationStep[]): Promise<readonly string[]> {
    return (await this.standing(steps)).pending;
  }

  /** Which steps have not run, and whether nobody has left a journal: one may be left that is empty. */
  private standing(steps: readonly MigrationStep[]): Promise<{ readonly pending: readonly string[]; readonly isTidy: boolean }> {
    const names = steps.map((step) => step.name);
    return this.onConnection(async (session) => {
      if (!(await session.hasTable(this.bookkeeping))) return { pending: names, isTidy: true };
      const done = new Set(await stepsDone(session.capturing()));
      const isTidy = !(await session.hasTable(this.journal));
      const unfinished = isTidy ? undefined : await session.journal.unfinished();
      // Half of its tables may be gone.
      if (unfinished?.direction === 'down') done.delete(unfinished.step);
      return { pending: names.filter((name) => !done.has(name)), isTidy };
    });
  }

  /** Carries out what a process that died has left; returns what that was. */
  private async finish(session: Session): Promise<Unfinished | undefined> {
    const { journal } = session;
    const unfinished = (await session.hasTable(this.journal)) ? await journal.unfinished() : undefined;
    if (unfinished === undefined) await journal.create();
    else await journal.carryOut();
    return unfinished;
  }

  /** The same, for a plan. */
  private async rest(session: Session, { knex }: Migration): Promise<(PlannedStep & Pick<Unfinished, 'direction'>) | undefined> {
    if (!(await session.hasTable(this.journal))) return undefined;
    const unfinished = await session.journal.unfinished();
    if (unfinished === undefined) return undefined;
    const statements = await session.journal.remaining();
    for (const statement of statements) await knex.raw(statement);
    return { name: unfinished.step, direction: unfinished.direction, statements };
  }

  private planned(what: string, task: (session: Session, capturing: Migration) => Promise<StepsPlan>): Promise<StepsPlan> {
    return this.onConnection((session) =>
      task(session, session.capturing()).catch((error: unknown) => {
        throw this.explained(what, error, session.journal);
      }),
    );
  }

  /** Runs a task while no other process migrates this database. */
  private alone<T>(what: string, task: (session: Session) => Promise<T>): Promise<T> {
    return this.onConnection(async (session) => {
      const { journal } = session;
      const name = lockName(this.parts.database.ofTables);
      if (!(await isLocked(session, name))) throw this.lockedOut();
      let result: T;
      try {
        result = await task(session);
        await journal.drop();
      } catch (error) {
        await this.tidy(session, error);
        throw this.explained(what, error, journal);
      } finally {
        // A connection that is gone has released it.
        await session.perform('DO RELEASE_LOCK(?)', [name]).catch(() => undefined);
      }
      return result;
    });
  }

  /** An empty journal is of no use to anybody. What went wrong matters more than what tidying has to add. */
  private async tidy(session: Session, error: unknown): Promise<void> {
    if (this.parts.engine.troubleOf(error) === 'disconnected') return;
    try {
      if ((await session.hasTable(this.journal)) && (await session.journal.unfinished()) === undefined) await session.journal.drop();
    } catch {
      // It is found, and dropped, by the next one.
    }
  }

  /** Takes a connection of the pool for a task. It is closed where the task fails, and with it goes what the task has locked. */
  private async onConnection<T>(task: (session: Session) => Promise<T>): Promise<T> {
    const { pool, engine, sql, location, database } = this.parts;
    const connection = await pool.acquire().catch((error: unknown) => {
      throw engine.explain(error, location);
    });
    const enter = (name: string): Promise<unknown> => engine.perform(connection, { sql: `USE ${sql.id(name)}`, bindings: [] });
    let fault: unknown;
    try {
      if (database.ofTables !== database.connected) await enter(database.ofTables);
      const result = await task(this.sessionOn(connection));
      if (database.ofTables !== database.connected) await enter(database.connected);
      return result;
    } catch (error) {
      fault = error;
      throw engine.explain(error, location);
    } finally {
      await pool.release(connection, fault);
    }
  }

  private sessionOn(connection: RawConnection): Session {
    const { engine, sql, database } = this.parts;
    const perform: Session['perform'] = (statement, bindings = []) => engine.perform(connection, { sql: statement, bindings });
    const journal = new Journal(
      {
        perform,
        execute: (statement) => execute(connection, statement),
        isRefusal: (error) => engine.troubleOf(error) !== 'disconnected',
      },
      sql.id(this.journal),
    );
    return {
      journal,
      perform,
      capturing: () => ({ knex: capturingKnex(connection, { database: database.ofTables, collation: sql.collation }), sql }),
      async hasTable(name) {
        const { rows } = await perform('SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ?', [
          database.ofTables,
          name,
        ]);
        return rows.length > 0;
      },
    };
  }

  private explained(what: string, error: unknown, { hasChanged }: Journal): unknown {
    const { engine, location } = this.parts;
    const told = engine.explain(error, location);
    // Missing tables and columns are what a migration is about: of these the step says more.
    if (isRedriveError(told) && !['MIGRATION_FAILED', 'STORE_UNMIGRATED', 'STORE_BROKEN'].includes(told.code)) return told;
    const outcome = hasChanged
      ? `could not be ${what} to the end: ${reason(error)}. What was done stays, and "redrive migrate" goes on from there`
      : `could not be ${what}, and nothing was changed: ${reason(error)}`;
    return new RedriveError('MIGRATION_FAILED', `${location} ${outcome}`, { cause: error });
  }

  private lockedOut(): RedriveError {
    return new RedriveError(
      'STORE_LOCKED',
      `${this.parts.location} is being migrated by another process, and that does not end; see SHOW PROCESSLIST`,
    );
  }
}

/** Writes a step's list down, and carries it out. */
async function carryOut({ journal }: Session, direction: Direction, { name, statements }: PlannedStep): Promise<void> {
  await journal.write({ step: name, direction }, statements);
  await journal.carryOut();
}

async function isLocked(session: Session, name: string): Promise<boolean> {
  for (let attempt = 0; attempt < lockAttempts; attempt++) {
    const { rows } = await session.perform('SELECT GET_LOCK(?, ?) AS got', [name, lockAttemptSeconds]);
    if ((rows[0] as { readonly got: number | null }).got === 1) return true;
  }
  return false;
}

/** Locks are the server's, not the database's, and their names are short. */
function lockName(database: string): string {
  return `redrive_${createHash('sha256').update(database).digest('hex').slice(0, 32)}`;
}
