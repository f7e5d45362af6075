import { z } from '@hono/zod-openapi';
import { isRedriveError } from '../../errors.ts';
import type { FailedJob } from '../../failure/failed-job.ts';
import type { Redrive } from '../../redrive.ts';
import { idOf, noJob } from '../ids.ts';
import { operation, type Operation } from '../operation.ts';
import { rqJobStatus, rqQueue, rqStatusOfFailed } from '../rq-shapes.ts';
import { rqJobStatusSchema, rqQueueSchema } from '../schemas/rq.ts';
import { jobIdParam, nameText } from '../schemas/values.ts';

/** What became of a job, and the queues in numbers. */
export function jobs(redrive: Redrive): readonly Operation[] {
  return [
    operation({
      id: 'jobStatus',
      method: 'get',
      path: '/api/v1/jobs/status/{job_id}',
      tag: 'Jobs',
      summary: 'What became of a job',
      description: 'A completed job is known while its connection keeps it (`keepCompleted`).',
      params: jobIdParam,
      answer: rqJobStatusSchema,
      answerDescription: 'The job.',
      faults: ['JOB_NOT_FOUND'],
      async handle({ params: { job_id: text } }) {
        const status = await statusOf(redrive, text);
        if (status === undefined) throw noJob(text);
        return status;
      },
    }),
    operation({
      id: 'queueStats',
      method: 'get',
      path: '/api/v1/jobs/stats',
      tag: 'Jobs',
      summary: 'Every queue in numbers, or one',
      description: 'What waits for a delay or for another attempt counts as queued.',
      query: z.strictObject({ queue: nameText.optional().openapi({ description: 'Only this queue: the answer is no array then.' }) }),
      answer: z.union([rqQueueSchema, z.array(rqQueueSchema)]),
      answerDescription: 'The queue, or without `queue` an array of all.',
      async handle({ query: { queue } }) {
        return queue === undefined ? (await redrive.stats()).map(rqQueue) : rqQueue(await redrive.stats(queue));
      },
    }),
  ];
}

async function statusOf(redrive: Redrive, text: string): Promise<z.infer<typeof rqJobStatusSchema> | undefined> {
  const id = idOf(text);
  if (id === undefined) return undefined;
  const jobId = typeof id === 'string' ? id : (await failedIfLogged(redrive, id))?.jobId;
  const job = typeof jobId === 'string' ? await redrive.status(jobId, { withProperties: true }) : undefined;
  if (job !== undefined) return rqJobStatus(job);
  // What an old cbq wrote has no job of its own, and a backend may have dropped one whose failure is still on record.
  const failed = await failedIfLogged(redrive, id);
  return failed === undefined ? undefined : rqStatusOfFailed(failed);
}

/** Without a failed-jobs log there is no failed job of that id; the rest of the status is still to be had. */
async function failedIfLogged(redrive: Redrive, id: string | number): Promise<FailedJob | undefined> {
  try {
    return await redrive.failedJobs.find(id);
  } catch (error) {
    if (isRedriveError(error, 'FAILED_JOBS_OFF')) return undefined;
    throw error;
  }
}
