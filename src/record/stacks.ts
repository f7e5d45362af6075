import { createHash } from 'node:crypto';
import type { ExceptionSnapshot } from './types.ts';

/**
 * A stack as it is stored: whole, or in two parts around the message, which is left out since the exception has it.
 * So failures of one place share their text, whatever their messages say.
 */
type StoredStack = string | readonly [beforeMessage: string, afterMessage: string];

/** An exception without its stacks, and all its stacks as one text that equal failures share. */
export interface SplitStacks {
  /** Every `stack` is empty. */
  readonly bare: ExceptionSnapshot;
  /** Empty where there is no stack at all. */
  readonly stacks: string;
}

/** Takes the stacks of an exception, its causes and aggregated errors out of it; {@link joinStacks} puts them back exactly. */
export function splitStacks(snapshot: ExceptionSnapshot): SplitStacks {
  const stored: StoredStack[] = [];
  const bare = mapExceptions(snapshot, (exception) => {
    stored.push(storedStack(exception));
    return { ...exception, stack: '' };
  });
  return { bare, stacks: stored.every((stack) => stack === '') ? '' : JSON.stringify(stored) };
}

/** The exception with its stacks; one whose text is missing or damaged stays bare. */
export function joinStacks(bare: ExceptionSnapshot, stacks: string): ExceptionSnapshot {
  const stored = parsed(stacks);
  let index = 0;
  return mapExceptions(bare, (exception) => {
    const stack = stored[index];
    index += 1;
    return stack === undefined ? exception : { ...exception, stack: fullStack(stack, exception.message) };
  });
}

/** The key under which a text of stacks is stored once: 32 hex digits. */
export function stacksHash(stacks: string): string {
  return createHash('sha256').update(stacks).digest('hex').slice(0, 32);
}

/** Where the message stands in the stack's first line (`Type: message`, `Type [CODE]: message`); undefined where it does not. */
export function messageInStack({ message, stack }: ExceptionSnapshot): { readonly start: number; readonly end: number } | undefined {
  const start = stack.indexOf(': ') + 2;
  const end = start + message.length;
  const isHeader = start > 1 && message !== '' && stack.startsWith(message, start) && !stack.slice(0, start).includes('\n');
  return isHeader && (end === stack.length || stack[end] === '\n') ? { start, end } : undefined;
}

function storedStack(exception: ExceptionSnapshot): StoredStack {
  const found = messageInStack(exception);
  return found === undefined ? exception.stack : [exception.stack.slice(0, found.start), exception.stack.slice(found.end)];
}

function fullStack(stack: StoredStack, message: string): string {
  return typeof stack === 'string' ? stack : stack[0] + message + stack[1];
}

function mapExceptions(exception: ExceptionSnapshot, change: (exception: ExceptionSnapshot) => ExceptionSnapshot): ExceptionSnapshot {
  const changed = change(exception);
  const { cause, errors } = exception;
  if (cause === undefined && errors === undefined) return changed;
  return {
    ...changed,
    ...(cause === undefined ? {} : { cause: mapExceptions(cause, change) }),
    ...(errors === undefined ? {} : { errors: errors.map((error) => mapExceptions(error, change)) }),
  };
}

function parsed(stacks: string): readonly StoredStack[] {
  if (stacks === '') return [];
  try {
    const value: unknown = JSON.parse(stacks);
    return Array.isArray(value) && value.every(isStoredStack) ? value : [];
  } catch {
    return [];
  }
}

function isStoredStack(value: unknown): value is StoredStack {
  return typeof value === 'string' || (Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string');
}
