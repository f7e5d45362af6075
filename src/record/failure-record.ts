import type { JsonObject } from '../job/json.ts';
import { detailOf, extendedInfoOf } from './exception-summary.ts';
import { snapshotException } from './exception-snapshot.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Redactor } from './redaction.ts';
import type { ExceptionSnapshot, FailureRecord } from './types.ts';

/** What is known of a failed attempt before anything of it is written down. */
export interface FailureFacts extends Omit<
  FailureRecord,
  'properties' | 'type' | 'message' | 'detail' | 'extendedInfo' | 'stack' | 'exception' | 'fingerprint'
> {
  /** What was thrown: anything. */
  readonly thrown: unknown;
  /** As dispatched; null where the payload could not be read. */
  readonly properties: JsonObject | null;
}

/**
 * Turns a failure into plain data: total, redacted, fingerprinted. Never throws: a fault of ours, or of a redaction rule, costs the
 * record what it could not say, and never the job its outcome.
 */
export function buildFailureRecord(facts: FailureFacts, redactor: Redactor): FailureRecord {
  try {
    return wholeRecord(facts, redactor);
  } catch (error) {
    return plainRecord(facts, error);
  }
}

function wholeRecord(facts: FailureFacts, redactor: Redactor): FailureRecord {
  const { thrown, properties, ...rest } = facts;
  const own = redactor.forJob(properties);
  // Detail and extended info are taken from what is left of the exception, so that its rules hold for them too.
  const exception = own.exception(snapshotException(thrown));
  const detail = detailOf(thrown, exception);
  const extendedInfo = extendedInfoOf(thrown, exception);
  return {
    ...rest,
    properties: own.json(properties, 'properties'),
    type: exception.type,
    message: exception.message,
    detail: detail === null ? null : own.text(detail, 'detail'),
    extendedInfo: extendedInfo === null ? null : own.json(extendedInfo, 'extendedInfo'),
    stack: exception.stack,
    exception,
    fingerprint: fingerprintOf({ job: facts.job, exception }),
  };
}

/** What is certain: nothing of the exception and the properties, which nobody has redacted. */
function plainRecord(facts: FailureFacts, fault: unknown): FailureRecord {
  const { thrown: _thrown, properties: _properties, ...rest } = facts;
  const exception: ExceptionSnapshot = {
    type: 'UnrecordableException',
    message: 'What the job threw could not be recorded',
    stack: '',
    truncated: true,
  };
  const { type, message, stack } = exception;
  // Its message may quote what it could not redact.
  const detail = `Recording it ended with ${fault instanceof Error ? fault.name : typeof fault}`;
  const fingerprint = fingerprintOf({ job: facts.job, exception });
  return { ...rest, properties: null, type, message, detail, extendedInfo: null, stack, exception, fingerprint };
}
