import { setImmediate } from 'node:timers/promises';
import type { Knex } from 'knex';
import { formatDuration } from '../../../../src/duration.ts';
import { isRedriveError, RedriveError } from '../../../../src/errors.ts';
import type { Script, Statement, StatementResult } from '../../../../src/store/script.ts';
import type { SqlDialect } from '../../../../src/store/sql-dialect.ts';
import type { MigrationReport, MigrationStep, SqlStore, StepsPlan, StoreAccess } from '../../../../src/store/sql-store.ts';
import type { RawConnection, ServerEngine } from './engine.ts';
import { patiently } from './patience.ts';
import { pinnedKnex } from './pinned-knex.ts';
import type { ConnectionPool } from './pool.ts';
import { runScript } from './run-script.ts';
import { ServerClock } from './server-clock.ts';
import { connectionOf, foreignTransaction } from './user-transaction.ts';

/** Creates, upgrades and removes tables; each call takes a connection of the pool for itself. */
export interface Migrator {
  migrate(steps: readonly MigrationStep[]): Promise<MigrationReport>;
  rollback(steps: readonly MigrationStep[]): Promise<readonly string[]>;
  planMigration(steps: readonly MigrationStep[]): Promise<StepsPlan>;
  planRollback(steps: readonly MigrationStep[]): Promise<StepsPlan>;
  pending(steps: readonly MigrationStep[]): Promise<readonly string[]>;
}

/** How processes tell each other that there is something to do. */
export interface WakeUps {
  /** False where nobody can tell anybody anything. */
  readonly hearsOthers: boolean;
  /** Calls back when another process says so, with the queue where it is known; returns how to stop it. */
  listen(listener: (queue?: string) => void): () => void;
  /** Tells the others, soon and once for many calls. Never throws, and fails in silence: everybody polls as well. */
  tell(queue?: string): void;
  close(): Promise<void>;
}

export interface ServerStoreParts {
  readonly engine: ServerEngine;
  readonly pool: ConnectionPool;
  readonly sql: SqlDialect;
  readonly location: string;
  readonly access: StoreAccess;
  readonly migrator: Migrator;
  readonly wakeUps: WakeUps;
}

const commit: Statement = { sql: 'COMMIT', bindings: [] };
const rollback: Statement = { sql: 'ROLLBACK', bindings: [] };
const savepoint = {
  set: { sql: 'SAVEPOINT redrive', bindings: [] },
  release: { sql: 'RELEASE SAVEPOINT redrive', bindings: [] },
  rollback: { sql: 'ROLLBACK TO SAVEPOINT redrive', bindings: [] },
} as const;

/** Texts remembered as beginnings of scripts with several statements. */
const mostBeginnings = 500;

/** A database server, through the connections of a pool. What is special about one kind of server is in its engine. */
export class ServerStore implements SqlStore {
  readonly sql: SqlDialect;
  readonly location: string;
  readonly builder: Knex;
  private readonly clock = new ServerClock();
  /** First statements of scripts that went on to a second one. */
  private readonly beginnings = new Set<string>();
  /** The last script on each connection of a user's transaction: the next one waits for it. */
  private readonly turns = new WeakMap<RawConnection, Promise<unknown>>();
  private readonly known = new WeakSet<RawConnection>();
  private identity: unknown;

  private constructor(private readonly parts: ServerStoreParts) {
    this.sql = parts.sql;
    this.location = parts.location;
    this.builder = pinnedKnex(parts.engine.knexDialect);
  }

  /** The store of a server that answers on this connection, which stays the caller's. */
  static async open(parts: ServerStoreParts, connection: RawConnection): Promise<ServerStore> {
    const store = new ServerStore(parts);
    await store.measure(connection);
    store.identity = await store.identify(connection);
    return store;
  }

  /** A server lets everybody write at the same time; this process's other work gets its turn. */
  async makeWay(): Promise<void> {
    await setImmediate();
  }

  get dialect(): ServerEngine['dialect'] {
    return this.parts.engine.dialect;
  }

  now(): number {
    return this.clock.now();
  }

  keepTime(): Promise<void> {
    return this.patiently(() => this.alone((connection) => this.measure(connection)));
  }

  /** A script of one statement takes one round trip: its snapshot is its own. Whether it is one shows when it has run. */
  read<T>(script: () => Script<T>): Promise<T> {
    return this.patiently(async () => {
      const running = script();
      const first = running.next();
      if (first.done === true) return first.value;
      if (!this.beginnings.has(first.value.sql)) {
        const { sql } = first.value;
        const second = running.next(await this.alone((connection) => this.perform(connection, first.value)));
        if (second.done === true) return second.value;
        // There is more to it, which has to be of the same snapshot: from the start.
        if (this.beginnings.size >= mostBeginnings) this.beginnings.clear();
        this.beginnings.add(sql);
      }
      return this.transact(this.parts.engine.beginRead, script);
    });
  }

  async write<T>(script: () => Script<T>): Promise<T> {
    const { access, engine } = this.parts;
    if (access === 'look' || access === 'plan') throw new RedriveError('STORE_READ_ONLY', `${this.location} was opened for looking only`);
    return this.patiently(() => this.transact(engine.beginWrite, script));
  }

  async within<T>(transaction: Knex.Transaction, script: () => Script<T>): Promise<T> {
    const connection = await connectionOf(transaction, this.parts.engine, this.location);
    // Two at a time would roll back each other's savepoints.
    const turn = (this.turns.get(connection) ?? Promise.resolve()).then(() => this.joining(connection, script));
    this.turns.set(
      connection,
      turn.catch(() => undefined),
    );
    return turn;
  }

  migrate(steps: readonly MigrationStep[]): Promise<MigrationReport> {
    return this.parts.migrator.migrate(steps);
  }

  rollback(steps: readonly MigrationStep[]): Promise<readonly string[]> {
    return this.parts.migrator.rollback(steps);
  }

  planMigration(steps: readonly MigrationStep[]): Promise<StepsPlan> {
    return this.parts.migrator.planMigration(steps);
  }

  planRollback(steps: readonly MigrationStep[]): Promise<StepsPlan> {
    return this.parts.migrator.planRollback(steps);
  }

  pending(steps: readonly MigrationStep[]): Promise<readonly string[]> {
    return this.parts.migrator.pending(steps);
  }

  get hearsOthers(): boolean {
    return this.parts.wakeUps.hearsOthers;
  }

  onForeignWrite(listener: (queue?: string) => void): () => void {
    return this.parts.wakeUps.listen(listener);
  }

  tellOthers(queue?: string): void {
    this.parts.wakeUps.tell(queue);
  }

  async close(): Promise<void> {
    await this.parts.wakeUps.close();
    await this.parts.pool.close();
  }

  private patiently<T>(attempt: () => Promise<T>): Promise<T> {
    return patiently(this.parts.engine, this.location, attempt);
  }

  /** Only a key that was taken meanwhile is looked for again: after anything else the user's own transaction may be over. */
  private joining<T>(connection: RawConnection, script: () => Script<T>): Promise<T> {
    const { engine } = this.parts;
    const stubborn: Pick<ServerEngine, 'troubleOf' | 'explain'> = {
      explain: (error, location) => engine.explain(error, location),
      troubleOf: (error) => (engine.troubleOf(error) === 'taken' ? 'taken' : undefined),
    };
    return patiently(stubborn, this.location, () => this.inSavepoint(connection, script));
  }

  private async transact<T>(begin: readonly string[], script: () => Script<T>): Promise<T> {
    const { engine } = this.parts;
    return this.alone(async (connection, condemn) => {
      const perform = (statement: Statement): Promise<StatementResult> => this.perform(connection, statement);
      let result: T;
      try {
        for (const sql of begin) await perform({ sql, bindings: [] });
        result = await runScript(script(), perform);
      } catch (error) {
        // A connection that cannot even do that is still inside the transaction.
        if (!this.isLost(error)) await perform(rollback).catch(condemn);
        throw error;
      }
      try {
        await perform(commit);
      } catch (error) {
        condemn(error);
        throw engine.troubleOf(error) === 'disconnected' ? this.unknownOutcome(error) : error;
      }
      return result;
    });
  }

  /** All of the script or nothing: the user may catch what it throws, and commit. */
  private async inSavepoint<T>(connection: RawConnection, script: () => Script<T>): Promise<T> {
    const { engine } = this.parts;
    const perform = (statement: Statement): Promise<StatementResult> => engine.perform(connection, statement);
    await perform(savepoint.set);
    try {
      if (!this.known.has(connection)) await this.recognise(connection);
      const result = await runScript(script(), perform);
      await perform(savepoint.release);
      return result;
    } catch (error) {
      // What made the script fail says more than why it could not be taken back: the transaction is over then.
      await perform(savepoint.rollback)
        .then(() => perform(savepoint.release))
        .catch(() => undefined);
      throw error;
    }
  }

  /** One statement. Of one that had its own time, its end is no trouble of the connection's that another attempt would mend. */
  private async perform(connection: RawConnection, statement: Statement): Promise<StatementResult> {
    const { engine } = this.parts;
    const { timeoutMs } = statement;
    const startedAt = performance.now();
    try {
      return await engine.perform(connection, statement);
    } catch (error) {
      const isLate = timeoutMs !== undefined && performance.now() - startedAt >= timeoutMs - 1;
      if (!isLate || engine.troubleOf(error) !== 'disconnected') throw error;
      const message = `A query of ${this.location} took longer than ${formatDuration(timeoutMs)} (queryOptions.timeout) and was given up; narrow the filter, or allow it more time`;
      throw new RedriveError('STORE_TIMEOUT', message, { cause: error });
    }
  }

  /** The server may still be at work on it, so nothing else can be asked of the connection. */
  private isLost(error: unknown): boolean {
    return isRedriveError(error, 'STORE_TIMEOUT') || this.parts.engine.troubleOf(error) === 'disconnected';
  }

  private measure(connection: RawConnection): Promise<void> {
    const { engine } = this.parts;
    return this.clock.measure(async () => {
      const { rows } = await engine.perform(connection, { sql: engine.clockQuery, bindings: [] });
      return (rows[0] as { readonly now: number }).now;
    });
  }

  private async recognise(connection: RawConnection): Promise<void> {
    if ((await this.identify(connection)) !== this.identity) throw foreignTransaction(this.location);
    this.known.add(connection);
  }

  private async identify(connection: RawConnection): Promise<unknown> {
    const { rows } = await this.parts.engine.perform(connection, { sql: this.parts.engine.identityQuery, bindings: [] });
    return (rows[0] as { readonly id: unknown }).id;
  }

  private unknownOutcome(cause: unknown): RedriveError {
    const message = `The connection to ${this.location} broke while a transaction was committed; whether it took effect is not known`;
    return new RedriveError('STORE_UNREACHABLE', message, { cause });
  }

  /** Runs a task on a connection of the pool. One that broke, or was condemned by the task, is not given out again. */
  private async alone<T>(task: (connection: RawConnection, condemn: (fault: unknown) => void) => Promise<T>): Promise<T> {
    const { pool } = this.parts;
    const connection = await pool.acquire();
    let fault: unknown;
    try {
      return await task(connection, (found) => (fault ??= found));
    } catch (error) {
      if (this.isLost(error)) fault ??= error;
      throw error;
    } finally {
      await pool.release(connection, fault);
    }
  }
}
