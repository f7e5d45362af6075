import type { Statement, StatementResult } from '../../../../src/store/script.ts';
import type { Dialect } from '../../../../src/store/sql-store.ts';

/** A connection of a driver's own kind; only its engine looks inside. */
export type RawConnection = object;

/** An error after which the same script may well succeed. */
export type Trouble =
  /** A deadlock, a serialization failure, a lock waited for too long. */
  | 'contention'
  /** A unique key that somebody else took meanwhile: the script, run again, finds it. */
  | 'taken'
  /** The connection is gone, and with it what it had not committed. */
  | 'disconnected';

/** What one kind of server and its driver do differently; all else is common to them. Has no state. */
export interface ServerEngine {
  readonly dialect: Dialect;
  /** What Knex calls this engine: a transaction of another one is refused. */
  readonly knexDialect: string;
  /** Each begins a transaction, in order; the isolation is READ COMMITTED. */
  readonly beginWrite: readonly string[];
  /** The same for a transaction that reads one snapshot and cannot write. */
  readonly beginRead: readonly string[];
  /** Gives one row whose `now` is the server's clock in epoch ms. */
  readonly clockQuery: string;
  /** Gives one row whose `id` is the same for two connections if, and only if, they lead to the same database. */
  readonly identityQuery: string;
  /** Runs one statement. 64-bit integers arrive as numbers. Rejects with the driver's error where the server does not answer in time. */
  perform(connection: RawConnection, statement: Statement): Promise<StatementResult>;
  /** Undefined for what running the script again would not mend. */
  troubleOf(error: unknown): Trouble | undefined;
  /** Says what a driver's error means for somebody who has to mend it; anything else comes back as it is. */
  explain(error: unknown, location: string): unknown;
}
