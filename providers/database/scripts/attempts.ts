import type { AttemptRecord } from '../../../src/record/attempt-record.ts';
import { joinStacks, splitStacks, stacksHash } from '../../../src/record/stacks.ts';
import type { DecisionRule, ExceptionSnapshot, FailureKind, FailureRecord } from '../../../src/record/types.ts';
import { all, first, type Script } from '../../../src/store/script.ts';
import type { Tables } from '../tables.ts';

/**
 * Adds the row of a failed attempt. Stacks, which repeat, are stored once for all attempts that share them. It must be tried to insert
 * one that is there already, too: that is what keeps it from being removed until its attempt is there (`removeOrphans`).
 */
export function* insertAttempt({ sql, attempts, stacks: table }: Tables, record: FailureRecord): Script<void> {
  const { bare, stacks } = splitStacks(record.exception);
  const hash = stacksHash(stacks);
  yield* sql.insertUnlessThere(table, { hash, body: stacks }, ['hash']);
  const { eventId, jobId, run, attempt, kind, rule, fingerprint, startedAt, endedAt, retryAt, worker, release } = record;
  const row = {
    event_id: eventId,
    job_id: jobId,
    run,
    attempt,
    kind,
    rule,
    exception: JSON.stringify(bare),
    stack_hash: hash,
    fingerprint,
    started_at: startedAt,
    ended_at: endedAt,
    retry_at: retryAt,
    host: worker.host,
    pid: worker.pid,
    pool: worker.pool,
    release,
  };
  yield* sql.insertAll(attempts, [row]);
}

/** True where the row of this very attempt is this very record's, and not another rescuer's. */
export function* isWritten({ attempts }: Tables, { eventId, jobId, run, attempt }: FailureRecord): Script<boolean> {
  return (
    (yield* first(`SELECT 1 FROM ${attempts} WHERE job_id = ? AND run = ? AND attempt = ? AND event_id = ?`, [
      jobId,
      run,
      attempt,
      eventId,
    ])) !== undefined
  );
}

interface AttemptRow {
  readonly run: number;
  readonly attempt: number | null;
  readonly kind: FailureKind;
  readonly rule: DecisionRule;
  readonly exception: string;
  readonly body: string;
  readonly started_at: number | null;
  readonly ended_at: number;
  readonly retry_at: number | null;
  readonly host: string;
  readonly pid: number;
  readonly pool: string;
  readonly release: string | null;
}

/** The failed attempts of a job across its runs, oldest first. */
export function* attemptsOf({ attempts, stacks }: Tables, jobId: string): Script<readonly AttemptRecord[]> {
  const rows = yield* all<AttemptRow>(
    `SELECT a.*, s.body FROM ${attempts} a JOIN ${stacks} s ON s.hash = a.stack_hash WHERE a.job_id = ? ORDER BY a.id`,
    [jobId],
  );
  return rows.map(readAttempt);
}

function readAttempt(row: AttemptRow): AttemptRecord {
  const exception = joinStacks(JSON.parse(row.exception) as ExceptionSnapshot, row.body);
  const { run, attempt, kind, rule, host, pid, pool, release } = row;
  const { type, message, stack } = exception;
  return {
    run,
    attempt,
    kind,
    rule,
    type,
    message,
    stack,
    exception,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    retryAt: row.retry_at,
    worker: { host, pid, pool },
    release,
  };
}
