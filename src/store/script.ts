/** One SQL statement with `?` (or the engine's native) placeholders. */
export interface Statement {
  readonly sql: string;
  readonly bindings: readonly unknown[];
  /** It is given up after so long, and the script with it: `STORE_TIMEOUT`. On a server only. Default: a server's usual patience. */
  readonly timeoutMs?: number;
}

export interface StatementResult {
  readonly rows: readonly unknown[];
  /** Rows inserted, updated or deleted. */
  readonly changes: number;
  /** The number that MySQL gave to the first inserted row; other engines return it as a row. */
  readonly insertId?: number;
}

/**
 * A piece of a transaction, written once for every engine: it yields statements and receives their results.
 * An engine with a synchronous driver runs it without a pause, so that nothing can slip in between; one
 * with an asynchronous driver awaits each statement. Nothing but statements can be awaited inside, so no
 * code of a user's ever runs in a transaction.
 */
export type Script<T> = Generator<Statement, T, StatementResult>;

/** The same script, each of whose statements may take so long. */
export function* withTimeout<T>(script: Script<T>, timeoutMs: number): Script<T> {
  let step = script.next();
  while (step.done !== true) {
    let result: StatementResult;
    try {
      result = yield { ...step.value, timeoutMs };
    } catch (error) {
      step = script.throw(error);
      continue;
    }
    step = script.next(result);
  }
  return step.value;
}

export function* all<Row>(sql: string, bindings: readonly unknown[] = []): Script<readonly Row[]> {
  return (yield { sql, bindings }).rows as readonly Row[];
}

export function* first<Row>(sql: string, bindings: readonly unknown[] = []): Script<Row | undefined> {
  return (yield { sql, bindings }).rows[0] as Row | undefined;
}

/** Runs a statement and returns the number of rows it changed. */
export function* change(sql: string, bindings: readonly unknown[] = []): Script<number> {
  return (yield { sql, bindings }).changes;
}
