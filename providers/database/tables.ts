import type { SqlDialect } from '../../src/store/sql-dialect.ts';

/** Names of the provider's tables, quoted, and the SQL of their engine. */
export interface Tables {
  readonly sql: SqlDialect;
  readonly jobs: string;
  /** For a statement that locks: the jobs, found through one index. */
  readonly jobsVia: Readonly<Record<'uuid' | 'ready' | 'waiting', string>>;
  /** The same in a DELETE. */
  readonly deleteJobsViaUuid: string;
  /** The attempts in a DELETE by job. */
  readonly deleteAttemptsViaJob: string;
  readonly sessions: string;
  readonly attempts: string;
  readonly stacks: string;
  readonly announcements: string;
  readonly pausedQueues: string;
  readonly counts: string;
}

/** The name in a row that only says that the job of this id was forgotten; every job has one. */
export const nameless = '';

export function tablesOf(sql: SqlDialect, tableName: string): Tables {
  const jobs = sql.table(tableName);
  const jobsVia = (index: string): string => `${jobs}${sql.via(`${tableName}_${index}`)}`;
  return {
    sql,
    jobs,
    jobsVia: { uuid: jobsVia('uuid'), ready: jobsVia('ready'), waiting: jobsVia('waiting') },
    deleteJobsViaUuid: sql.deleteVia(jobs, `${tableName}_uuid`),
    deleteAttemptsViaJob: sql.deleteVia(sql.own('attempts'), `${sql.names.prefix}attempts_once`),
    sessions: sql.own('sessions'),
    attempts: sql.own('attempts'),
    stacks: sql.own('stacks'),
    announcements: sql.own('announcements'),
    pausedQueues: sql.own('paused_queues'),
    counts: sql.own('counts'),
  };
}
