import type { ExceptionSnapshot } from '../record/types.ts';

/** An exception as a stack is usually printed: its own, then what it gathered, then its causes. */
export function exceptionText(exception: ExceptionSnapshot): string {
  return linesOf(exception).join('\n');
}

function linesOf(exception: ExceptionSnapshot): string[] {
  const gathered = (exception.errors ?? []).flatMap((error, index) => indented(`Error ${index + 1}: `, error));
  // Causes stay at one level, or fifty of them would stand far to the right.
  const cause = exception.cause === undefined ? [] : withLabel('Caused by: ', linesOf(exception.cause));
  return [...stackOf(exception).split('\n'), ...gathered, ...cause];
}

function indented(label: string, exception: ExceptionSnapshot): string[] {
  return withLabel(label, linesOf(exception)).map((line) => `    ${line}`);
}

function withLabel(label: string, [first = '', ...rest]: readonly string[]): string[] {
  return [`${label}${first}`, ...rest];
}

/** The stack, headed by type and message where the stack does not say them itself. */
function stackOf({ type, message, stack }: ExceptionSnapshot): string {
  const head = message === '' ? type : `${type}: ${message}`;
  if (stack === '') return head;
  return stack.includes(message) && !/^\s*at /.test(stack) ? stack : `${head}\n${stack}`;
}
