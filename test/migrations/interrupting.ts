import type { Knex } from 'knex';
import type { TestDatabase } from '../support/servers.ts';

/** A connection of mysql2, as far as it is meddled with here. */
interface Connection {
  query(options: { readonly sql: string }, bindings: unknown, done?: unknown): unknown;
  destroy(): void;
}

type Done = (error: unknown, result?: unknown) => void;

/** What a migration does, and not what it asks. */
const changes = /^\s*(?:create|alter|drop|insert|update|delete|commit)\b/i;

/**
 * A Knex config whose connections break at the `at`-th statement that changes something: before it reaches the server, or after it
 * was carried out and before anybody hears of it.
 */
export function interrupting(
  config: TestDatabase['config'],
  at: number,
  when: 'before' | 'after',
  onStatement: (sql: string) => void | Promise<void> = () => undefined,
): Knex.Config {
  let seen = 0;
  const afterCreate = (connection: Connection, done: (error: unknown, connection: Connection) => void): void => {
    const query = connection.query.bind(connection);
    connection.query = (options, bindings, callback) => {
      const finish = (typeof bindings === 'function' ? bindings : callback) as Done;
      const values = typeof bindings === 'function' ? undefined : bindings;
      const send = (then: Done): unknown => query(options, values ?? [], then);
      if (!changes.test(options.sql)) return send(finish);
      const number = seen++;
      const goOn = (): unknown => {
        if (number !== at) return send(finish);
        const lost = (): void => {
          connection.destroy();
          finish(Object.assign(new Error('the connection is gone'), { code: 'ECONNRESET', fatal: true }));
        };
        return when === 'before' ? lost() : send(lost);
      };
      const noted = onStatement(options.sql);
      return noted instanceof Promise ? void noted.then(goOn) : goOn();
    };
    done(null, connection);
  };
  return { ...config, pool: { min: 0, max: 2, afterCreate } } as Knex.Config;
}
