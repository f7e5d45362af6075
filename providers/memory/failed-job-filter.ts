import type { FailedJobFilter } from '../../src/record/failure-log.ts';
import type { FailedJobRow } from './memory-failure-log.ts';

/** Says of a failed job whether the filter means it: every key narrows. */
export function matcherOf(filter: FailedJobFilter): (row: FailedJobRow) => boolean {
  const { status = 'failed', connection, queue, job, type, kind, fingerprint, release } = filter;
  const ids = filter.ids === undefined ? undefined : new Set(filter.ids);
  const text = filter.text?.toLowerCase();
  const since = filter.since?.getTime() ?? Number.NEGATIVE_INFINITY;
  const until = filter.until?.getTime() ?? Number.POSITIVE_INFINITY;
  return ({ id, failure, status: found }) =>
    (status === 'any' || found === status) &&
    (ids === undefined || ids.has(id) || ids.has(failure.jobId)) &&
    (connection === undefined || failure.connection === connection) &&
    (queue === undefined || failure.queue === queue) &&
    (job === undefined || failure.job === job) &&
    (type === undefined || failure.type === type) &&
    (kind === undefined || failure.kind === kind) &&
    (fingerprint === undefined || failure.fingerprint === fingerprint) &&
    (release === undefined || failure.release === release) &&
    failure.failedAt >= since &&
    failure.failedAt < until &&
    (text === undefined || failure.message.toLowerCase().includes(text) || failure.properties.toLowerCase().includes(text));
}
