import type { Column, TediousDriver, TediousRequest } from '../../providers/database/dialects/mssql/driver.ts';

/** A request as it would have been sent. */
export interface SentRequest {
  readonly text: string;
  readonly parameters: readonly { readonly name: string; readonly type: unknown; readonly value: unknown }[];
  /** `batch`: without parameters, as itself; `procedure`: with them. */
  readonly as: 'batch' | 'procedure';
  readonly withinMs: number;
}

/** A row, its whole numbers of 64 bits marked: the driver gives them as text. */
export type FakeRow = Readonly<Record<string, unknown>>;

export interface FakeAnswer {
  readonly rows?: readonly FakeRow[];
  readonly rowCount?: number;
  readonly error?: Error;
}

type Done = (error: Error | null, rowCount?: number) => void;

class FakeRequest implements TediousRequest {
  readonly parameters: { name: string; type: unknown; value: unknown }[] = [];
  withinMs = 0;
  private onRow: (columns: readonly Column[]) => void = () => undefined;

  constructor(
    readonly text: string,
    private readonly done: Done,
  ) {}

  addParameter(name: string, type: unknown, value: unknown): void {
    this.parameters.push({ name, type, value });
  }

  on(_event: 'row', listener: (columns: readonly Column[]) => void): void {
    this.onRow = listener;
  }

  setTimeout(ms: number): void {
    this.withinMs = ms;
  }

  answer({ rows = [], rowCount = rows.length, error }: FakeAnswer): void {
    if (error !== undefined) return this.done(error);
    for (const row of rows) this.onRow(Object.entries(row).map(([colName, value]) => columnOf(colName, value)));
    this.done(null, rowCount);
  }
}

function columnOf(colName: string, value: unknown): Column {
  return typeof value === 'bigint'
    ? { value: String(value), metadata: { colName, type: { name: 'IntN' } } }
    : { value, metadata: { colName, type: { name: 'NVarChar' } } };
}

const types = ['NVarChar', 'Int', 'BigInt', 'Float', 'Bit', 'DateTime2'] as const;

/** As much of the package `tedious` as is used here. */
export const fakeTedious = {
  Request: FakeRequest,
  TYPES: Object.fromEntries(types.map((name) => [name, name])),
} as unknown as TediousDriver;

/** A connection that writes down what it is asked, and answers the first of the answers whose text is in the request, its first values in place; else nothing. */
export class FakeMssql {
  readonly sent: SentRequest[] = [];

  constructor(private readonly answers: readonly (readonly [textContains: string, answer: FakeAnswer])[] = []) {}

  execSql(request: FakeRequest): void {
    this.take(request, 'procedure');
  }

  execSqlBatch(request: FakeRequest): void {
    this.take(request, 'batch');
  }

  /** Without what begins and ends transactions. */
  get statements(): readonly string[] {
    return this.sent.map(({ text }) => text).filter((text) => !/^(?:SET XACT_ABORT|COMMIT|IF @@TRANCOUNT|DECLARE @got)/.test(text));
  }

  private take(request: FakeRequest, as: SentRequest['as']): void {
    const { text, parameters, withinMs } = request;
    this.sent.push({ text, parameters, as, withinMs });
    const told = parameters.reduce((rest, { name, value }) => rest.replace(new RegExp(`@${name}\\b`), String(value)), text);
    const found = this.answers.find(([part]) => text.includes(part) || told.includes(part));
    queueMicrotask(() => request.answer(found?.[1] ?? {}));
  }
}
