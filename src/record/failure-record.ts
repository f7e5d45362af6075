import type { JsonObject } from '../job/json.ts';
import { detailOf, extendedInfoOf } from './exception-summary.ts';
import { snapshotException } from './exception-snapshot.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Redactor } from './redaction.ts';
import type { FailureRecord } from './types.ts';

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

/** Turns a failure into plain data: total, redacted, fingerprinted. Never throws. */
export function buildFailureRecord(facts: FailureFacts, redactor: Redactor): FailureRecord {
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
