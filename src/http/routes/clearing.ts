import { z } from '@hono/zod-openapi';
import { readFilter } from '../../failure/filter.ts';
import type { Redrive } from '../../redrive.ts';
import { HttpFault } from '../http-fault.ts';
import { idOf, noFailedJob } from '../ids.ts';
import { operation, type Operation } from '../operation.ts';
import type { ResolvedHttp } from '../options.ts';
import { rqCleared } from '../rq-shapes.ts';
import { filterQuery } from '../schemas/filter.ts';
import { rqClearedSchema, rqDoneSchema } from '../schemas/rq.ts';
import { byText, jobIdParam } from '../schemas/values.ts';

/** Removing failed jobs for good. */
export function clearing(redrive: Redrive, { clock }: ResolvedHttp): readonly Operation[] {
  return [
    operation({
      id: 'clearFailedJobs',
      method: 'delete',
      path: '/api/v1/jobs/failed/clear',
      tag: 'Clearing',
      summary: 'Remove all failed jobs, or those that match the parameters',
      description: 'With their attempts, for good. Those that are being retried stay.',
      query: z.strictObject({ ...filterQuery, by: byText }),
      answer: rqClearedSchema,
      answerDescription: 'What became of each.',
      async handle({ query: { by: _by, ...texts }, by }) {
        return rqCleared(await redrive.failedJobs.forget(readFilter(texts, clock.now()), { by }));
      },
    }),
    operation({
      id: 'deleteFailedJob',
      method: 'delete',
      path: '/api/v1/jobs/failed/{job_id}',
      tag: 'Clearing',
      summary: 'Remove one failed job',
      description: 'With its attempts, for good. One that is being retried stays.',
      params: jobIdParam,
      query: z.strictObject({ by: byText }),
      answer: rqDoneSchema,
      answerDescription: 'It is gone.',
      faults: ['FAILED_JOB_UNKNOWN', 'BEING_RETRIED'],
      async handle({ params: { job_id: text }, by }) {
        const id = idOf(text);
        if (id === undefined) throw noFailedJob(text);
        const jobId = typeof id === 'string' ? id : ((await redrive.failedJobs.find(id))?.jobId ?? text);
        const { outcomes } = await redrive.failedJobs.forget([id], { by });
        const status = outcomes[0]?.status ?? 'not_found';
        if (status === 'not_found') throw noFailedJob(text);
        if (status === 'retrying') throw new HttpFault('BEING_RETRIED', `Job ${text} is being retried; it is no failed job at this moment`);
        return { success: true as const, job_id: jobId, message: `Job ${jobId} has been deleted successfully` };
      },
    }),
  ];
}
