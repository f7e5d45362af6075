import type { FailureLogScripts } from '../../../src/record/failure-log.ts';
import { all, change, type Script } from '../../../src/store/script.ts';
import { marks } from '../../../src/store/sql-dialect.ts';
import { nameless, type Tables } from '../tables.ts';
import { forgetAnnouncements } from './announcements.ts';

/** What a transaction removed. */
export interface Forgotten {
  readonly jobIds: readonly string[];
  /** Stacks that their attempts referred to: perhaps nobody does any more. */
  readonly stacks: readonly string[];
}

export interface ForgetOptions {
  /** The failed-jobs log's scripts where it lives in this database. */
  readonly log: FailureLogScripts | undefined;
  readonly now: number;
  readonly keepCompletedMs: number;
}

/**
 * Removes failed jobs with their attempts, here and in a log of this database. One that runs again by now stays, and one that somebody
 * else has just forgotten is left to them: of two at once one has removed it. The rows of those that may go are locked first: a retry
 * that comes between two statements waits, and finds nothing to put back.
 */
export function* forget(tables: Tables, jobIds: readonly string[], options: ForgetOptions): Script<Forgotten> {
  if (jobIds.length === 0) return { jobIds: [], stacks: [] };
  const { jobs, jobsVia, attempts, announcements, sql } = tables;
  const { log } = options;
  const ended = yield* all<{ uuid: string }>(
    `SELECT uuid FROM ${jobsVia.uuid} WHERE uuid IN (${marks(jobIds)}) AND status IN ('failed', 'completed', 'canceled') AND mapping <> ? ORDER BY id${sql.forUpdate}`,
    [...jobIds, nameless],
  );
  const present = yield* all<{ uuid: string }>(`SELECT uuid FROM ${jobs} WHERE uuid IN (${marks(jobIds)})`, jobIds);
  const alive = new Set(present.map(({ uuid }) => uuid));
  for (const { uuid } of ended) alive.delete(uuid);
  const candidates = jobIds.filter((jobId) => !alive.has(jobId));
  const removed = log === undefined ? candidates : yield* log.forget(candidates);
  if (removed.length === 0) return { jobIds: [], stacks: [] };
  const of = `job_id IN (${marks(removed)})`;
  const stacks = yield* all<{ hash: string }>(`SELECT DISTINCT stack_hash AS hash FROM ${attempts} WHERE ${of}`, removed);
  const untold = yield* all<{ event_id: string }>(`SELECT event_id FROM ${announcements} WHERE ${of}`, removed);
  yield* change(`DELETE FROM ${tables.deleteJobsViaUuid} WHERE uuid IN (${marks(removed)})`, removed);
  if (log === undefined) yield* layGravestones(tables, removed, options);
  yield* change(`DELETE FROM ${tables.deleteAttemptsViaJob} WHERE ${of}`, removed);
  yield* forgetAnnouncements(
    tables,
    untold.map(({ event_id: eventId }) => eventId),
  );
  return { jobIds: removed, stacks: stacks.map(({ hash }) => hash) };
}

/** How long a retry may take from its look at the record of a failed job to its move. */
const graveMs = 60_000;

/**
 * Where the log is elsewhere, the record of a forgotten job goes after the job: a retry that has looked at it by then finds no row, and
 * would make the job anew. A row without a name keeps its place for a while, then goes as one that was cancelled. Should the process
 * die before the record is gone, the failed job can be retried, or forgotten, after that.
 */
function* layGravestones({ sql, jobs }: Tables, uuids: readonly string[], { now, keepCompletedMs }: ForgetOptions): Script<void> {
  const ended_at = now + graveMs - keepCompletedMs;
  const row = { queue: '', mapping: nameless, memento: '', status: 'canceled', created_at: now, ended_at };
  yield* sql.insertAll(
    jobs,
    uuids.map((uuid) => ({ uuid, ...row })),
  );
}

/**
 * Removes those of these stacks that no attempt refers to. A failed attempt that is being written finds its stack there and does not
 * insert it: by its own try to insert it holds the row, or the table, until its attempt is there as well, and is waited for.
 */
export function* removeOrphans({ sql, stacks, attempts }: Tables, hashes: readonly string[]): Script<void> {
  if (hashes.length === 0) return;
  // Nothing else is locked by this transaction, so that nobody it waits for can wait for it.
  if (sql.lockTable !== undefined) yield* change(sql.lockTable(stacks));
  const found = yield* all<{ hash: string }>(
    `SELECT hash FROM ${stacks}${sql.via('PRIMARY')} WHERE hash IN (${marks(hashes)}) ORDER BY hash${sql.forUpdate}`,
    hashes,
  );
  const inUse = yield* all<{ hash: string }>(
    `SELECT DISTINCT stack_hash AS hash FROM ${attempts} WHERE stack_hash IN (${marks(hashes)})`,
    hashes,
  );
  const used = new Set(inUse.map(({ hash }) => hash));
  const orphans = found.map(({ hash }) => hash).filter((hash) => !used.has(hash));
  if (orphans.length > 0) yield* change(`DELETE FROM ${sql.deleteVia(stacks, 'PRIMARY')} WHERE hash IN (${marks(orphans)})`, orphans);
}

/** Stacks looked at by one bite. */
const stacksAtOnce = 200;

/** The next stacks beyond `after`, by hash; fewer than a bite at the end. */
export function* nextStacks({ stacks }: Tables, after: string): Script<{ readonly hashes: readonly string[]; readonly next?: string }> {
  const rows = yield* all<{ hash: string }>(`SELECT hash FROM ${stacks} WHERE hash > ? ORDER BY hash LIMIT ?`, [after, stacksAtOnce]);
  const hashes = rows.map(({ hash }) => hash);
  const last = hashes.at(-1);
  return { hashes, ...(last === undefined || hashes.length < stacksAtOnce ? {} : { next: last }) };
}
