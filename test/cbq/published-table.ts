import Database from 'better-sqlite3';
import { rows } from '../support/tables.ts';

const columns = `"id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  "connection" VARCHAR(255) NOT NULL,
  "queue" VARCHAR(255) NOT NULL,
  "mapping" VARCHAR(255) NOT NULL,
  "memento" TEXT NOT NULL,
  "properties" TEXT NOT NULL,
  "exceptionType" VARCHAR(255),
  "exceptionMessage" VARCHAR(255) NOT NULL,
  "exceptionDetail" VARCHAR(255),
  "exceptionExtendedInfo" TEXT,
  "exceptionStackTrace" TEXT NOT NULL,
  "exception" TEXT NOT NULL`;

/** What cbq's table looked like after its migrations up to a point, the columns in the order in which they came. */
export const shapes = {
  'as first published: a timestamp': `${columns}, "failedDate" TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP`,
  'a timestamp and the numeric originalId of cbq_jobs': `${columns}, "failedDate" TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, "originalId" BIGINT`,
  'unix seconds, without originalId': `${columns}, "failedDate" INTEGER NOT NULL`,
  'unix seconds and a text originalId, as last published': `${columns}, "originalId" VARCHAR(255), "failedDate" INTEGER NOT NULL`,
} as const;
export type Shape = keyof typeof shapes;
export const shapeNames = Object.keys(shapes) as readonly Shape[];
export const lastShape: Shape = 'unix seconds and a text originalId, as last published';

/** The columns that cbq published, and that nothing but a failure here may change. */
export const publishedColumns = [
  'id',
  'connection',
  'queue',
  'mapping',
  'memento',
  'properties',
  'exceptionType',
  'exceptionMessage',
  'exceptionDetail',
  'exceptionExtendedInfo',
  'exceptionStackTrace',
  'exception',
  'failedDate',
] as const;

export interface CbqRow {
  readonly connection: string;
  readonly queue: string;
  readonly mapping: string;
  readonly memento: string;
  readonly properties: string;
  readonly exceptionType: string | null;
  readonly exceptionMessage: string;
  readonly exceptionDetail: string | null;
  readonly exceptionExtendedInfo: string | null;
  readonly exceptionStackTrace: string;
  readonly exception: string;
  /** Epoch seconds, written in the table's own form. */
  readonly failedAt: number;
  readonly originalId: number | string | null;
}

export interface CbqJob {
  readonly mapping?: string;
  readonly properties?: unknown;
  readonly connection?: string;
  readonly queue?: string;
  readonly backoff?: unknown;
  readonly timeout?: unknown;
  readonly maxAttempts?: unknown;
  readonly currentAttempt?: unknown;
  readonly chained?: readonly unknown[];
  readonly batchId?: string | null;
}

export const firstFailedAt = Date.UTC(2024, 4, 23, 16, 58) / 1_000;

/** A failed job as cbq writes it down on Lucee, where nothing else is said. */
export function cbqRow(job: CbqJob = {}, other: Partial<CbqRow> = {}): CbqRow {
  const {
    mapping = 'SendWelcomeEmailJob',
    properties = { userId: 1 },
    connection = 'main',
    queue = 'default',
    chained = [],
    batchId = null,
  } = job;
  const { backoff = null, timeout = null, maxAttempts = null, currentAttempt = 1 } = job;
  const message = `Can't reach the mail server at 10.0.0.7 for user ${JSON.stringify(properties).length}`;
  const stack = `lucee.runtime.exp.NativeException: ${message}\n\tat models.jobs.${mapping}_cfc$cf.udfCall(/app/models/jobs/${mapping}.cfc:12)\n\tat java.base/java.lang.Thread.run(Thread.java:829)`;
  return {
    connection,
    queue,
    mapping,
    memento: JSON.stringify({
      id: 17,
      connection,
      queue,
      mapping,
      properties,
      backoff,
      timeout,
      maxAttempts,
      currentAttempt,
      chained,
      batchId,
      isLifecycleJob: false,
    }),
    properties: JSON.stringify(properties),
    exceptionType: 'MailServer.Unreachable',
    exceptionMessage: message,
    exceptionDetail: 'Connection refused',
    exceptionExtendedInfo: null,
    exceptionStackTrace: stack,
    exception: JSON.stringify({
      type: 'MailServer.Unreachable',
      message,
      detail: 'Connection refused',
      extendedinfo: '',
      errorCode: '0',
      stackTrace: stack,
      tagContext: [{ template: `/app/models/jobs/${mapping}.cfc`, line: 12 }],
    }),
    failedAt: firstFailedAt,
    originalId: 17,
    ...other,
  };
}

/** Rows of all the kinds there are, the oldest failure not the first. */
export const realisticRows: readonly CbqRow[] = [
  cbqRow(
    {
      properties: { userId: 1, name: 'Zoë “Łucja” 🦊', note: 'line\nline\ttab' },
      maxAttempts: 3,
      currentAttempt: 3,
      timeout: 20,
      backoff: 5,
    },
    { failedAt: firstFailedAt + 60 },
  ),
  cbqRow(
    { mapping: 'ImportOrdersJob', queue: 'slow', properties: { file: 'orders.csv', rows: 'x,y\n'.repeat(40_000) } },
    { exceptionStackTrace: `${'at deep(deeper.cfc:1)\n'.repeat(20_000)}end`, failedAt: firstFailedAt },
  ),
  // Adobe ColdFusion writes keys in its own case, and numbers as text.
  cbqRow(
    { currentAttempt: '2', maxAttempts: '5.0' },
    {
      exception: JSON.stringify({
        Type: 'Application',
        Message: 'Element USERID is undefined in PROPERTIES. '.repeat(10),
        Detail: '',
        StackTrace: 'coldfusion.runtime.UndefinedElementException',
        TagContext: [],
      }),
      exceptionType: null,
      exceptionDetail: null,
      failedAt: firstFailedAt + 120,
    },
  ),
  cbqRow(
    { mapping: 'BrokenJob' },
    {
      memento: '{"id":18,"mapping":"Brok',
      properties: '{"half":',
      exception: 'no JSON at all',
      exceptionType: null,
      exceptionDetail: null,
      exceptionExtendedInfo: 'plain words, no JSON',
      exceptionMessage: '',
      exceptionStackTrace: '',
      originalId: null,
      failedAt: firstFailedAt + 180,
    },
  ),
  cbqRow(
    { mapping: 'EmptyJob', properties: {} },
    { memento: '', properties: '', exception: '', exceptionExtendedInfo: '{"queue":["a","b"]}', failedAt: firstFailedAt + 240 },
  ),
  cbqRow(
    { mapping: 'OddJob' },
    { memento: '[1,2]', properties: '"text"', exception: '"text"', exceptionExtendedInfo: '[1]', failedAt: firstFailedAt + 300 },
  ),
];

/** Makes a file with cbq's table of this shape, and its rows in it. */
export function makeCbqTable(
  filename: string,
  shape: Shape,
  cbqRows: readonly CbqRow[] = realisticRows,
  tableName = 'cbq_failed_jobs',
): void {
  const database = new Database(filename);
  database.exec(`CREATE TABLE "${tableName}" (${shapes[shape]})`);
  database.close();
  writeAsCbq(filename, shape, cbqRows, tableName);
}

/** What a cbq of that time writes: its own columns and no other. */
export function writeAsCbq(filename: string, shape: Shape, cbqRows: readonly CbqRow[], tableName = 'cbq_failed_jobs'): void {
  const database = new Database(filename, { fileMustExist: true });
  try {
    const write = database.transaction(() => {
      for (const row of cbqRows) {
        const values = valuesOf(row, shape);
        const names = Object.keys(values);
        database
          .prepare(
            `INSERT INTO "${tableName}" (${names.map((name) => `"${name}"`).join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
          )
          .run(...Object.values(values));
      }
    });
    write();
  } finally {
    database.close();
  }
}

function valuesOf({ failedAt, originalId, ...row }: CbqRow, shape: Shape): Record<string, unknown> {
  const isTimestamp = shapes[shape].includes('TIMESTAMP');
  const failedDate = isTimestamp ? new Date(failedAt * 1_000).toISOString().slice(0, 19).replace('T', ' ') : failedAt;
  return { ...row, failedDate, ...(shapes[shape].includes('originalId') ? { originalId } : {}) };
}

/** Every byte of the published columns, with the type in which SQLite keeps them. */
export function publishedBytes(filename: string, shape: Shape, tableName = 'cbq_failed_jobs'): readonly unknown[] {
  const names = shapes[shape].includes('originalId') ? [...publishedColumns, 'originalId'] : publishedColumns;
  const selected = names.map((name) => `typeof("${name}") || ':' || coalesce(hex(CAST("${name}" AS BLOB)), '') AS "${name}"`).join(', ');
  return rows(filename, `SELECT ${selected} FROM "${tableName}" ORDER BY "id"`);
}
