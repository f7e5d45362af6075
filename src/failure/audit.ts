import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../clock.ts';
import { checkOptions } from '../config/call-options.ts';
import { RedriveError } from '../errors.ts';
import type { JsonObject } from '../job/json.ts';
import type { Logger } from '../logger.ts';
import type { QueueProvider } from '../provider/queue-provider.ts';
import type { AuditAction, AuditLog, AuditNote, StoredAuditEntry } from '../record/audit-log.ts';
import type { Redactor } from '../record/redaction.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

/** Who did what, when, to how many. */
export interface AuditRecord {
  /** Rises with every entry. */
  readonly id: number;
  readonly at: Date;
  readonly by: string;
  readonly action: AuditAction;
  /** To how many it was done. */
  readonly count: number;
  /** The first hundred of them: job ids, numbers of failed jobs, or a queue's name. */
  readonly ids: readonly (string | number)[];
  /** The filter that chose them. */
  readonly filter?: JsonObject;
  /** Reason, note, options, the redacted patch of an edit. */
  readonly detail?: JsonObject;
}

export interface AuditOptions {
  /** 1 to 200; default 25. */
  readonly limit?: number;
  /** Only what was done at or after. */
  readonly since?: Date;
  /** Only what this one did. */
  readonly by?: string;
  /** From an earlier answer to the same question. */
  readonly cursor?: string;
}

export interface AuditList {
  /** Newest first. */
  readonly items: readonly AuditRecord[];
  /** Where the next page begins; missing on the last one. */
  readonly cursor?: string;
}

const largestPage = 200;
const defaultPage = 25;
const longestName = 255;

/** One page of the audit. Throws `OPTIONS_INVALID`, `CURSOR_INVALID`. */
export async function listAudit(log: AuditLog, options: AuditOptions): Promise<AuditList> {
  const { limit = defaultPage, since, by, cursor } = checked(options);
  const question = { audit: true, by, since };
  const rows = await log.list({
    limit: limit + 1,
    ...(cursor === undefined ? {} : { before: decodeCursor(cursor, question, 'newest').id }),
    ...(since === undefined ? {} : { since: since.getTime() }),
    ...(by === undefined ? {} : { by }),
  });
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined ? { cursor: encodeCursor({ at: 0, id: last.id }, question, 'newest') } : {};
  return { items: items.map(present), ...more };
}

function checked(options: AuditOptions): AuditOptions {
  checkOptions('audit', options, { limit: undefined, since: undefined, by: undefined, cursor: 'text' });
  const { limit, since, by } = options;
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 1 || limit > largestPage))
    throw new RedriveError('OPTIONS_INVALID', `limit: must be an integer from 1 to ${largestPage}`);
  if (since !== undefined && (!(since instanceof Date) || Number.isNaN(since.getTime())))
    throw new RedriveError('OPTIONS_INVALID', 'since: must be a valid Date');
  if (by !== undefined) checkBy(by);
  return options;
}

function present({ entryId: _entryId, at, ...entry }: StoredAuditEntry): AuditRecord {
  return { ...entry, at: new Date(at) };
}

/** Who asks, for the record; `api` where nobody is named. Throws `OPTIONS_INVALID`. */
export function checkBy(by: unknown): string {
  if (by === undefined) return 'api';
  if (typeof by === 'string' && by.trim() !== '' && by.length <= longestName && !by.includes('\0')) return by;
  throw new RedriveError('OPTIONS_INVALID', `by: must be a name of 1 to ${longestName} characters`);
}

/** What an act is, before it is done. */
export interface Act {
  readonly action: AuditAction;
  readonly by: string;
  /** As the caller gave it. */
  readonly filter?: object;
  readonly detail?: JsonObject;
}

/** An act as the audit is to tell it: redacted, times as ISO text. */
export function noteOf({ action, by, filter, detail }: Act, { clock, redactor }: { clock: Clock; redactor: Redactor }): AuditNote {
  const shown = (value: object): JsonObject => redactor.json(JSON.parse(JSON.stringify(value)) as JsonObject);
  return {
    entryId: uuidv7(),
    at: clock.now(),
    by,
    action,
    ...(filter === undefined ? {} : { filter: shown(filter) }),
    ...(detail === undefined ? {} : { detail: shown(detail) }),
  };
}

/** How one part of an act is done: `note` is undefined where whoever does it need not write it down. */
export interface AuditedAct<T> {
  readonly note: AuditNote;
  readonly run: (note: AuditNote | undefined) => Promise<T>;
  /** What it was done to in the end. Nothing: no entry is made. */
  readonly done: (result: T) => readonly (string | number)[];
}

/**
 * Does something to jobs of a provider and writes it down: in the same transaction where the provider's database is the
 * audit's as well, else right after. What was done is not undone because it could not be written down; the log says so.
 */
export async function audited<T>(
  { audit, provider, logger }: { readonly audit: AuditLog; readonly provider: QueueProvider | undefined; readonly logger: Logger },
  { note, run, done }: AuditedAct<T>,
): Promise<T> {
  if (provider !== undefined && (await provider.keepsAudit())) return run(note);
  const result = await run(undefined);
  const ids = done(result);
  if (ids.length === 0) return result;
  try {
    await audit.record({ ...note, ids });
  } catch (error) {
    logger.error({ err: error, ...note, ids: ids.slice(0, 20) }, 'What was done could not be written into the audit');
  }
  return result;
}
