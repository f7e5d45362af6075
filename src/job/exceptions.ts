import { durationMs, type Duration } from '../duration.ts';

// Symbols of the global registry: a job may be written against another copy of this package than the worker's.
const unrecoverable = Symbol.for('redrive/Unrecoverable');
const retryAfter = Symbol.for('redrive/RetryAfter');

/** Thrown by a job that must not be tried again: it fails at once, with the rule `unrecoverable`. */
export class Unrecoverable extends Error {
  readonly [unrecoverable] = true;

  constructor(message = 'The job cannot succeed, however often it is tried', options: { cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'Unrecoverable';
    Object.defineProperty(this, unrecoverable, { enumerable: false });
  }
}

/** Thrown by a job that wants its next attempt after this delay; it still spends an attempt. */
export class RetryAfter extends Error {
  readonly [retryAfter]: number;

  /** Throws `DURATION_INVALID` for a delay that is none. */
  constructor(delay: Duration, message = 'The job asked to be tried again later', options: { cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.name = 'RetryAfter';
    this[retryAfter] = durationMs(delay, 'RetryAfter');
    Object.defineProperty(this, retryAfter, { enumerable: false });
  }
}

/** True for an {@link Unrecoverable}, also a subclass; false for anything whose inspection throws. */
export function isUnrecoverable(thrown: unknown): boolean {
  return read(thrown, unrecoverable) === true;
}

/** The delay in ms that a {@link RetryAfter} asks for; undefined for anything else. */
export function retryAfterMs(thrown: unknown): number | undefined {
  const ms = read(thrown, retryAfter);
  return typeof ms === 'number' && Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

/** True when the thrown value is an instance of one of the classes; a class whose check throws does not match. */
export function isOneOf(thrown: unknown, classes: readonly ErrorClass[]): boolean {
  return classes.some((errorClass) => {
    try {
      return thrown instanceof errorClass;
    } catch {
      return false;
    }
  });
}

export type ErrorClass = abstract new (...args: never[]) => unknown;

function read(thrown: unknown, key: symbol): unknown {
  if (typeof thrown !== 'object' || thrown === null) return undefined;
  try {
    return (thrown as Record<symbol, unknown>)[key];
  } catch {
    return undefined;
  }
}
