import Database from 'better-sqlite3';
import { MssqlDialect } from '../../providers/database/dialects/mssql/dialect.ts';
import type { TediousRequest } from '../../providers/database/dialects/mssql/driver.ts';
import { mssqlEngine } from '../../providers/database/dialects/mssql/engine.ts';
import { mssqlMigration } from '../../providers/database/dialects/mssql/migrate.ts';
import type { ConnectionPool } from '../../providers/database/dialects/server/pool.ts';
import { ServerStore } from '../../providers/database/dialects/server/server-store.ts';
import { TransactionalMigrator } from '../../providers/database/dialects/server/transactional-migrator.ts';
import { noWakeUps } from '../../providers/database/dialects/server/wake-ups.ts';
import { fakeTedious } from './fake-mssql.ts';

interface SentRequest extends TediousRequest {
  readonly text: string;
  readonly parameters: readonly { readonly name: string; readonly value: unknown }[];
  answer(answer: {
    readonly rows?: readonly Readonly<Record<string, unknown>>[];
    readonly rowCount?: number;
    readonly error?: Error;
  }): void;
}

/**
 * A connection that does what it is asked in SQLite, for the few forms of Transact-SQL that the failed-jobs log uses: so what it says
 * to SQL Server is seen to mean what it says elsewhere. That a server takes it is another question, which this does not answer.
 */
class EmulatedMssql {
  private readonly database = new Database(':memory:');
  private drawn = 1;

  execSql(request: SentRequest): void {
    queueMicrotask(() => {
      try {
        request.answer(this.take(request));
      } catch (error) {
        request.answer({ error: error instanceof Error ? error : new Error(String(error)) });
      }
    });
  }

  execSqlBatch(request: SentRequest): void {
    this.execSql(request);
  }

  close(): void {
    this.database.close();
  }

  private take({ text, parameters }: SentRequest): {
    readonly rows?: readonly Readonly<Record<string, unknown>>[];
    readonly rowCount?: number;
  } {
    const values = Object.fromEntries(parameters.map(({ name, value }) => [name, value]));
    if (text.includes('DATEDIFF_BIG')) return { rows: [{ now: BigInt(Date.now()) }] };
    if (text.includes('DB_NAME()')) return { rows: [{ id: 'here' }] };
    if (text.includes('sp_getapplock')) return { rows: [{ got: 0 }] };
    if (text.includes('sp_sequence_get_range')) {
      const drawn = this.drawn;
      this.drawn += Number(values['p1']);
      return { rows: [{ drawn: BigInt(drawn) }] };
    }
    if (
      /^IF EXISTS\(SELECT \* FROM sys\.fn_listextendedproperty|^CREATE SEQUENCE|\[sys\]\.\[|from sys\.columns|INFORMATION_SCHEMA\.COLUMNS/.test(
        text,
      )
    )
      return {};
    if (text.startsWith('SELECT 1 AS is_there')) return {};
    if (text.startsWith('SELECT TABLE_NAME FROM INFORMATION_SCHEMA'))
      return this.run('SELECT name FROM sqlite_master WHERE name = @p0', values);
    if (text.startsWith('SET XACT_ABORT')) return this.run('BEGIN', {});
    if (text.startsWith('IF @@TRANCOUNT')) return this.database.inTransaction ? this.run('ROLLBACK', {}) : {};
    const [statement = '', scope] = text.split('; SELECT CAST(SCOPE_IDENTITY()');
    const answer = this.run(inSqlite(statement), values);
    return scope === undefined ? answer : this.run('SELECT last_insert_rowid() AS id', {});
  }

  private run(
    sql: string,
    values: Readonly<Record<string, unknown>>,
  ): { readonly rows?: readonly Readonly<Record<string, unknown>>[]; readonly rowCount?: number } {
    const statement = this.database.prepare(sql);
    const bound = Object.fromEntries(
      Object.entries(values)
        .filter(([name]) => new RegExp(`@${name}\\b`).test(sql))
        .map(([name, value]) => [name, value instanceof Date ? value.getTime() : value]),
    );
    const given = Object.keys(bound).length === 0 ? [] : [bound];
    if (!statement.reader) return { rowCount: statement.run(...given).changes };
    const rows = statement.all(...given) as Record<string, unknown>[];
    // Every whole number as the driver gives one of 64 bits.
    return {
      rows: rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [name, Number.isSafeInteger(value) ? BigInt(value as number) : value]),
        ),
      ),
    };
  }
}

function inSqlite(text: string): string {
  const sql = text
    .replaceAll('[dbo].', '')
    .replaceAll(/\[([^\]]*)\]/g, '"$1"')
    .replaceAll(/ WITH \([A-Z, ]+\)/g, '')
    .replaceAll(/ OFFSET 0 ROWS FETCH NEXT (\S+) ROWS ONLY/g, ' LIMIT $1')
    .replaceAll(
      /bigint identity\(1,1\) not null primary key|int identity\(1,1\) not null primary key/g,
      'INTEGER PRIMARY KEY AUTOINCREMENT',
    )
    .replaceAll('nvarchar(max)', 'text')
    .replace(/;select @@rowcount$/, '');
  const top = /^select top \((@p\d+)\) (.*)$/s.exec(sql);
  return top === null ? sql : `select ${top[2]} limit ${top[1]}`;
}

/** A store of an emulated server. */
export async function openEmulatedMssql(): Promise<{ readonly store: ServerStore; readonly close: () => Promise<void> }> {
  const server = new EmulatedMssql();
  const engine = mssqlEngine(fakeTedious);
  const sql = new MssqlDialect({ schema: 'dbo', prefix: 'redrive_' });
  const parts = { engine, pool: poolOfOne(server), sql, location: 'mssql://emulated', access: 'create', wakeUps: noWakeUps } as const;
  const migrator = new TransactionalMigrator({ ...parts, ...mssqlMigration(fakeTedious, sql, 'app') });
  return { store: await ServerStore.open({ ...parts, migrator }, server), close: async () => server.close() };
}

/** One connection, for which everybody waits for the last one. */
function poolOfOne(connection: object): ConnectionPool {
  let last = Promise.resolve();
  let release = (): void => undefined;
  return {
    async acquire() {
      const before = last;
      let mine = (): void => undefined;
      last = new Promise((resolve) => (mine = resolve));
      await before;
      release = mine;
      return connection;
    },
    release: async () => release(),
    close: async () => undefined,
  };
}
