import type { z } from '@hono/zod-openapi';
import type { FailedJob, ForgetResult, RetryResult } from '../failure/failed-job.ts';
import type { JobStatus } from '../job-desk.ts';
import type { QueueStats } from '../provider/queue-provider.ts';
import { exceptionText } from './exception-text.ts';
import type { rqClearedSchema, rqFailedJobSchema, rqJobStatusSchema, rqQueueSchema, rqRetriedAllSchema } from './schemas/rq.ts';

// What Redrive knows, in the words of the RQ job-management API.

export function rqFailedJob(failed: FailedJob): z.infer<typeof rqFailedJobSchema> {
  return {
    // A row that an old cbq wrote has a number only, and is found by it.
    job_id: failed.jobId ?? String(failed.id),
    func_name: failed.job,
    args: [],
    kwargs: failed.properties,
    created_at: failed.createdAt?.toISOString() ?? null,
    ended_at: failed.failedAt.toISOString(),
    exc_info: exceptionText(failed.exception),
    result: null,
  };
}

/** A status that was asked for with its properties. */
export function rqJobStatus(job: JobStatus): z.infer<typeof rqJobStatusSchema> {
  const { id, name, status, createdAt, startedAt, endedAt, result, exception, properties } = job;
  return {
    job_id: id,
    status,
    func_name: name,
    args: [],
    kwargs: properties ?? null,
    created_at: createdAt.toISOString(),
    started_at: startedAt?.toISOString() ?? null,
    ended_at: endedAt?.toISOString() ?? null,
    result: result ?? null,
    exc_info: exception === undefined ? null : exceptionText(exception),
    is_finished: status === 'successful',
    is_failed: status === 'failed',
    is_started: status === 'picked',
    is_queued: status === 'queued',
  };
}

/** The same of a job of which only its failure is known any more. */
export function rqStatusOfFailed(failed: FailedJob): z.infer<typeof rqJobStatusSchema> {
  const { job_id, func_name, args, kwargs, created_at, ended_at, exc_info } = rqFailedJob(failed);
  const status = failed.status === 'failed' ? 'failed' : failed.status === 'retrying' ? 'queued' : 'successful';
  return {
    job_id,
    status,
    func_name,
    args,
    kwargs,
    created_at,
    started_at: null,
    ended_at: status === 'queued' ? null : ended_at,
    result: null,
    exc_info,
    is_finished: status === 'successful',
    is_failed: status === 'failed',
    is_started: false,
    is_queued: status === 'queued',
  };
}

export function rqRetriedAll({ outcomes, requeued }: RetryResult): z.infer<typeof rqRetriedAllSchema> {
  const idsOf = (status: string): string[] => outcomes.filter((outcome) => outcome.status === status).map(({ id }) => String(id));
  const errors = outcomes
    .filter(({ status }) => status !== 'requeued' && status !== 'would_requeue')
    .map(({ id, status, detail }) => ({ job_id: String(id), error: detail === undefined ? status : `${status}: ${detail}` }));
  const wouldMove = idsOf('would_requeue');
  return {
    success: errors.length === 0,
    total_failed: outcomes.length,
    requeued_count: requeued,
    error_count: errors.length,
    requeued_jobs: idsOf('requeued'),
    errors,
    ...(wouldMove.length === 0 ? {} : { would_requeue: wouldMove }),
  };
}

export function rqCleared({ outcomes, removed }: ForgetResult): z.infer<typeof rqClearedSchema> {
  const errors = outcomes.filter(({ status }) => status !== 'removed').map(({ id, status }) => ({ job_id: String(id), error: status }));
  return {
    success: errors.length === 0,
    total_failed: outcomes.length,
    deleted_count: removed,
    error_count: errors.length,
    deleted_jobs: outcomes.filter(({ status }) => status === 'removed').map(({ id }) => String(id)),
    errors,
  };
}

export function rqQueue({ queue, ready, delayed, reserved, failed, completed }: QueueStats): z.infer<typeof rqQueueSchema> {
  return {
    queue_name: queue,
    // What waits for its delay or its backoff is queued, as `status` says of it.
    queued_count: ready + delayed,
    failed_count: failed,
    started_count: reserved,
    finished_count: completed,
  };
}
