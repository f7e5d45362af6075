import { z } from '@hono/zod-openapi';
import type { RetryOptions, RetryOutcome } from '../../failure/failed-job.ts';
import { readFilter } from '../../failure/filter.ts';
import type { Redrive } from '../../redrive.ts';
import { HttpFault } from '../http-fault.ts';
import { idOf, noFailedJob } from '../ids.ts';
import { operation, type Operation } from '../operation.ts';
import type { ResolvedHttp } from '../options.ts';
import { rqRetriedAll } from '../rq-shapes.ts';
import { filterBody } from '../schemas/filter.ts';
import { rqDoneSchema, rqRetriedAllSchema } from '../schemas/rq.ts';
import { byText, delayText, jobIdParam, nameText, noteText } from '../schemas/values.ts';

/** How a retried job is put back. */
const placement = {
  delay: delayText,
  queue: nameText.optional().openapi({ description: 'Put it on this queue. Default: the one it came from.' }),
  at_front: z.boolean().optional().openapi({ description: 'Put it ahead of what is ready.' }),
  note: noteText.optional().openapi({ description: 'Why, for the record.' }),
  by: byText,
};

/** Putting failed jobs back to work. */
export function retrying(redrive: Redrive, { clock }: ResolvedHttp): readonly Operation[] {
  return [
    operation({
      id: 'retryAllFailedJobs',
      method: 'post',
      path: '/api/v1/jobs/failed/retry-all',
      tag: 'Retrying',
      summary: 'Put back all failed jobs, or those that match a filter',
      description: 'What matches is fixed when the call starts. A job that cannot be put back is in `errors`, and holds up no other.',
      body: z.strictObject({
        filter: filterBody.optional(),
        dry_run: z.boolean().optional().openapi({ description: 'Change nothing, and say what would move.' }),
        ...placement,
      }),
      answer: rqRetriedAllSchema,
      answerDescription: 'What became of each.',
      async handle({ body: { filter = {}, dry_run: dryRun, ...rest }, by }) {
        const options = { ...optionsOf({ ...rest, by }), ...(dryRun === undefined ? {} : { dryRun }) };
        return rqRetriedAll(await redrive.failedJobs.retry(readFilter(filter, clock.now()), options));
      },
    }),
    operation({
      id: 'retryFailedJob',
      method: 'post',
      path: '/api/v1/jobs/failed/{job_id}/retry',
      tag: 'Retrying',
      summary: 'Put one failed job back on its queue',
      description: 'The same job under the same id, its attempts from 0, its history kept. Of two calls at once exactly one succeeds.',
      params: jobIdParam,
      body: z.strictObject(placement),
      answer: rqDoneSchema,
      answerDescription: 'It is queued again.',
      faults: ['FAILED_JOB_UNKNOWN', 'NOT_FAILED', 'ALREADY_EXISTS', 'NOT_RETRIABLE'],
      async handle({ params: { job_id: text }, body, by }) {
        const jobId = await retryOne(redrive, text, optionsOf({ ...body, by }));
        return { success: true as const, job_id: jobId, message: `Job ${jobId} has been requeued successfully` };
      },
    }),
  ];
}

type Placement = Partial<z.infer<z.ZodObject<typeof placement>>> & { readonly by: string };

function optionsOf({ delay: wait, queue, at_front: atFront, note: why, by: who }: Placement): RetryOptions {
  return {
    by: who,
    ...(wait === undefined ? {} : { delay: wait }),
    ...(queue === undefined ? {} : { queue }),
    ...(atFront === undefined ? {} : { atFront }),
    ...(why === undefined ? {} : { note: why }),
  };
}

/** Puts one failed job back and returns its job id; throws what stands in the way. */
async function retryOne(redrive: Redrive, text: string, options: RetryOptions): Promise<string> {
  const id = idOf(text);
  if (id === undefined) throw noFailedJob(text);
  const { outcomes } = await redrive.failedJobs.retry(id, options);
  const [outcome = { id, status: 'error' }] = outcomes;
  if (outcome.status !== 'requeued') throw faultOf(outcome, text);
  return typeof id === 'string' ? id : ((await redrive.failedJobs.find(id))?.jobId ?? text);
}

function faultOf({ status, detail }: RetryOutcome, text: string): HttpFault {
  const because = detail === undefined ? '' : `: ${detail}`;
  switch (status) {
    case 'not_found':
      return noFailedJob(text);
    case 'not_failed':
      return new HttpFault('NOT_FAILED', `Job ${text} is not failed${because}`);
    case 'duplicate':
      return new HttpFault('ALREADY_EXISTS', `Job ${text} was not requeued${because}`);
    case 'requeued':
    case 'would_requeue':
    case 'error':
      return new HttpFault('NOT_RETRIABLE', `Job ${text} cannot be requeued${because}`);
  }
}
