import type { Knex } from 'knex';
import { all, first, type Script } from '../../src/store/script.ts';

/** Makes a query of the failed-jobs table. */
export type From = () => Knex.QueryBuilder;

export function* allOf<Row>(query: Knex.QueryBuilder): Script<readonly Row[]> {
  const { sql, bindings } = query.toSQL();
  return yield* all<Row>(sql, bindings);
}

export function* firstOf<Row>(query: Knex.QueryBuilder): Script<Row | undefined> {
  const { sql, bindings } = query.limit(1).toSQL();
  return yield* first<Row>(sql, bindings);
}

export function* countOf(query: Knex.QueryBuilder): Script<number> {
  return (yield* firstOf<{ count: number }>(query.count({ count: '*' })))?.count ?? 0;
}
