import type { Knex } from 'knex';
import { onTestFinished } from 'vitest';
import type { TestDatabase } from './servers.ts';

/** A connection of pg or mysql2, as far as it is meddled with here. */
interface Connection {
  query(options: { readonly sql?: string; readonly text?: string }, ...rest: unknown[]): unknown;
}

export interface Holding {
  /** A Knex config whose first statement that matches is not sent before it is released. */
  readonly config: Knex.Config;
  /** Resolves when that statement is held. */
  readonly reached: Promise<void>;
  readonly release: () => void;
}

/** Stops a process in the middle of a transaction, as seen from its database. */
export function holding(config: TestDatabase['config'], matches: RegExp): Holding {
  let isOver = false;
  let release = (): void => undefined;
  let reach = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const reached = new Promise<void>((resolve) => (reach = resolve));
  onTestFinished(() => release());
  const afterCreate = (connection: Connection, done: (error: unknown, connection: Connection) => void): void => {
    const query = connection.query.bind(connection);
    connection.query = (options, ...rest) => {
      if (isOver || !matches.test(options.sql ?? options.text ?? '')) return query(options, ...rest);
      isOver = true;
      reach();
      return released.then(() => {
        const answer = query(options, ...rest);
        // That of mysql2 may not be waited for.
        return 'sql' in options ? undefined : answer;
      });
    };
    done(null, connection);
  };
  return { config: { ...config, pool: { min: 0, max: 2, afterCreate } }, reached, release: () => release() };
}
