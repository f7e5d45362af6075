import type { Knex } from 'knex';
import { RedriveError } from '../../src/errors.ts';
import type { FailedJobFilter, FailedJobRef, Picked, PickPage, Place } from '../../src/record/failure-log.ts';
import type { Script } from '../../src/store/script.ts';
import { hasStatus, narrowFound } from './filter.ts';
import { findPlaces, inOrder } from './places.ts';
import { allOf, type From } from './queries.ts';
import type { FailedJobRow } from './rows.ts';
import type { FailedJobsTable } from './stretches.ts';

/** Rows looked at by one step: a few hundredths of a second for the synchronous driver of SQLite at most. */
const stride = 1_000;

/** Stacks and payloads of a million failed jobs would be gigabytes. */
const columns = [
  'id',
  'job_id',
  'connection',
  'status',
  'failed_at',
  'failure_seq',
  'run',
] as const satisfies readonly (keyof FailedJobRow)[];

type RefRow = Pick<FailedJobRow, (typeof columns)[number]>;

/** One step: of the next places of an index those that the filter means. Rows without a number are left out. */
export function* pickStep(table: FailedJobsTable, filter: FailedJobFilter, { after, order, through, criteria }: PickPage): Script<Picked> {
  const places = yield* findPlaces(table, filter, { after, order, count: stride });
  if (places.length === 0) return { refs: [] };
  const next = places.length < stride ? undefined : places.at(-1);
  const ids = places.map(({ id }) => id);
  const query = narrowFound(
    table
      .from()
      .select(...columns)
      .whereIn('id', ids),
    filter,
  );
  if (through !== undefined) query.where('failure_seq', '<=', through);
  if (criteria !== undefined) query.where((group: Knex.QueryBuilder) => criteria(group));
  const refs = (yield* allOf<RefRow>(query)).filter(hasStatus(filter)).map(readRef);
  const compare = inOrder(order);
  return { refs: refs.toSorted((one, other) => compare(one.place, other.place)), ...(next === undefined ? {} : { next }) };
}

/** Throws `CONFIG_INVALID` for criteria that add no condition: they would mean every failed job. */
export function checkCriteria(from: From, criteria: NonNullable<PickPage['criteria']>): void {
  const narrowed = from().where((group: Knex.QueryBuilder) => criteria(group));
  if (narrowed.toSQL().sql === from().toSQL().sql)
    throw new RedriveError(
      'CONFIG_INVALID',
      'logFailedJobsProperties.cleanup.criteria added no condition to its query, which would remove every failed job; call query.where(...) in it, synchronously',
    );
}

function readRef({ id, job_id: jobId, connection, status, failed_at: at, failure_seq: seq, run }: RefRow): FailedJobRef {
  const place: Place = { at: at ?? 0, id };
  return { id, seq: seq ?? 0, run: run ?? 1, jobId, connection, status: status ?? 'failed', place };
}
