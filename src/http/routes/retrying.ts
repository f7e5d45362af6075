import { z } from '@hono/zod-openapi';
import type { RetryOptions, RetryOutcome } from '../../failure/failed-job.ts';
import { readFilter } from '../../failure/filter.ts';
import type { Redrive } from '../../redrive.ts';
import { HttpFault, type HttpCode } from '../http-fault.ts';
import { idOf, noFailedJob } from '../ids.ts';
import { operation, type Operation } from '../operation.ts';
import type { ResolvedHttp } from '../options.ts';
import { bulkRetriesPath, shown } from './bulk-retries.ts';
import { rqRetriedAll } from '../rq-shapes.ts';
import { bulkRetrySchema } from '../schemas/bulk-retry.ts';
import { filterBody } from '../schemas/filter.ts';
import { retriedSchema } from '../schemas/outcomes.ts';
import { rqDoneSchema, rqRetriedAllSchema } from '../schemas/rq.ts';
import { placement, placementOf, properties } from '../schemas/placement.ts';
import { jobIdParam, rateText } from '../schemas/values.ts';

const dryRun = z.boolean().optional().openapi({ description: 'Change nothing, and say what would move.' });

const oneFaults = ['FAILED_JOB_UNKNOWN', 'NOT_FAILED', 'ALREADY_EXISTS', 'NOT_RETRIABLE'] as const satisfies readonly HttpCode[];

/** Putting failed jobs back to work. */
export function retrying(redrive: Redrive, { basePath, clock }: ResolvedHttp): readonly Operation[] {
  return [
    operation({
      id: 'retryAllFailedJobs',
      method: 'post',
      path: '/api/v1/jobs/failed/retry-all',
      tag: 'Retrying',
      summary: 'Put back all failed jobs, or those that match a filter',
      description:
        'What matches is fixed when the call starts. A job that cannot be put back is in `errors`, and holds up no other. With a `rate` it may take long: the answer is a 202 with a bulk retry.',
      body: z.strictObject({
        filter: filterBody.optional(),
        dry_run: dryRun,
        rate: rateText,
        ...placement,
      }),
      answer: z.union([rqRetriedAllSchema, bulkRetrySchema]),
      answerDescription: '200: what became of each. 202: with a `rate`, the bulk retry that was started.',
      statuses: [200, 202],
      async handle({ body: { filter: texts = {}, dry_run: isDry = false, rate, ...rest }, by, header, status }) {
        const filter = readFilter(texts, clock.now());
        const how = placementOf({ ...rest, by });
        if (rate !== undefined && !isDry) {
          const started = await redrive.failedJobs.bulkRetry(filter, { ...how, rate });
          header('Location', `${basePath}${bulkRetriesPath}/${started.id}`);
          status(202);
          return shown(started);
        }
        return rqRetriedAll(await redrive.failedJobs.retry(filter, { ...how, dryRun: isDry }));
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
      faults: oneFaults,
      async handle({ params: { job_id: text }, body, by }) {
        const { id } = await retryOne(redrive, text, placementOf({ ...body, by }));
        const jobId = typeof id === 'string' ? id : ((await redrive.failedJobs.find(id))?.jobId ?? text);
        return { success: true as const, job_id: jobId, message: `Job ${jobId} has been requeued successfully` };
      },
    }),
    operation({
      id: 'editAndRetryFailedJob',
      method: 'post',
      path: '/api/v1/jobs/failed/{job_id}/edit-and-retry',
      tag: 'Retrying',
      summary: 'Put one failed job back with other properties',
      description:
        'The change is a JSON merge patch (RFC 7396) on the real properties, in which null removes a key. The failed job keeps the original. Properties as they are shown are no patch: what was removed from them would be lost, and they are refused.',
      params: jobIdParam,
      body: z.strictObject({ properties: properties.openapi({ example: { card: 'card_43' } }), dry_run: dryRun, ...placement }),
      bodyRequired: true,
      answer: retriedSchema,
      answerDescription: 'It is queued again as edited; with `dry_run` it would be.',
      faults: oneFaults,
      async handle({ params: { job_id: text }, body: { properties: patch, dry_run: isDry = false, ...rest }, by }) {
        const outcome = await retryOne(redrive, text, { ...placementOf({ ...rest, by }), properties: patch, dryRun: isDry });
        return { requeued: isDry ? 0 : 1, outcomes: [outcome] };
      },
    }),
  ];
}

/** Puts one failed job back, or would; throws what stands in the way. */
async function retryOne(redrive: Redrive, text: string, options: RetryOptions): Promise<RetryOutcome> {
  const id = idOf(text);
  if (id === undefined) throw noFailedJob(text);
  const { outcomes } = await redrive.failedJobs.retry(id, options);
  const [outcome = { id, status: 'error' }] = outcomes;
  if (outcome.status !== 'requeued' && outcome.status !== 'would_requeue') throw faultOf(outcome, text);
  return outcome;
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
