import type { SqlDialect } from '../../src/store/sql-dialect.ts';

/** Names of the provider's tables, quoted, and the SQL of their engine. */
export interface Tables {
  readonly sql: SqlDialect;
  readonly jobs: string;
  readonly sessions: string;
  readonly attempts: string;
  readonly stacks: string;
  readonly announcements: string;
  readonly pausedQueues: string;
  readonly counts: string;
}

export function tablesOf(sql: SqlDialect, tableName: string): Tables {
  return {
    sql,
    jobs: sql.table(tableName),
    sessions: sql.own('sessions'),
    attempts: sql.own('attempts'),
    stacks: sql.own('stacks'),
    announcements: sql.own('announcements'),
    pausedQueues: sql.own('paused_queues'),
    counts: sql.own('counts'),
  };
}
