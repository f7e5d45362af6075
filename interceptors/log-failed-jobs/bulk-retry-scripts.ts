import { RedriveError } from '../../src/errors.ts';
import type { AuditScripts } from '../../src/record/audit-log.ts';
import type {
  BulkHold,
  BulkJobKey,
  BulkLease,
  BulkRetryScripts,
  BulkStep,
  BulkTally,
  NewBulkRetry,
  SkippedJob,
} from '../../src/record/bulk-retry-log.ts';
import type { Place, RunStep } from '../../src/record/failure-log.ts';
import { grouped } from '../../src/store/grouped.ts';
import { all, change, first, type Script } from '../../src/store/script.ts';
import { marks, type SqlDialect } from '../../src/store/sql-dialect.ts';
import { tallyOf, type BulkCountRow, type BulkJobRow, type BulkRetryRow } from './bulk-retry-rows.ts';

/** The outcomes of runs, and what opened them, told by the failed-jobs log in its own transactions. */
export interface BulkJobScripts extends BulkRetryScripts {
  moved(steps: readonly RunStep[]): Script<void>;
  ended(runs: readonly Pick<RunStep, 'jobId' | 'run'>[], outcome: 'resolved' | 'failed' | 'cancelled'): Script<void>;
}

export function bulkJobScripts(sql: SqlDialect): BulkJobScripts {
  const jobs = sql.own('bulk_jobs');
  return {
    hold: (hold) => holdRow(sql, hold),
    *moved(steps) {
      const ours = steps.filter(({ bulkRetry }) => bulkRetry !== undefined);
      for (const group of grouped(ours, ({ bulkRetry, run }) => JSON.stringify([bulkRetry, run]))) {
        const [{ bulkRetry, run }] = group;
        const ids = group.map(({ jobId }) => jobId);
        // Also one that was passed over by a driver that was told too late what the last one had done.
        yield* change(`UPDATE ${jobs} SET state = 'moved', detail = NULL WHERE job_id IN (${marks(ids)}) AND bulk_retry = ? AND run = ?`, [
          ...ids,
          bulkRetry,
          run,
        ]);
      }
    },
    *ended(runs, outcome) {
      // A first run is nobody's retry.
      for (const group of grouped(
        runs.filter(({ run }) => run > 1),
        ({ run }) => String(run),
      )) {
        const [{ run }] = group;
        const ids = group.map(({ jobId }) => jobId);
        yield* change(`UPDATE ${jobs} SET outcome = ? WHERE job_id IN (${marks(ids)}) AND run = ? AND outcome IS NULL`, [
          outcome,
          ...ids,
          run,
        ]);
      }
    },
  };
}

export function* create(sql: SqlDialect, retry: NewBulkRetry): Script<BulkRetryRow> {
  const { token, by, filter, plan, through, at, drivenUntil } = retry;
  const table = sql.own('bulk_retries');
  const row = {
    token,
    actor: by,
    chosen_by: JSON.stringify(filter),
    options: JSON.stringify(plan),
    state: 'running',
    through_seq: through,
    collecting: JSON.stringify('start'),
    matched: 0,
    fence: 1,
    driven_until: drivenUntil,
    next_at: 0,
    created_at: at,
  };
  yield* sql.insertUnlessThere(table, row, ['token']);
  const stored = yield* first<BulkRetryRow>(`SELECT * FROM ${table} WHERE token = ?`, [token]);
  if (stored === undefined) throw new RedriveError('STORE_BROKEN', 'The database stored a bulk retry but does not find it again');
  return stored;
}

export function* take(
  sql: SqlDialect,
  id: number,
  { now, until }: { readonly now: number; readonly until: number },
): Script<BulkRetryRow | undefined> {
  const table = sql.own('bulk_retries');
  const taken = yield* change(
    `UPDATE ${table} SET fence = fence + 1, driven_until = ? WHERE id = ? AND state = 'running' AND driven_until <= ?`,
    [until, id, now],
  );
  return taken === 0 ? undefined : yield* first<BulkRetryRow>(`SELECT * FROM ${table} WHERE id = ?`, [id]);
}

export function* letGo(sql: SqlDialect, { id, fence }: BulkLease): Script<void> {
  yield* change(`UPDATE ${sql.own('bulk_retries')} SET driven_until = 0 WHERE id = ? AND fence = ?`, [id, fence]);
}

/** The first statement of every transaction that moves jobs: nothing is moved by one that is not the driver any more. */
function* holdRow(sql: SqlDialect, { id, fence, until, nextAt }: BulkHold): Script<void> {
  const held = yield* change(
    `UPDATE ${sql.own('bulk_retries')} SET driven_until = ?, next_at = ? WHERE id = ? AND fence = ? AND state = 'running'`,
    [until, nextAt, id, fence],
  );
  if (held === 0)
    throw new RedriveError(
      'LEASE_LOST',
      `Bulk retry ${id} was paused, has ended, or is driven by another process; nothing more is moved here`,
    );
}

export function* collect(
  sql: SqlDialect,
  hold: BulkHold,
  { jobs, next }: { readonly jobs: readonly BulkJobKey[]; readonly next: Place | null },
): Script<number> {
  yield* holdRow(sql, hold);
  const rows = jobs.map(({ seq, failedJob, jobId, run }) => ({
    bulk_retry: hold.id,
    seq,
    failed_job: failedJob,
    job_id: jobId,
    run,
    state: 'pending',
  }));
  yield* sql.insertAll(sql.own('bulk_jobs'), rows);
  const table = sql.own('bulk_retries');
  yield* change(`UPDATE ${table} SET matched = matched + ?, collecting = ? WHERE id = ?`, [
    jobs.length,
    next === null ? null : JSON.stringify(next),
    hold.id,
  ]);
  return (yield* first<{ matched: number }>(`SELECT matched FROM ${table} WHERE id = ?`, [hold.id]))?.matched ?? 0;
}

export function* pending(
  sql: SqlDialect,
  id: number,
  { after, limit }: { readonly after: number; readonly limit: number },
): Script<readonly BulkJobRow[]> {
  return yield* all<BulkJobRow>(
    `SELECT seq, failed_job, job_id, run FROM ${sql.own('bulk_jobs')} WHERE bulk_retry = ? AND seq > ? AND state = 'pending' ORDER BY seq${sql.limit('?')}`,
    [id, after, limit],
  );
}

export function* skip(sql: SqlDialect, id: number, skipped: readonly SkippedJob[]): Script<void> {
  for (const group of grouped(skipped, ({ detail }) => detail)) {
    const [{ detail }] = group;
    const seqs = group.map(({ seq }) => seq);
    yield* change(
      `UPDATE ${sql.own('bulk_jobs')} SET state = 'skipped', detail = ? WHERE bulk_retry = ? AND seq IN (${marks(seqs)}) AND state = 'pending'`,
      [detail, id, ...seqs],
    );
  }
}

export function* step(
  sql: SqlDialect,
  id: number,
  { from, to, at, fence, reason, audit }: BulkStep,
  audits: AuditScripts,
): Script<boolean> {
  const table = sql.own('bulk_retries');
  const row = yield* first<BulkRetryRow>(`SELECT * FROM ${table}${sql.withLock} WHERE id = ?${sql.forUpdate}`, [id]);
  if (row === undefined || !from.includes(row.state) || (fence !== undefined && row.fence !== fence)) return false;
  const isOver = to !== 'running' && to !== 'paused';
  // Whoever drove it up to here is told by the fence when it next wants to move something.
  yield* change(`UPDATE ${table} SET state = ?, reason = ?, ended_at = ?, driven_until = 0, fence = fence + 1 WHERE id = ?`, [
    to,
    reason ?? null,
    isOver ? at : null,
    id,
  ]);
  yield* audits.record(audit);
  return true;
}

export function* tally(sql: SqlDialect, id: number): Script<BulkTally> {
  const kept = yield* first<Pick<BulkRetryRow, 'tally'>>(`SELECT tally FROM ${sql.own('bulk_retries')} WHERE id = ?`, [id]);
  if (kept !== undefined && kept.tally !== null) return JSON.parse(kept.tally) as BulkTally;
  return tallyOf(
    yield* all<BulkCountRow>(
      `SELECT state, outcome, count(*) AS count FROM ${sql.own('bulk_jobs')} WHERE bulk_retry = ? GROUP BY state, outcome`,
      [id],
    ),
  );
}

/** Jobs removed by one call: brief enough not to hold up anybody. */
const removedAtOnce = 1_000;

/** Removes some of the jobs of one bulk retry that ended long ago, and keeps their numbers. */
export function* compact(sql: SqlDialect, endedBy: number): Script<void> {
  const [retries, jobs] = [sql.own('bulk_retries'), sql.own('bulk_jobs')];
  const old = yield* first<Pick<BulkRetryRow, 'id' | 'tally'>>(
    `SELECT id, tally FROM ${retries} r${sql.withLock} WHERE ended_at <= ? AND EXISTS (SELECT 1 FROM ${jobs} j WHERE j.bulk_retry = r.id) ORDER BY id${sql.limit(1)}${sql.forUpdate}`,
    [endedBy],
  );
  if (old === undefined) return;
  if (old.tally === null)
    yield* change(`UPDATE ${retries} SET tally = ? WHERE id = ?`, [JSON.stringify(yield* tally(sql, old.id)), old.id]);
  const rows = yield* all<{ seq: number }>(`SELECT seq FROM ${jobs} WHERE bulk_retry = ? ORDER BY seq${sql.limit('?')}`, [
    old.id,
    removedAtOnce,
  ]);
  const last = rows.at(-1);
  if (last !== undefined) yield* change(`DELETE FROM ${jobs} WHERE bulk_retry = ? AND seq <= ?`, [old.id, last.seq]);
}
