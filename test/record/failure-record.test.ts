import { expect, it } from 'vitest';
import { buildFailureRecord, type FailureFacts } from '../../src/record/failure-record.ts';
import { createRedactor, type Redactor } from '../../src/record/redaction.ts';

const facts: FailureFacts = {
  eventId: '0193b3a0-0000-7000-8000-000000000001',
  jobId: '0193b3a0-0000-7000-8000-000000000002',
  connection: 'default',
  queue: 'payments',
  job: 'cards.charge',
  memento: '{"properties":{"card":"4242"}}',
  properties: { card: '4242' },
  createdAt: 1,
  kind: 'exception',
  rule: 'max-attempts',
  thrown: new TypeError('card 4242 was declined'),
  run: 1,
  attempt: 3,
  maxAttempts: 3,
  startedAt: 2,
  endedAt: 3,
  retryAt: null,
  worker: { host: 'h', pid: 1, pool: 'p' },
  release: null,
};

it('records a failure whole', () => {
  const record = buildFailureRecord(facts, createRedactor([]));
  expect(record).toMatchObject({ type: 'TypeError', message: 'card 4242 was declined', properties: { card: '4242' } });
});

it('says what is certain, and nothing unredacted, where a rule of redaction throws', () => {
  const broken: Redactor = {
    ...createRedactor([]),
    forJob: () => {
      throw new RangeError('could not redact 4242');
    },
  };
  const record = buildFailureRecord(facts, broken);
  expect(record).toMatchObject({
    jobId: facts.jobId,
    attempt: 3,
    kind: 'exception',
    rule: 'max-attempts',
    type: 'UnrecordableException',
    detail: 'Recording it ended with RangeError',
    properties: null,
  });
  expect(record.fingerprint).toMatch(/^[0-9a-f]+$/);
  expect(JSON.stringify({ ...record, memento: '' })).not.toContain('4242');
});
