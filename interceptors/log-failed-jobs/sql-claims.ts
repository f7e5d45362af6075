import type { Claim, ClaimChange, Claims } from '../../src/record/claims.ts';
import { change, first, type Script } from '../../src/store/script.ts';
import type { SqlDialect } from '../../src/store/sql-dialect.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';

interface ClaimRow {
  readonly at: number;
  readonly lease_until: number | null;
  readonly detail: string | null;
  readonly version: number;
}

/** Claims in the database of the failed-jobs log. */
export class SqlClaims implements Claims {
  constructor(private readonly store: SqlStore) {}

  async find(name: string): Promise<Claim | undefined> {
    const table = this.store.sql.own('claims');
    const row = await this.store.read(() =>
      first<ClaimRow>(`SELECT at, lease_until, detail, version FROM ${table} WHERE name = ?`, [name]),
    );
    return row === undefined ? undefined : { at: row.at, leaseUntil: row.lease_until, detail: row.detail, version: row.version };
  }

  swap(name: string, seen: Claim | undefined, next: ClaimChange): Promise<Claim | undefined> {
    const { sql } = this.store;
    return this.store.write(() => (seen === undefined ? create(sql, name, next) : update(sql, name, { seen, next })));
  }
}

function* create(sql: SqlDialect, name: string, next: ClaimChange): Script<Claim | undefined> {
  const { at, leaseUntil, detail } = next;
  const row = { name, at, lease_until: leaseUntil, detail, version: 1 };
  return (yield* sql.insertUnlessThere(sql.own('claims'), row, ['name'])) ? { ...next, version: 1 } : undefined;
}

function* update(sql: SqlDialect, name: string, { seen, next }: { seen: Claim; next: ClaimChange }): Script<Claim | undefined> {
  const version = seen.version + 1;
  const changed = yield* change(
    `UPDATE ${sql.own('claims')} SET at = ?, lease_until = ?, detail = ?, version = ? WHERE name = ? AND version = ?`,
    [next.at, next.leaseUntil, next.detail, version, name, seen.version],
  );
  return changed > 0 ? { ...next, version } : undefined;
}
