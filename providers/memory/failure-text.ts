import type { AttemptRecord } from '../../src/record/attempt-record.ts';
import type { FailureRecord } from '../../src/record/types.ts';

/** What its exception says again is left out. */
type Written = Omit<FailureRecord, 'type' | 'message' | 'stack'>;
type WrittenAttempt = Omit<Written, 'memento' | 'properties'>;

/**
 * Records are kept as text: those who are told of a failure hold the very objects it was made of, and what they do
 * with them must not change what is on record.
 */
export function writeFailure(record: FailureRecord): string {
  const { type: _type, message: _message, stack: _stack, ...written } = record;
  return JSON.stringify(written satisfies Written);
}

/** The part of a record that makes an attempt's row. */
export function writeAttempt(record: FailureRecord): string {
  const { type: _type, message: _message, stack: _stack, memento: _memento, properties: _properties, ...written } = record;
  return JSON.stringify(written satisfies WrittenAttempt);
}

export function readFailure(text: string): FailureRecord {
  const written = JSON.parse(text) as Written;
  const { type, message, stack } = written.exception;
  return { ...written, type, message, stack };
}

/** Reads an attempt from its own text, or from that of a whole failure. */
export function readAttempt(text: string): AttemptRecord {
  const { run, attempt, kind, rule, exception, startedAt, endedAt, retryAt, worker, release } = JSON.parse(text) as WrittenAttempt;
  const { type, message, stack } = exception;
  return { run, attempt, kind, rule, type, message, stack, exception, startedAt, endedAt, retryAt, worker, release };
}
