import type { Announcement } from '../../../src/provider/pull-provider.ts';
import type { StepDetail, StoredFailedJob } from '../../../src/record/failure-log.ts';
import type { DecisionRule, FailureRecord } from '../../../src/record/types.ts';
import { all, change, first, type Script } from '../../../src/store/script.ts';
import { marks } from '../../../src/store/sql-dialect.ts';
import { nameless, type Tables } from '../tables.ts';

/** Announcements taken over at once. */
const adoptedAtOnce = 100;
/** Announcements removed by one statement. */
const forgottenAtOnce = 100;

export interface NewAnnouncement {
  readonly eventId: string;
  readonly kind: Announcement['kind'];
  readonly jobId: string;
  readonly name: string;
  readonly run: number;
  /** Who tells it; null: whoever comes first. */
  readonly session: number | null;
  readonly at: number;
  /** The failure, where the failed job is not in this database. */
  readonly record?: FailureRecord | undefined;
  /** What else a step says. */
  readonly step?: StepDetail | undefined;
}

export function* announce({ sql, announcements }: Tables, one: NewAnnouncement): Script<void> {
  const { eventId, kind, jobId, name, run, session, at } = one;
  const told = one.record ?? one.step;
  const record = told === undefined ? null : JSON.stringify(told);
  yield* sql.insertAll(announcements, [{ event_id: eventId, kind, job_id: jobId, mapping: name, run, session, at, record }]);
}

/** Removes announcements that were delivered. */
export function* forgetAnnouncements({ sql, announcements }: Tables, eventIds: readonly string[]): Script<void> {
  const found = sql.deleteVia(announcements, `${sql.names.prefix}announcements_event`);
  for (let from = 0; from < eventIds.length; from += forgottenAtOnce) {
    const some = eventIds.slice(from, from + forgottenAtOnce);
    yield* change(`DELETE FROM ${found} WHERE event_id IN (${marks(some)})`, some);
  }
}

export interface AnnouncementRow {
  readonly event_id: string;
  readonly kind: Announcement['kind'];
  readonly job_id: string;
  readonly run: number;
  readonly at: number;
  readonly record: string | null;
}

const untold = ({ sessions }: Tables): string => `session IS NULL OR session IN (SELECT id FROM ${sessions} WHERE dead_at IS NOT NULL)`;

export interface AdoptRequest {
  readonly session: number;
  readonly jobNames: readonly string[];
  /** Event ids that the session's own pool is telling right now. */
  readonly telling: ReadonlySet<string>;
}

/** What the dead and the commands left untold, and our own that nobody tells; a failure only where its job's class is known. */
export function* findUntold(tables: Tables, { session, jobNames, telling }: AdoptRequest, lock = ''): Script<readonly AnnouncementRow[]> {
  const failures = jobNames.length === 0 ? '' : ` OR mapping IN (${marks(jobNames)})`;
  const rows = yield* all<AnnouncementRow>(
    `SELECT event_id, kind, job_id, run, at, record FROM ${tables.announcements}
      WHERE (${untold(tables)} OR session = ?) AND (kind <> 'failed'${failures}) ORDER BY id LIMIT ?${lock}`,
    [session, ...jobNames, adoptedAtOnce + telling.size],
  );
  return rows.filter((row) => !telling.has(row.event_id));
}

export function* countUntold(tables: Tables): Script<number> {
  const row = yield* first<{ count: number }>(`SELECT count(*) AS count FROM ${tables.announcements} WHERE ${untold(tables)}`);
  return row?.count ?? 0;
}

/** Takes over what is untold, and what nobody else is taking over at this moment. */
export function* adopt(tables: Tables, request: AdoptRequest): Script<readonly AnnouncementRow[]> {
  const rows = yield* findUntold(tables, request, tables.sql.skipLocked);
  const ids = rows.map((row) => row.event_id);
  if (ids.length > 0)
    yield* change(`UPDATE ${tables.announcements} SET session = ? WHERE event_id IN (${marks(ids)})`, [request.session, ...ids]);
  return rows;
}

interface JobRow {
  readonly uuid: string;
  readonly queue: string;
  readonly mapping: string;
  readonly memento: string;
  readonly run: number;
  readonly created_at: number;
}

/** An adopted row as the worker needs it; undefined where the job it is about is gone or in another run by now. */
export function* readAnnouncement(
  tables: Tables,
  row: AnnouncementRow,
  failedJob: StoredFailedJob | undefined,
): Script<Announcement | undefined> {
  const { event_id: eventId, job_id: jobId, run, at } = row;
  if (row.kind !== 'failed') {
    const detail = row.record === null ? {} : (JSON.parse(row.record) as StepDetail);
    return { ...detail, eventId, kind: row.kind, jobId, run, at };
  }
  const record = row.record === null ? recordOf(failedJob, row) : (JSON.parse(row.record) as FailureRecord);
  if (record === undefined) return undefined;
  const job = yield* first<JobRow>(`SELECT uuid, queue, mapping, memento, run, created_at FROM ${tables.jobs} WHERE uuid = ?`, [jobId]);
  const memento = job === undefined || job.mapping === nameless ? record.memento : job.memento;
  const lease = { session: 0, seq: 0 };
  const reserved = {
    id: jobId,
    name: record.job,
    queue: record.queue,
    memento,
    run,
    attempt: record.attempt ?? 1,
    createdAt: record.createdAt,
    firstStartedAt: at,
    reservedAt: record.startedAt ?? at,
    lease,
  };
  return { eventId, kind: 'failed', job: reserved, record, failedJobId: failedJob?.id };
}

/** The failure's record as the failed job tells it; undefined where that failed again since, or is gone. */
function recordOf(failedJob: StoredFailedJob | undefined, row: AnnouncementRow): FailureRecord | undefined {
  if (failedJob === undefined || failedJob.run !== row.run) return undefined;
  const {
    connection,
    queue,
    job,
    memento,
    properties,
    kind,
    type,
    message,
    detail,
    extendedInfo,
    stack,
    exception,
    fingerprint,
    run,
    maxAttempts,
    worker,
    release,
  } = failedJob;
  return {
    connection,
    queue,
    job,
    memento,
    properties,
    kind,
    type,
    message,
    detail,
    extendedInfo,
    stack,
    exception,
    fingerprint,
    run,
    maxAttempts,
    release,
    eventId: row.event_id,
    jobId: row.job_id,
    createdAt: failedJob.createdAt ?? row.at,
    rule: (failedJob.rule ?? 'max-attempts') as DecisionRule,
    attempt: failedJob.attempts,
    startedAt: null,
    endedAt: failedJob.failedAt,
    retryAt: null,
    worker: worker ?? { host: '', pid: 0, pool: '' },
  };
}
