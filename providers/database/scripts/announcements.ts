import type { Announcement } from '../../../src/provider/pull-provider.ts';
import type { StoredFailedJob } from '../../../src/record/failure-log.ts';
import type { DecisionRule, FailureRecord } from '../../../src/record/types.ts';
import { all, change, first, type Script } from '../../../src/store/script.ts';
import type { Tables } from '../tables.ts';

/** Announcements taken over at once. */
const adoptedAtOnce = 100;

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
}

export function* announce(one: NewAnnouncement): Script<void> {
  const record = one.record === undefined ? null : JSON.stringify(one.record);
  yield* change(
    'INSERT INTO redrive_announcements (event_id, kind, job_id, mapping, run, session, at, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    [one.eventId, one.kind, one.jobId, one.name, one.run, one.session, one.at, record],
  );
}

export interface AnnouncementRow {
  readonly event_id: string;
  readonly kind: Announcement['kind'];
  readonly job_id: string;
  readonly run: number;
  readonly at: number;
  readonly record: string | null;
}

const untold = `session IS NULL OR session IN (SELECT id FROM redrive_sessions WHERE dead_at IS NOT NULL)`;

export interface AdoptRequest {
  readonly session: number;
  readonly jobNames: readonly string[];
  /** Event ids that the session's own pool is telling right now. */
  readonly telling: ReadonlySet<string>;
}

/** What the dead and the commands left untold, and our own that nobody tells; a failure only where its job's class is known. */
export function* findUntold({ session, jobNames, telling }: AdoptRequest): Script<readonly AnnouncementRow[]> {
  const marks = jobNames.map(() => '?').join(', ');
  const rows = yield* all<AnnouncementRow>(
    `SELECT event_id, kind, job_id, run, at, record FROM redrive_announcements
      WHERE (${untold} OR session = ?) AND (kind <> 'failed' OR mapping IN (${marks})) ORDER BY id LIMIT ?`,
    [session, ...jobNames, adoptedAtOnce + telling.size],
  );
  return rows.filter((row) => !telling.has(row.event_id));
}

export function* countUntold(): Script<number> {
  return (yield* first<{ count: number }>(`SELECT count(*) AS count FROM redrive_announcements WHERE ${untold}`))?.count ?? 0;
}

/** Takes over what is untold. */
export function* adopt(request: AdoptRequest): Script<readonly AnnouncementRow[]> {
  const rows = yield* findUntold(request);
  for (const row of rows) yield* change('UPDATE redrive_announcements SET session = ? WHERE event_id = ?', [request.session, row.event_id]);
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
  if (row.kind !== 'failed') return { eventId, kind: row.kind, jobId, run, at };
  const record = row.record === null ? recordOf(failedJob, row) : (JSON.parse(row.record) as FailureRecord);
  if (record === undefined) return undefined;
  const job = yield* first<JobRow>(`SELECT uuid, queue, mapping, memento, run, created_at FROM ${tables.jobs} WHERE uuid = ?`, [jobId]);
  const memento = job?.memento ?? record.memento;
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
