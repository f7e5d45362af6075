import { RedriveError } from '../errors.ts';
import type { FailureLog } from '../record/failure-log.ts';

/** The failed-jobs log. Throws `FAILED_JOBS_OFF` where there is none. */
export function onlyIfOn(log: FailureLog | undefined): FailureLog {
  if (log !== undefined) return log;
  throw new RedriveError('FAILED_JOBS_OFF', 'The failed-jobs log is off; set logFailedJobs: true in the config');
}
