import {
  addPart,
  auditedIds,
  countOf,
  type AuditEntry,
  type AuditLog,
  type AuditPage,
  type StoredAuditEntry,
} from '../../src/record/audit-log.ts';

/** Entries kept at most: the oldest go first, since a process's memory is no archive. */
const mostEntries = 10_000;

/** The audit in this process's memory, beside a failed-jobs log that is there too. */
export class MemoryAuditLog implements AuditLog {
  private readonly entries = new Map<string, StoredAuditEntry>();
  private lastId = 0;

  async record(entry: AuditEntry): Promise<void> {
    const known = this.entries.get(entry.entryId);
    const ids = entry.ids.slice(0, auditedIds);
    this.entries.set(
      entry.entryId,
      known === undefined ? { ...entry, id: ++this.lastId, ids, count: countOf(entry) } : addPart(known, entry),
    );
    const [oldest] = this.entries.keys();
    if (oldest !== undefined && this.entries.size > mostEntries) this.entries.delete(oldest);
  }

  async list({ limit, before, since, by }: AuditPage): Promise<readonly StoredAuditEntry[]> {
    return [...this.entries.values()]
      .toReversed()
      .filter(
        (entry) =>
          (before === undefined || entry.id < before) &&
          (since === undefined || entry.at >= since) &&
          (by === undefined || entry.by === by),
      )
      .slice(0, limit);
  }
}
