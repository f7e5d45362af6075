import type { JsonObject } from '../../src/job/json.ts';
import {
  addPart,
  auditedIds,
  countOf,
  type AuditAction,
  type AuditEntry,
  type AuditLog,
  type AuditPage,
  type AuditScripts,
  type StoredAuditEntry,
} from '../../src/record/audit-log.ts';
import { all, change, first, type Script } from '../../src/store/script.ts';
import type { SqlDialect } from '../../src/store/sql-dialect.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';

interface AuditRow {
  readonly id: number;
  readonly entry_id: string;
  readonly at: number;
  readonly actor: string;
  readonly action: AuditAction;
  readonly chosen_by: string | null;
  readonly ids: string;
  readonly amount: number;
  readonly detail: string | null;
}

/** The audit in the database of the failed-jobs log. */
export class SqlAuditLog implements AuditLog {
  constructor(
    private readonly store: SqlStore,
    private readonly scripts: AuditScripts,
  ) {}

  record(entry: AuditEntry): Promise<void> {
    return this.store.write(() => this.scripts.record(entry));
  }

  async list(page: AuditPage): Promise<readonly StoredAuditEntry[]> {
    const { sql } = this.store;
    return (await this.store.read(() => listEntries(sql, page))).map(readEntry);
  }
}

export function auditScripts(sql: SqlDialect): AuditScripts {
  const table = sql.own('audit');
  return {
    *record(entry) {
      const { entryId, at, by, action, filter, detail } = entry;
      const row = {
        entry_id: entryId,
        at,
        actor: by,
        action,
        chosen_by: filter === undefined ? null : JSON.stringify(filter),
        ids: JSON.stringify(entry.ids.slice(0, auditedIds)),
        amount: countOf(entry),
        detail: detail === undefined ? null : JSON.stringify(detail),
      };
      if (yield* sql.insertUnlessThere(table, row, ['entry_id'])) return;
      const known = yield* first<AuditRow>(`SELECT * FROM ${table}${sql.withLock} WHERE entry_id = ?${sql.forUpdate}`, [entryId]);
      if (known === undefined) return;
      const { ids, count } = addPart(readEntry(known), entry);
      yield* change(`UPDATE ${table} SET ids = ?, amount = ? WHERE id = ?`, [JSON.stringify(ids), count, known.id]);
    },
  };
}

function* listEntries(sql: SqlDialect, { limit, before, since, by }: AuditPage): Script<readonly AuditRow[]> {
  const conditions: readonly (readonly [condition: string, value: string | number | undefined])[] = [
    ['id < ?', before],
    ['at >= ?', since],
    ['actor = ?', by],
  ];
  const given = conditions.filter(([, value]) => value !== undefined);
  const where = given.length === 0 ? '' : ` WHERE ${given.map(([condition]) => condition).join(' AND ')}`;
  return yield* all<AuditRow>(`SELECT * FROM ${sql.own('audit')}${where} ORDER BY id DESC${sql.limit('?')}`, [
    ...given.map(([, value]) => value),
    limit,
  ]);
}

function readEntry(row: AuditRow): StoredAuditEntry {
  const { id, entry_id: entryId, at, actor: by, action, chosen_by: filter, amount: count, detail } = row;
  return {
    id,
    entryId,
    at,
    by,
    action,
    ids: JSON.parse(row.ids) as (string | number)[],
    count,
    ...(filter === null ? {} : { filter: JSON.parse(filter) as JsonObject }),
    ...(detail === null ? {} : { detail: JSON.parse(detail) as JsonObject }),
  };
}
