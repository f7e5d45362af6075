import type { RawConnection } from '../server/engine.ts';

/** What this module uses of the package `tedious`. */
export interface TediousDriver {
  readonly Request: new (sql: string, done: (error: Error | null | undefined, rowCount?: number) => void) => TediousRequest;
  readonly TYPES: Readonly<Record<'NVarChar' | 'Int' | 'BigInt' | 'Float' | 'Bit' | 'DateTime2', unknown>>;
}

export interface TediousRequest {
  addParameter(name: string, type: unknown, value: unknown): void;
  on(event: 'row', listener: (columns: readonly Column[]) => void): unknown;
  setTimeout(ms: number): void;
}

/** One value of a row, as `tedious` tells it where it is not asked for names. */
export interface Column {
  readonly value: unknown;
  readonly metadata: { readonly colName: string; readonly type: { readonly name: string } };
}

interface TediousConnection {
  /** With parameters: the server runs it as a procedure, in which a transaction may neither begin nor end. */
  execSql(request: TediousRequest): void;
  execSqlBatch(request: TediousRequest): void;
}

export interface Asked {
  readonly text: string;
  /** Those of `@p0`, `@p1`, ... */
  readonly values: readonly unknown[];
  /** 0: as long as it takes. */
  readonly withinMs: number;
}

export interface Answer {
  readonly rows: readonly (readonly Column[])[];
  readonly rowCount: number;
}

/** Runs one request. Rejects with the driver's error, also where the server does not answer in time. */
export function ask(driver: TediousDriver, connection: RawConnection, { text, values, withinMs }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const rows: (readonly Column[])[] = [];
    const request = new driver.Request(text, (error, rowCount = 0) => {
      if (error === null || error === undefined) resolve({ rows, rowCount });
      else reject(error);
    });
    request.on('row', (columns) => void rows.push(columns));
    request.setTimeout(withinMs);
    for (const [index, value] of values.entries()) request.addParameter(`p${index}`, typeOf(driver, value), value ?? null);
    const open = connection as TediousConnection;
    if (values.length === 0) open.execSqlBatch(request);
    else open.execSql(request);
  });
}

/** Rows by column. Numbers of 64 bits are numbers: the driver gives them as text. */
export function readRows({ rows }: Answer): readonly Readonly<Record<string, unknown>>[] {
  return rows.map((columns) => Object.fromEntries(columns.map((column) => [column.metadata.colName, readValue(column)])));
}

const wholeNumbers = new Set(['BigInt', 'IntN']);

function readValue({ value, metadata }: Column): unknown {
  return typeof value === 'string' && wholeNumbers.has(metadata.type.name) ? Number(value) : value;
}

const largestInt = 2 ** 31;

function typeOf({ TYPES }: TediousDriver, value: unknown): unknown {
  if (typeof value === 'boolean') return TYPES.Bit;
  if (value instanceof Date) return TYPES.DateTime2;
  if (typeof value !== 'number') return TYPES.NVarChar;
  if (!Number.isSafeInteger(value)) return TYPES.Float;
  return value >= -largestInt && value < largestInt ? TYPES.Int : TYPES.BigInt;
}
