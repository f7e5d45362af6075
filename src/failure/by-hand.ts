import { hostname } from 'node:os';
import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../clock.ts';
import { RedriveError } from '../errors.ts';
import type { JsonObject } from '../job/json.ts';
import type { Logger } from '../logger.ts';
import { decodeMemento } from '../job/memento.ts';
import { appendFailure } from '../provider/append-failure.ts';
import type { QueueProvider, StoredJob } from '../provider/queue-provider.ts';
import type { AuditNote } from '../record/audit-log.ts';
import type { FailureLog } from '../record/failure-log.ts';
import { buildFailureRecord } from '../record/failure-record.ts';
import type { Redactor } from '../record/redaction.ts';
import type { FailureRecord } from '../record/types.ts';
import type { MarkFailedOutcome, MarkFailedResult, ResolveOutcome, ResolveResult } from './failed-job.ts';
import { audited, noteOf } from './audit.ts';
import { parseId } from './filter.ts';

// What people do to jobs by hand, besides retrying and forgetting them: fail queued ones, resolve failed ones.

export interface ByHandContext {
  readonly log: FailureLog;
  readonly clock: Clock;
  readonly redactor: Redactor;
  readonly release: string | undefined;
  /** How many attempts a job would have had; 0: no limit. */
  readonly maxAttempts: (stored: StoredJob, connection: string) => number;
  readonly logger: Logger;
  readonly providers: () => Promise<ReadonlyMap<string, QueueProvider>>;
  /** Undefined for a connection this config does not know. */
  readonly provider: (connection: string) => Promise<QueueProvider | undefined>;
}

type Id = string | number;

/** Queued jobs become failed jobs of kind `manual`; running ones are refused. */
export async function markFailed(
  context: ByHandContext,
  jobIds: readonly string[],
  options: { readonly reason: string; readonly by: string },
): Promise<MarkFailedResult> {
  const outcomes: MarkFailedOutcome[] = [];
  const note = noteOf({ action: 'marked-failed', by: options.by, detail: { reason: options.reason } }, context);
  for (const id of jobIds) outcomes.push({ id, status: await markOne(context, id, { ...options, note }) });
  return { moved: outcomes.filter(({ status }) => status === 'failed').map(({ id }) => id), outcomes };
}

async function markOne(
  context: ByHandContext,
  id: string,
  { reason, by, note }: { readonly reason: string; readonly by: string; readonly note: AuditNote },
): Promise<MarkFailedOutcome['status']> {
  for (const [connection, provider] of await context.providers()) {
    const stored = await provider.find(id);
    if (stored === undefined) continue;
    if (stored.state === 'reserved') return 'running';
    if (stored.state !== 'ready' && stored.state !== 'waiting') return 'not_queued';
    const thrown = Object.assign(new Error(reason), { name: 'MarkedAsFailed', stack: '', by });
    const record = manualRecord(context, stored, { connection, thrown });
    const moved = await audited(auditOf(context, provider), {
      note,
      run: (audit) => provider.failQueued([record], audit),
      done: (ids) => ids,
    });
    // Between the look and the move it was reserved, or ended.
    if (moved.length === 0) return (await provider.find(id))?.state === 'reserved' ? 'running' : 'not_queued';
    // Written with the move where the log shares the jobs' database; elsewhere a pool would write it later, so it is written now.
    if (!(await provider.keepsFailedJobs())) await appendFailure(context.log, provider, record);
    return 'failed';
  }
  return 'not_found';
}

function manualRecord(
  context: ByHandContext,
  stored: StoredJob,
  { connection, thrown }: { connection: string; thrown: Error },
): FailureRecord {
  const now = context.clock.now();
  const { id: jobId, queue, name: job, memento, createdAt, run } = stored;
  const facts = { eventId: uuidv7(), jobId, connection, queue, job, memento, properties: propertiesOf(memento), createdAt, thrown, run };
  const worker = { host: hostname(), pid: process.pid, pool: '' };
  return buildFailureRecord(
    {
      ...facts,
      kind: 'manual',
      rule: 'manual',
      attempt: null,
      maxAttempts: context.maxAttempts(stored, connection),
      startedAt: null,
      endedAt: now,
      retryAt: null,
      worker,
      release: context.release ?? null,
    },
    context.redactor,
  );
}

function propertiesOf(memento: string): JsonObject | null {
  try {
    return decodeMemento(memento).properties;
  } catch {
    return null;
  }
}

/** Failed jobs that somebody has dealt with otherwise; they stay on record and leave the list of what is failed. */
export async function resolve(
  context: ByHandContext,
  ids: readonly Id[],
  options: { readonly note?: string; readonly by: string },
): Promise<ResolveResult> {
  const { note, by } = options;
  const audit = noteOf({ action: 'resolved', by, ...(note === undefined ? {} : { detail: { note } }) }, context);
  const outcomes: ResolveOutcome[] = [];
  for (const id of ids) {
    const stored = await context.log.find(parseId(id));
    if (stored === undefined) {
      outcomes.push({ id, status: 'not_found' });
      continue;
    }
    const isResolved = stored.status === 'failed' && (await context.log.resolveFailed(stored.id, { run: stored.run, note, audit }));
    outcomes.push({ id, status: isResolved ? 'resolved' : 'not_failed' });
  }
  return { resolved: outcomes.filter(({ status }) => status === 'resolved').length, outcomes };
}

/** Where what is done to jobs of a provider is written down. */
export function auditOf({ log, logger }: ByHandContext, provider: QueueProvider | undefined): Parameters<typeof audited>[0] {
  return { audit: log.audit, logger, provider };
}

/** Throws `OPTIONS_INVALID` for what is no list of job ids. */
export function checkJobIds(jobIds: unknown): readonly string[] {
  const ids: readonly unknown[] = Array.isArray(jobIds) ? jobIds : [jobIds];
  const bad = ids.findIndex((id) => typeof id !== 'string' || id.trim() === '');
  if (bad === -1 && ids.length > 0) return ids as readonly string[];
  throw new RedriveError(
    'OPTIONS_INVALID',
    `Job ids are non-empty strings, such as the one dispatch returned, not ${JSON.stringify(ids[bad]) ?? 'nothing'}`,
  );
}
