import type { Knex } from 'knex';
import type { StatementResult } from '../../../../src/store/script.ts';
import type { SqlDialect } from '../../../../src/store/sql-dialect.ts';
import type { Loss, PlannedStep } from '../../../../src/store/sql-store.ts';
import type { RawConnection } from '../server/engine.ts';
import { pinnedKnex } from '../server/pinned-knex.ts';

// DDL cannot be taken back here, so a plan does not run it: it is written down, and what the steps ask is answered as if it had run.

type Done = (error: Error | null, result?: unknown) => void;

/** A connection of mysql2 as Knex uses it. */
interface Connection {
  query(options: { readonly sql: string }, bindings: readonly unknown[] | undefined, done: Done): unknown;
}

const looking = /^\s*(?:select|show)\b/i;
const asksForTable = /^select \* from information_schema\.tables where table_name = \?/i;
const made = /^create table (?:if not exists )?`((?:[^`]|``)+)`/i;
const dropped = /^drop table (?:if exists )?`((?:[^`]|``)+)`/i;
const altered = /^alter table `((?:[^`]|``)+)` (.*)$/is;
const columnDropped = /\bdrop (?:column )?`((?:[^`]|``)+)`/gi;

export interface TableSettings {
  readonly database: string;
  /** Of tables made by it. */
  readonly collation: string;
}

/** A Knex instance that only reads. To it a table that would have been made is there and empty, one that would have been dropped is not. */
export function capturingKnex(connection: RawConnection, { database, collation }: TableSettings): Knex {
  const knex = pinnedKnex('mysql2', pretending(connection as Connection));
  // Where Knex looks for the database whose columns it is asked for, and for what tables are like where nothing is said.
  Object.assign(knex.client, { connectionSettings: { database, charset: 'utf8mb4', collate: collation } });
  return knex;
}

function pretending(connection: Connection): Connection {
  const isThere = new Map<unknown, boolean>();
  return {
    query(options, bindings, done) {
      const { sql } = options;
      if (!looking.test(sql)) {
        for (const name of namesIn(made, sql)) isThere.set(name, true);
        for (const name of namesIn(dropped, sql)) isThere.set(name, false);
        return done(null, { affectedRows: 0, insertId: 0 });
      }
      const known = asksForTable.test(sql) ? isThere.get(bindings?.[0]) : undefined;
      if (known !== undefined) return done(null, known ? [{}] : []);
      return connection.query(options, bindings, (error, rows) => {
        if (isNoSuchTable(error)) done(null, []);
        else done(error, rows);
      });
    },
  };
}

function namesIn(pattern: RegExp, sql: string): readonly string[] {
  const name = pattern.exec(sql)?.[1];
  return name === undefined ? [] : [unquoted(name)];
}

/** What undoing the steps would take away, of what is there. */
export async function lossesOf(
  undone: readonly PlannedStep[],
  perform: (sql: string) => Promise<StatementResult>,
  sql: SqlDialect,
): Promise<readonly Loss[]> {
  const gone = new Map<string, string[] | undefined>();
  for (const statement of undone.flatMap((step) => step.statements)) {
    for (const table of namesIn(dropped, statement)) gone.set(table, undefined);
    const [, of = '', changes = ''] = altered.exec(statement) ?? [];
    const columns = [...changes.matchAll(columnDropped)].map(([, column = '']) => unquoted(column));
    if (columns.length > 0) gone.set(unquoted(of), [...(gone.get(unquoted(of)) ?? []), ...columns]);
  }
  const losses: Loss[] = [];
  for (const [table, columns] of gone) {
    const rows = await rowsOf(table, perform, sql);
    if (rows !== undefined) losses.push(columns === undefined ? { table, rows } : { table, columns, rows });
  }
  return losses;
}

/** Undefined where there is no such table. */
async function rowsOf(table: string, perform: (sql: string) => Promise<StatementResult>, sql: SqlDialect): Promise<number | undefined> {
  try {
    const { rows } = await perform(`SELECT count(*) AS count FROM ${sql.id(table)}`);
    return (rows[0] as { count: number }).count;
  } catch (error) {
    if (isNoSuchTable(error)) return undefined;
    throw error;
  }
}

function isNoSuchTable(error: unknown): boolean {
  return error instanceof Error && (error as { readonly errno?: unknown }).errno === 1146;
}

function unquoted(name: string): string {
  return name.replaceAll('``', '`');
}
