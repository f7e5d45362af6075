import type { Knex } from 'knex';
import type { FailedJobFilter, FailedJobPage } from '../../src/record/failure-log.ts';
import { all, first, type Script } from '../../src/store/script.ts';
import { readFailedDate } from './cbq-row.ts';
import { isWithin, meansUnnumbered, narrow, narrowUnnumbered } from './filter.ts';
import { firstUnnumberedSeq, type FailedJobRow } from './rows.ts';

// Rows that an old cbq wrote have no number until somebody who may write gives them one. They are few, and looked up
// apart, by an index, so that the list of all others costs what it would cost without them.

/** Unnumbered rows read by one query: those of which only the time has to be looked at are as many as there are. */
const chunkSize = 200;

/** Makes a query of the failed-jobs table. */
type From = () => Knex.QueryBuilder;

/** One page. The unnumbered are the newest, in the order in which they were written. */
export function* list(from: From, filter: FailedJobFilter, page: FailedJobPage): Script<readonly FailedJobRow[]> {
  const { numbered, unnumbered } = yield* startOf(from, page);
  const { limit } = page;
  if (page.order === 'newest') {
    const newer = yield* listUnnumbered(from, filter, { ...page, begin: unnumbered });
    return [...newer, ...(yield* listNumbered(from, filter, { ...page, begin: numbered, limit: limit - newer.length }))];
  }
  const older = yield* listNumbered(from, filter, { ...page, begin: numbered });
  return [...older, ...(yield* listUnnumbered(from, filter, { ...page, begin: unnumbered, limit: limit - older.length }))];
}

export function* count(from: From, filter: FailedJobFilter): Script<number> {
  const numbered = yield* countOf(narrow(from(), filter));
  if (!(yield* anyUnnumbered(from, filter))) return numbered;
  if (filter.since === undefined && filter.until === undefined) return numbered + (yield* countOf(narrowUnnumbered(from(), filter)));
  const light: From = () => from().select('id', 'failedDate');
  return numbered + (yield* listUnnumbered(light, filter, { begin: {}, limit: Number.POSITIVE_INFINITY, order: 'oldest' })).length;
}

/** The highest `seq` of a row that has no number; undefined where every row has one. */
export function* lastUnnumbered(from: From): Script<number | undefined> {
  const row = yield* firstOf<{ id: number }>(narrowUnnumbered(from().select('id'), {}).orderBy('id', 'desc'));
  return row === undefined ? undefined : firstUnnumberedSeq + row.id;
}

/** The highest number given to a row so far; each state's is found by one step along its index. */
export function* lastNumbered(from: From): Script<number> {
  const highest: number[] = [0];
  for (const status of ['failed', 'retrying', 'resolved']) {
    const query = from().select('failure_seq').where('status', status).whereNotNull('failure_seq').orderBy('failure_seq', 'desc');
    highest.push((yield* firstOf<{ failure_seq: number }>(query.limit(1)))?.failure_seq ?? 0);
  }
  return Math.max(...highest);
}

/** Where a page begins in one part of the list: behind `after`, or at the part's start. */
interface Begin {
  readonly after?: number;
}

/** A part that is missing lies behind already. */
interface Start {
  readonly numbered?: Begin;
  readonly unnumbered?: Begin;
}

/** Where a page begins. The row its cursor is of may have been given a number since. */
function* startOf(from: From, { after, order }: FailedJobPage): Script<Start> {
  const isNewest = order === 'newest';
  if (after === undefined) return { numbered: {}, unnumbered: {} };
  if (after < firstUnnumberedSeq) return isNewest ? { numbered: { after } } : { numbered: { after }, unnumbered: {} };
  const unnumbered = { after: after - firstUnnumberedSeq };
  const row = yield* firstOf<Pick<FailedJobRow, 'failure_seq'>>(from().select('failure_seq').where('id', unnumbered.after));
  const seq = row?.failure_seq ?? undefined;
  if (seq !== undefined) return { numbered: { after: seq }, unnumbered };
  return isNewest ? { numbered: {}, unnumbered } : { unnumbered };
}

type Part = Omit<FailedJobPage, 'after'> & { readonly begin: Begin | undefined };

function* listNumbered(from: From, filter: FailedJobFilter, { begin, through, limit, order }: Part): Script<readonly FailedJobRow[]> {
  if (begin === undefined || limit === 0) return [];
  const query = narrow(from(), filter).whereNotNull('failure_seq');
  const forward = order === 'oldest';
  if (begin.after !== undefined) query.where('failure_seq', forward ? '>' : '<', begin.after);
  if (through !== undefined) query.where('failure_seq', '<=', through);
  return yield* allOf<FailedJobRow>(query.orderBy('failure_seq', forward ? 'asc' : 'desc').limit(limit));
}

function* listUnnumbered(from: From, filter: FailedJobFilter, { begin, through, limit, order }: Part): Script<readonly FailedJobRow[]> {
  const found: FailedJobRow[] = [];
  if (begin === undefined || (through !== undefined && through < firstUnnumberedSeq) || !(yield* anyUnnumbered(from, filter))) return found;
  const forward = order === 'oldest';
  let { after } = begin;
  while (found.length < limit) {
    const wanted = Math.min(chunkSize, limit - found.length);
    const query = narrowUnnumbered(from(), filter);
    if (after !== undefined) query.where('id', forward ? '>' : '<', after);
    if (through !== undefined) query.where('id', '<=', through - firstUnnumberedSeq);
    const rows = yield* allOf<FailedJobRow>(query.orderBy('id', forward ? 'asc' : 'desc').limit(wanted));
    found.push(...rows.filter((row) => isWithin(filter, readFailedDate(row.failedDate))));
    if (rows.length < wanted) break;
    after = rows.at(-1)?.id;
  }
  return found;
}

function* anyUnnumbered(from: From, filter: FailedJobFilter): Script<boolean> {
  if (!meansUnnumbered(filter)) return false;
  return (yield* firstOf(narrowUnnumbered(from().select('id'), {}))) !== undefined;
}

function* countOf(query: Knex.QueryBuilder): Script<number> {
  return (yield* firstOf<{ count: number }>(query.count({ count: '*' })))?.count ?? 0;
}

function* allOf<Row>(query: Knex.QueryBuilder): Script<readonly Row[]> {
  const { sql, bindings } = query.toSQL();
  return yield* all<Row>(sql, bindings);
}

function* firstOf<Row>(query: Knex.QueryBuilder): Script<Row | undefined> {
  const { sql, bindings } = query.limit(1).toSQL();
  return yield* first<Row>(sql, bindings);
}
