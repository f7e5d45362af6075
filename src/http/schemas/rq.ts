import { z } from '@hono/zod-openapi';
import { count, json, time } from './values.ts';

// The bodies of the seven endpoints of the RQ job-management API, field by field.

const what = {
  job_id: z.string(),
  func_name: z.string().openapi({ description: "The job's name." }),
  args: z.array(z.unknown()).openapi({ description: 'Always empty: a job has properties.' }),
  kwargs: json.openapi({ description: "The job's properties, redacted." }),
};

export const rqFailedJobSchema = z
  .object({
    ...what,
    created_at: time.nullable(),
    ended_at: time,
    exc_info: z.string().openapi({ description: 'The stack with its causes.' }),
    result: z.null(),
  })
  .openapi('RqFailedJob');

export const rqJobStatusSchema = z
  .object({
    ...what,
    status: z.enum(['queued', 'picked', 'successful', 'failed', 'canceled']),
    created_at: time.nullable(),
    started_at: time.nullable(),
    ended_at: time.nullable(),
    result: json.openapi({ description: 'What the job returned, while it is kept; else null.' }),
    exc_info: z.string().nullable(),
    is_finished: z.boolean(),
    is_failed: z.boolean(),
    is_started: z.boolean(),
    is_queued: z.boolean(),
  })
  .openapi('RqJobStatus');

export const rqDoneSchema = z.object({ success: z.literal(true), job_id: z.string(), message: z.string() }).openapi('RqDone');

const errors = z.array(z.object({ job_id: z.string(), error: z.string() }));

export const rqRetriedAllSchema = z
  .object({
    success: z.boolean(),
    total_failed: count,
    requeued_count: count,
    error_count: count,
    requeued_jobs: z.array(z.string()),
    errors,
    would_requeue: z.array(z.string()).optional().openapi({ description: 'With `dry_run`: what would move.' }),
  })
  .openapi('RqRetriedAll');

export const rqClearedSchema = z
  .object({
    success: z.boolean(),
    total_failed: count,
    deleted_count: count,
    error_count: count,
    deleted_jobs: z.array(z.string()),
    errors,
  })
  .openapi('RqCleared');

export const rqQueueSchema = z
  .object({ queue_name: z.string(), queued_count: count, failed_count: count, started_count: count, finished_count: count })
  .openapi('RqQueue');
