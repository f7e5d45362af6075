import type { JsonObject } from '../job/json.ts';
import type { Script } from '../store/script.ts';

/** What people, and programs in their name, do to jobs and queues. `deleted` is a forget, a flush or a prune; `edited` a retry with other properties. */
export const auditActions = [
  'retried',
  'edited',
  'deleted',
  'resolved',
  'marked-failed',
  'cancelled',
  'paused',
  'resumed',
  'bulk-retry-started',
  'bulk-retry-paused',
  'bulk-retry-resumed',
  'bulk-retry-cancelled',
  'bulk-retry-stopped',
  'bulk-retry-done',
] as const;

export type AuditAction = (typeof auditActions)[number];

/** An act, as far as it is known before it is done. Redacted by whoever makes it: the audit is shown. */
export interface AuditNote {
  /** UUIDv7. Parts of one act, such as the chunks of a retry, carry the same and are added up to one entry. */
  readonly entryId: string;
  /** Epoch ms. */
  readonly at: number;
  /** Who asked. */
  readonly by: string;
  readonly action: AuditAction;
  /** The filter that chose what it was done to. */
  readonly filter?: JsonObject;
  /** What else is worth knowing: a reason, a note, options, the redacted patch. */
  readonly detail?: JsonObject;
}

/** An act, or a part of one, that was done. */
export interface AuditEntry extends AuditNote {
  /** What it was done to: job ids, numbers of failed jobs, a queue's name. An entry keeps the first {@link auditedIds}. */
  readonly ids: readonly (string | number)[];
  /** To how many. Default: as many as there are ids. */
  readonly count?: number;
}

/** Ids kept of one entry; beyond that it has their number. */
export const auditedIds = 100;

/** An entry as it is kept. */
export interface StoredAuditEntry extends AuditEntry {
  /** Rises; orders lists and is the cursor. */
  readonly id: number;
  readonly count: number;
}

export interface AuditPage {
  readonly limit: number;
  /** Only entries before this one. */
  readonly before?: number;
  /** Only acts at or after, epoch ms. */
  readonly since?: number;
  readonly by?: string;
}

/** Keeps who did what, when, to how many. Entries are never changed by anybody but a further part of the same act. */
export interface AuditLog {
  record(entry: AuditEntry): Promise<void>;
  /** Newest first. */
  list(page: AuditPage): Promise<readonly StoredAuditEntry[]>;
}

/** The same as part of a transaction: an act and its entry are written together or not at all. */
export interface AuditScripts {
  record(entry: AuditEntry): Script<void>;
}

/** An entry with one more part of its act. */
export function addPart<E extends Pick<AuditEntry, 'ids' | 'count'>>(known: E, part: AuditEntry): E {
  const ids = [...known.ids, ...part.ids].slice(0, auditedIds);
  return { ...known, ids, count: countOf(known) + countOf(part) };
}

/** To how many it was done. */
export function countOf({ ids, count }: Pick<AuditEntry, 'ids' | 'count'>): number {
  return count ?? ids.length;
}
