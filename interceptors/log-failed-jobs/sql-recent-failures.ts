import type { FailedJobFilter, Place } from '../../src/record/failure-log.ts';
import {
  judgedFailures,
  judgedGroups,
  type RecentFailureCounts,
  type RecentFailures,
  type RecentGroup,
} from '../../src/record/recent-failures.ts';
import { all, type Script } from '../../src/store/script.ts';
import { marks } from '../../src/store/sql-dialect.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';
import { findPlaces } from './places.ts';
import type { FailedJobsTable } from './stretches.ts';

/** Failures of late, read from the database of the failed-jobs log: counted in its indexes, of which no more is read than is asked for. */
export class SqlRecentFailures implements RecentFailureCounts {
  constructor(
    private readonly store: SqlStore,
    private readonly table: FailedJobsTable,
  ) {}

  async count(which: RecentFailures, atMost: number): Promise<number> {
    return (await this.store.read(() => newest(this.table, which, atMost))).length;
  }

  groups(which: RecentFailures, atMost: number): Promise<readonly RecentGroup[]> {
    return this.store.read(() => groups(this.table, which, atMost));
  }

  async newFingerprints(since: number): Promise<readonly string[]> {
    const { sql } = this.table;
    const rows = await this.store.read(() =>
      all<{ fingerprint: string }>(
        `SELECT fingerprint FROM ${sql.own('groups')} WHERE first_failed_at > ? ORDER BY first_failed_at DESC${sql.limit('?')}`,
        [since, judgedGroups],
      ),
    );
    return rows.map(({ fingerprint }) => fingerprint);
  }
}

/** Places of those asked for, `atMost` this many: the newest, group by group where groups are given. */
function* newest(table: FailedJobsTable, which: RecentFailures, atMost: number): Script<readonly Place[]> {
  const found: Place[] = [];
  for (const filter of filtersOf(which)) {
    found.push(...(yield* findPlaces(table, filter, { order: 'newest', count: atMost - found.length })));
    if (found.length >= atMost) break;
  }
  return found;
}

function filtersOf({ since, queue, job, kind, fingerprints }: RecentFailures): readonly FailedJobFilter[] {
  const filter: FailedJobFilter = {
    status: 'any',
    // A filter's `since` is the first moment that counts.
    since: new Date(since + 1),
    ...(queue === undefined ? {} : { queue }),
    ...(job === undefined ? {} : { job }),
    ...(kind === undefined ? {} : { kind }),
  };
  return fingerprints === undefined ? [filter] : fingerprints.map((fingerprint) => ({ ...filter, fingerprint }));
}

function* groups(table: FailedJobsTable, which: RecentFailures, atMost: number): Script<readonly RecentGroup[]> {
  const ids = (yield* newest(table, which, judgedFailures)).map(({ id }) => id);
  if (ids.length === 0) return [];
  const { sql, name } = table;
  return yield* all<RecentGroup>(
    `SELECT counted.fingerprint, g.job, g.type, g.message, counted.count
       FROM (SELECT fingerprint, count(*) AS count FROM ${name} WHERE id IN (${marks(ids)}) GROUP BY fingerprint) counted
       JOIN ${sql.own('groups')} g ON g.fingerprint = counted.fingerprint
      ORDER BY counted.count DESC, counted.fingerprint${sql.limit('?')}`,
    [...ids, atMost],
  );
}
