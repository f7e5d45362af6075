import type { AuditNote } from '../../../src/record/audit-log.ts';
import type { FailureLogScripts } from '../../../src/record/failure-log.ts';
import type { Script } from '../../../src/store/script.ts';

/** Where an act is to be written down; either is undefined where it is not. */
export interface AuditPlace {
  readonly log: FailureLogScripts | undefined;
  readonly audit: AuditNote | undefined;
}

/** Runs a script and writes down, in the same transaction, what it was done to; nothing where that is nothing. */
export function* audited<T>(script: Script<T>, { log, audit }: AuditPlace, done: (result: T) => readonly string[]): Script<T> {
  const result = yield* script;
  if (log === undefined || audit === undefined) return result;
  const ids = done(result);
  if (ids.length > 0) yield* log.audit.record({ ...audit, ids });
  return result;
}
