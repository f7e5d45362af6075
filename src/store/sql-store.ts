import type { Knex } from 'knex';
import type { Script } from './script.ts';
import type { SqlDialect, TableNames } from './sql-dialect.ts';

export type Dialect = 'sqlite' | 'postgres' | 'mysql' | 'mssql';

/** What a step of a schema works with. */
export interface Migration {
  /** Of one connection, whose unqualified names are those of the store's schema. */
  readonly knex: Knex;
  readonly sql: SqlDialect;
}

/** One step of a schema, written with Knex's schema builder. */
export interface MigrationStep {
  /** Unique and stable: what was run is known by it. Steps run in the order of their list. */
  readonly name: string;
  up(migration: Migration): Promise<void>;
  down(migration: Migration): Promise<void>;
}

export interface MigrationReport {
  /** Names of the steps that ran. */
  readonly applied: readonly string[];
  /** Names of the steps still to run. */
  readonly pending: readonly string[];
  /** Names of the steps that a rollback undid, in that order. */
  readonly rolledBack?: readonly string[];
}

export interface MigrationState {
  /** Names of the steps that have run. */
  readonly applied: readonly string[];
  /** Names of the steps still to run. */
  readonly pending: readonly string[];
}

/** A step, and what running or undoing it executes. */
export interface PlannedStep {
  readonly name: string;
  /** SQL with its values in place. What only reads is left out. */
  readonly statements: readonly string[];
}

/** What a rollback takes from a table. */
export interface Loss {
  readonly table: string;
  /** Left out: the whole table. */
  readonly columns?: readonly string[];
  /** Rows in the table. */
  readonly rows: number;
}

/** What running or undoing steps would do. */
export interface StepsPlan {
  readonly steps: readonly PlannedStep[];
  readonly losses: readonly Loss[];
}

/**
 * A database that runs {@link Script}s. Scripts may be run again from their start when the engine asks for
 * it (a lock, a deadlock, or a unique key that somebody else took between the script's look and its write, which the
 * script then finds), so what they compute outside the database must not depend on being run once.
 */
export interface SqlStore {
  readonly dialect: Dialect;
  /** The parts of SQL in which this engine differs from others. */
  readonly sql: SqlDialect;
  /** What it is for a person, without passwords; equal for two stores of the same database. */
  readonly location: string;
  /** Builds queries for this dialect; not for running them. */
  readonly builder: Knex;
  /** Runs a script against one snapshot. */
  read<T>(script: () => Script<T>): Promise<T>;
  /** Runs a script in one transaction that holds the right to write from its first statement. */
  write<T>(script: () => Script<T>): Promise<T>;
  /** Runs a script inside a transaction of the user's: no commit, no effect. */
  within<T>(transaction: Knex.Transaction, script: () => Script<T>): Promise<T>;
  /** Runs the steps that have not run yet, all or none. */
  migrate(steps: readonly MigrationStep[]): Promise<MigrationReport>;
  /** Undoes the steps that have run, the last one first, all or none; returns their names in that order. */
  rollback(steps: readonly MigrationStep[]): Promise<readonly string[]>;
  /** What `migrate` would do. Only reads, and not more than the schema. */
  planMigration(steps: readonly MigrationStep[]): Promise<StepsPlan>;
  /** What `rollback` would do, found out by doing it and taking it back, since it may depend on the rows. */
  planRollback(steps: readonly MigrationStep[]): Promise<StepsPlan>;
  /** Names of the steps that have not run yet. */
  pending(steps: readonly MigrationStep[]): Promise<readonly string[]>;
  /** The database's clock in epoch ms, told without asking it: as far off as a round trip takes, whatever the host's own clock says. */
  now(): number;
  /** Compares clocks again with a database that has one of its own. Call it now and then: the two drift apart, and a failover brings another. */
  keepTime(): Promise<void>;
  /** Whether {@link onForeignWrite} hears of anything. */
  readonly hearsOthers: boolean;
  /** Calls back when another process may have written, with the queue where it is known; returns how to stop it. */
  onForeignWrite(listener: (queue?: string) => void): () => void;
  /**
   * Says that there may be something to do in a queue, or in any, to whoever listens by {@link onForeignWrite} in other processes. Soon, and
   * once for many calls; never throws: where it fails, they find out by looking. Nothing where they notice by themselves.
   */
  tellOthers(queue?: string): void;
  /** Waits between the chunks of long work, where others who want to write would else hardly get a turn. */
  makeWay(): Promise<void>;
  close(): Promise<void>;
}

/**
 * What may be done to a store: `look` opens it read-only; `change` writes to one that is there and migrated;
 * `create` also makes a missing SQLite file and its tables; `plan` opens it read-only, and an empty one in memory where
 * it is missing, to find out what `create` would do.
 */
export type StoreAccess = 'look' | 'change' | 'create' | 'plan';

/** A Knex config, or an instance of the user's. */
export type StoreAddress = Knex.Config | Knex;

/** Hands out one store for each database, however often and by whomever it is asked for. */
export interface StoreSource {
  /** `names`: where in the database the tables are, and what their names begin with; what is left out is as usual. */
  open(address: StoreAddress, access: StoreAccess, names?: Partial<TableNames>): Promise<SqlStore>;
}
