import type { Knex } from 'knex';
import { all, type Script } from '../../src/store/script.ts';

/** Makes a query of the failed-jobs table. */
export type From = () => Knex.QueryBuilder;

export function* allOf<Row>(query: Knex.QueryBuilder): Script<readonly Row[]> {
  const { sql, bindings } = query.toSQL();
  return yield* all<Row>(sql, bindings);
}
