import { createHash } from 'node:crypto';
import type { FailedJobFilter } from '../../src/record/failure-log.ts';
import type { SeriesFacts } from '../../src/record/failure-tally.ts';
import { all, type Script } from '../../src/store/script.ts';
import { marks, type SqlDialect } from '../../src/store/sql-dialect.ts';

// A series is all failures of one group, on one queue of one connection, of one kind. There are few, however many failed
// jobs there are, so a filter by any of these is first answered by the table of series, and then by one index of failed
// jobs, (status, series, failed_at): each further filter would need an index of its own, and cost every failure.

/** One failure, as the tables of series and groups know it. */
export interface SeriesMember extends SeriesFacts {
  readonly message: string;
  readonly failedAt: number;
}

/** The key of a series: 16 hex digits. The fingerprint stands for the job's name and the exception's type, too. */
export function seriesOf({ connection, queue, kind, fingerprint }: Omit<SeriesFacts, 'job' | 'type'>): string {
  return createHash('sha256')
    .update(JSON.stringify([connection, queue, kind, fingerprint]))
    .digest('hex')
    .slice(0, 16);
}

/** Makes the series and groups of failures, where they are new. */
export function* insertSeries(sql: SqlDialect, members: readonly SeriesMember[]): Script<void> {
  const byKey = new Map(members.map((member) => [seriesOf(member), member]));
  const keys = [...byKey.keys()];
  const table = sql.own('series');
  const known = yield* all<{ series: string }>(`SELECT series FROM ${table} WHERE series IN (${marks(keys)})`, keys);
  for (const { series } of known) byKey.delete(series);
  // In one order: two transactions that make the same ones must not wait for each other.
  for (const [series, member] of [...byKey].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const { connection, queue, kind, fingerprint, job, type, message, failedAt } = member;
    yield* sql.insertUnlessThere(sql.own('groups'), { fingerprint, job, type, message, first_failed_at: failedAt }, ['fingerprint']);
    yield* sql.insertUnlessThere(table, { series, connection, queue, kind, fingerprint }, ['series']);
  }
}

const keysOfSeries = ['connection', 'queue', 'kind', 'fingerprint', 'job', 'type'] as const satisfies readonly (keyof FailedJobFilter)[];

/** True for a filter that series answer. */
export function narrowsSeries(filter: FailedJobFilter): boolean {
  return keysOfSeries.some((key) => filter[key] !== undefined);
}

/** A series as filters and figures see it. */
export interface Series extends SeriesFacts {
  readonly series: string;
}

/** The series that a filter means. */
export function* findSeries(sql: SqlDialect, filter: FailedJobFilter): Script<readonly Series[]> {
  const columns = {
    connection: 's.connection',
    queue: 's.queue',
    kind: 's.kind',
    fingerprint: 's.fingerprint',
    job: 'g.job',
    type: 'g.type',
  };
  const given = keysOfSeries.flatMap((key) => {
    const value = filter[key];
    return value === undefined ? [] : [{ condition: `${columns[key]} = ?`, value }];
  });
  const where = given.length === 0 ? '' : ` WHERE ${given.map(({ condition }) => condition).join(' AND ')}`;
  return yield* all<Series>(
    `SELECT s.series, s.connection, s.queue, s.kind, s.fingerprint, g.job, g.type
       FROM ${sql.own('series')} s JOIN ${sql.own('groups')} g ON g.fingerprint = s.fingerprint${where}`,
    given.map(({ value }) => value),
  );
}
