import type { FailedJobFilter } from '../../src/record/failure-log.ts';
import type { Script } from '../../src/store/script.ts';
import type { SqlDialect } from '../../src/store/sql-dialect.ts';
import { statusesOf } from './filter.ts';
import type { From } from './queries.ts';
import { findSeries, narrowsSeries } from './series.ts';

/** The table of failed jobs, for scripts. */
export interface FailedJobsTable {
  readonly sql: SqlDialect;
  /** Its name, quoted. */
  readonly name: string;
  readonly from: From;
}

/**
 * Failed jobs of one status, of one series or release where it is narrower, and of one span of time: a stretch of one index, in
 * the order of lists.
 */
export interface Stretch {
  readonly status: string;
  readonly by?: { readonly column: 'series' | 'release'; readonly value: string };
  /** Failed at or after, epoch ms. */
  readonly since?: number | undefined;
  /** Failed before, epoch ms. */
  readonly until?: number | undefined;
}

/** A piece of SQL and its bindings. */
export interface Part {
  readonly text: string;
  readonly bindings: readonly unknown[];
}

/** The stretches that hold all that the filter means, and perhaps more where it {@link isLoose}. */
export function* stretchesOf({ sql }: FailedJobsTable, filter: FailedJobFilter): Script<readonly Stretch[]> {
  const span = { since: filter.since?.getTime(), until: filter.until?.getTime() };
  const statuses = statusesOf(filter);
  const { release } = filter;
  if (release !== undefined) return statuses.map((status) => ({ status, by: { column: 'release', value: release }, ...span }));
  if (!narrowsSeries(filter)) return statuses.map((status) => ({ status, ...span }));
  const series = yield* findSeries(sql, filter);
  return statuses.flatMap((status) => series.map((one): Stretch => ({ status, by: { column: 'series', value: one.series }, ...span })));
}

/** True where an index yields more than the filter means, so that each row has to be looked at. */
export function isLoose({ ids, text, release, ...filter }: FailedJobFilter): boolean {
  return ids === undefined && (text !== undefined || (release !== undefined && narrowsSeries(filter)));
}

/** The part of a stretch that lies in a span of time as well. */
export function within(stretch: Stretch, span: { readonly since: number; readonly until: number }): Stretch {
  const { since = span.since, until = span.until } = stretch;
  return { ...stretch, since: Math.max(since, span.since), until: Math.min(until, span.until) };
}

/** The conditions of a stretch. */
export function whereOf(sql: SqlDialect, { status, by, since, until }: Stretch): Part {
  const parts: Part[] = [{ text: 'status = ?', bindings: [status] }];
  if (by !== undefined) parts.push({ text: `${sql.id(by.column)} = ?`, bindings: [by.value] });
  if (since !== undefined) parts.push({ text: 'failed_at >= ?', bindings: [since] });
  if (until !== undefined) parts.push({ text: 'failed_at < ?', bindings: [until] });
  return allOfThem(parts);
}

/** Conditions of which all hold. */
export function allOfThem(parts: readonly Part[]): Part {
  return { text: parts.map(({ text }) => text).join(' AND '), bindings: parts.flatMap(({ bindings }) => bindings) };
}
