import type { FailureRecord } from '../../../src/record/types.ts';

/** A record of a failure, with what matters to a test. */
export function failureRecord(said: Partial<FailureRecord> & { readonly jobId: string }): FailureRecord {
  const message = said.message ?? 'refused';
  const exception = said.exception ?? { type: said.type ?? 'TypeError', message, stack: `TypeError: ${message}\n    at here` };
  return {
    eventId: `event of ${said.jobId}`,
    connection: 'main',
    queue: 'default',
    job: 'deliver',
    memento: '{"id":"x"}',
    properties: { url: 'http://one.example' },
    createdAt: 1_000,
    kind: 'exception',
    rule: 'max-attempts',
    type: exception.type,
    message,
    detail: null,
    extendedInfo: null,
    stack: exception.stack,
    fingerprint: '0123456789abcdef',
    run: 1,
    attempt: 1,
    maxAttempts: 1,
    startedAt: 2_000,
    endedAt: 3_000,
    retryAt: null,
    worker: { host: 'host', pid: 7, pool: 'pool' },
    release: null,
    ...said,
    exception,
  };
}
