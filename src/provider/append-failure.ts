import type { AppendedFailure, FailureLog } from '../record/failure-log.ts';
import type { FailureRecord } from '../record/types.ts';
import type { QueueProvider } from './queue-provider.ts';

/**
 * Writes a failed job to a log in another database than the jobs. Somebody may have forgotten the job since it failed, when another
 * process had written it before: then it must not come back. Undefined where it is gone.
 */
export async function appendFailure(log: FailureLog, provider: QueueProvider, record: FailureRecord): Promise<AppendedFailure | undefined> {
  const [appended] = await log.append([record]);
  if (appended === undefined || (await provider.find(record.jobId)) !== undefined) return appended;
  const stored = await log.find(appended.id);
  // A job that was retried meanwhile, and is gone because it succeeded, stays on record.
  if (stored?.status === 'failed' && stored.run === record.run) await log.forget([stored.id]);
  return undefined;
}
