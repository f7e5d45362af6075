import type { ExceptionSnapshot } from './types.ts';

/** An Error that says what the recorded one said: same name, message, stack, code, fields and causes. */
export function rebuildException(snapshot: ExceptionSnapshot): Error {
  const options = snapshot.cause === undefined ? undefined : { cause: rebuildException(snapshot.cause) };
  const error =
    snapshot.errors === undefined
      ? new Error(snapshot.message, options)
      : new AggregateError(snapshot.errors.map(rebuildException), snapshot.message, options);
  for (const [key, value] of Object.entries(snapshot.fields ?? {})) define(error, key, value, true);
  define(error, 'name', snapshot.type, false);
  define(error, 'stack', snapshot.stack, false);
  if (snapshot.code !== undefined) define(error, 'code', snapshot.code, true);
  return error;
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, configurable: true, writable: true });
}
