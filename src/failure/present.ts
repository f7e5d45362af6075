import type { AttemptRecord } from '../record/attempt-record.ts';
import type { StoredFailedJob } from '../record/failure-log.ts';
import type { Redactor } from '../record/redaction.ts';
import type { AttemptHistory, FailedJob } from './failed-job.ts';

/**
 * A stored failed job as it is shown: without its memento, times as `Date`. Redacted once more, since a rule may
 * be younger than the row.
 */
export function presentFailedJob(stored: StoredFailedJob, redactor: Redactor, attempts?: readonly AttemptRecord[]): FailedJob {
  const {
    memento: _memento,
    editedMemento: _edited,
    seq: _seq,
    place: _place,
    rule: _rule,
    createdAt,
    failedAt,
    release,
    note,
    ...plain
  } = stored;
  // What cbq wrote was never redacted: what was removed from its properties may stand in its texts.
  const own = stored.rule === null ? redactor.forJob(stored.properties) : redactor;
  const shown = redactor.active ? redact({ ...plain }, own) : plain;
  return {
    ...shown,
    createdAt: createdAt === null ? null : new Date(createdAt),
    failedAt: new Date(failedAt),
    ...(release === null ? {} : { release }),
    ...(note === null ? {} : { note }),
    ...(attempts === undefined ? {} : { history: attempts.map((attempt) => presentAttempt(attempt, redactor)) }),
  };
}

function presentAttempt(attempt: AttemptRecord, redactor: Redactor): AttemptHistory {
  const { run, kind, type, worker, rule, release, retryAt, startedAt, endedAt } = attempt;
  return {
    run,
    attempt: attempt.attempt,
    kind,
    type,
    message: redactor.text(attempt.message),
    stack: redactor.text(attempt.stack),
    startedAt: startedAt === null ? null : new Date(startedAt),
    endedAt: new Date(endedAt),
    worker,
    ...(release === null ? {} : { release }),
    ...(retryAt === null ? {} : { retryAt: new Date(retryAt), delay: Math.max(0, retryAt - endedAt) / 1_000 }),
    rule,
  };
}

type Plain = Omit<StoredFailedJob, 'memento' | 'editedMemento' | 'seq' | 'place' | 'rule' | 'createdAt' | 'failedAt' | 'release' | 'note'>;

function redact(plain: Plain, redactor: Redactor): Plain {
  const { properties, message, detail, extendedInfo, stack, exception } = plain;
  return {
    ...plain,
    properties: redactor.json(properties, 'properties'),
    message: redactor.text(message),
    detail: detail === null ? null : redactor.text(detail),
    extendedInfo: extendedInfo === null ? null : redactor.json(extendedInfo, 'extendedInfo'),
    stack: redactor.text(stack),
    exception: redactor.exception(exception),
  };
}
