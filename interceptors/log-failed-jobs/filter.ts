import type { Knex } from 'knex';
import type { FailedJobFilter, FailedJobStatus } from '../../src/record/failure-log.ts';
import type { FailedJobRow } from './rows.ts';

type Query = Knex.QueryBuilder<FailedJobRow, FailedJobRow[]>;

/**
 * Narrows a query of numbered failed jobs, found by their numbers or ids, by every key of the filter but status: whoever asks looks
 * at that in the rows. In the query it would lead SQLite, which keeps no statistics, into an index of nearly all rows.
 */
export function narrowFound(query: Knex.QueryBuilder, filter: FailedJobFilter): Query {
  narrowPublished(query, filter);
  if (filter.kind !== undefined) query.where('kind', filter.kind);
  if (filter.fingerprint !== undefined) query.where('fingerprint', filter.fingerprint);
  if (filter.release !== undefined) query.where('release', filter.release);
  if (filter.since !== undefined) query.where('failed_at', '>=', filter.since.getTime());
  if (filter.until !== undefined) query.where('failed_at', '<', filter.until.getTime());
  return query as Query;
}

/** True for a row of a status that the filter means. */
export function hasStatus(filter: FailedJobFilter): (row: Pick<FailedJobRow, 'status'>) => boolean {
  const statuses: readonly (string | null)[] = statusesOf(filter);
  return ({ status }) => statuses.includes(status);
}

/** The statuses that a filter means. A row without a number has none. */
export function statusesOf({ status = 'failed' }: FailedJobFilter): readonly FailedJobStatus[] {
  return status === 'any' ? ['failed', 'retrying', 'resolved'] : [status];
}

/** The same for rows that have no number yet, by all that stands in cbq's columns but the time. */
export function narrowUnnumbered(query: Knex.QueryBuilder, filter: FailedJobFilter): Query {
  query.whereNull('status').whereNull('failed_at');
  narrowPublished(query, filter);
  return query as Query;
}

/** Whether the filter can mean rows without a number: failed jobs of kind `exception` of which nothing else is known. */
export function meansUnnumbered({ status = 'failed', kind = 'exception', fingerprint, release }: FailedJobFilter): boolean {
  return (status === 'failed' || status === 'any') && kind === 'exception' && fingerprint === undefined && release === undefined;
}

export function isWithin({ since, until }: FailedJobFilter, failedAt: number): boolean {
  return (since === undefined || failedAt >= since.getTime()) && (until === undefined || failedAt < until.getTime());
}

function narrowPublished(query: Knex.QueryBuilder, filter: FailedJobFilter): void {
  if (filter.ids !== undefined) narrowIds(query, filter.ids);
  if (filter.connection !== undefined) query.where('connection', filter.connection);
  if (filter.queue !== undefined) query.where('queue', filter.queue);
  if (filter.job !== undefined) query.where('mapping', filter.job);
  if (filter.type !== undefined) query.where('exceptionType', filter.type);
  if (filter.text !== undefined) narrowText(query, filter.text);
}

function narrowIds(query: Knex.QueryBuilder, ids: readonly (string | number)[]): void {
  const numbers = ids.filter((id) => typeof id === 'number');
  const jobIds = ids.filter((id) => typeof id === 'string');
  query.where((either) => void either.whereIn('id', numbers).orWhereIn('job_id', jobIds));
}

/** SQLite knows the two cases of ASCII letters only: other letters are looked for as given, small and capital. */
function narrowText(query: Knex.QueryBuilder, text: string): void {
  const words = new Set(
    [text, text.toLowerCase(), text.toUpperCase()].map((word) => word.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())),
  );
  const patterns = [...words].map((word) => `%${word.replaceAll(/[!%_]/g, '!$&')}%`);
  query.where((either) => {
    for (const pattern of patterns)
      void either
        .orWhereRaw(`lower(??) like ? escape '!'`, ['exceptionMessage', pattern])
        .orWhereRaw(`lower(??) like ? escape '!'`, ['properties', pattern]);
  });
}
