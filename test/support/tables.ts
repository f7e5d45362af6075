import Database from 'better-sqlite3';

export interface JobRow {
  readonly uuid: string;
  readonly queue: string;
  readonly mapping: string;
  readonly memento: string;
  readonly status: string;
  readonly run: number;
  readonly attempt: number;
  readonly session: number | null;
  readonly lease_seq: number | null;
}

export interface AttemptRow {
  readonly job_id: string;
  readonly run: number;
  readonly attempt: number | null;
  readonly kind: string;
  readonly rule: string;
  readonly host: string;
  readonly pid: number;
}

export interface FailedRow {
  readonly id: number;
  readonly job_id: string;
  readonly status: string;
  readonly kind: string;
  readonly run: number;
  readonly attempts: number;
  readonly properties: string;
  readonly exceptionMessage: string;
  readonly worker_pid: number;
  readonly event_id: string;
}

export interface AnnouncementRow {
  readonly event_id: string;
  readonly kind: string;
  readonly job_id: string;
  readonly session: number | null;
}

/** What is in the tables of a SQLite file, read past the program under test. */
export interface Tables {
  readonly jobs: readonly JobRow[];
  readonly attempts: readonly AttemptRow[];
  readonly failed: readonly FailedRow[];
  readonly announcements: readonly AnnouncementRow[];
  readonly liveSessions: number;
}

/** `log`: the file of the failed-jobs log where it is not that of the jobs. */
export function readTables(filename: string, log = filename): Tables {
  return {
    jobs: rows<JobRow>(filename, 'SELECT * FROM redrive_jobs ORDER BY id'),
    attempts: rows<AttemptRow>(filename, 'SELECT * FROM redrive_attempts ORDER BY id'),
    announcements: rows<AnnouncementRow>(filename, 'SELECT * FROM redrive_announcements ORDER BY id'),
    liveSessions: rows<{ n: number }>(filename, 'SELECT count(*) AS n FROM redrive_sessions WHERE dead_at IS NULL')[0]?.n ?? -1,
    failed: rows<FailedRow>(log, 'SELECT * FROM cbq_failed_jobs ORDER BY id'),
  };
}

/** Rows of a SQLite file, by any query. */
export function rows<Row>(filename: string, sql: string, ...bindings: readonly unknown[]): readonly Row[] {
  const database = new Database(filename, { fileMustExist: true });
  try {
    return database.prepare(sql).all(...bindings) as Row[];
  } finally {
    database.close();
  }
}

/** Whether nobody is in the middle of a write transaction. */
export function canWrite(filename: string): boolean {
  const database = new Database(filename, { fileMustExist: true, timeout: 0 });
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK');
    return true;
  } catch {
    return false;
  } finally {
    database.close();
  }
}
