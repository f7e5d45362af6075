import { z } from '@hono/zod-openapi';
import type { Redrive } from '../../redrive.ts';
import { HttpFault } from '../http-fault.ts';
import { idOf, isJobId, noFailedJob } from '../ids.ts';
import { jsonOf, operation, type Operation } from '../operation.ts';
import { markedSchema, resolvedSchema } from '../schemas/outcomes.ts';
import { byText, jobIdParam, noteText } from '../schemas/values.ts';

/** What people decide about jobs without running them again. */
export function settling(redrive: Redrive): readonly Operation[] {
  return [
    operation({
      id: 'markFailed',
      method: 'post',
      path: '/api/v1/jobs/failed/mark',
      tag: 'Failed jobs',
      summary: 'Make failed jobs, held for a person, of jobs that have not started',
      description: 'Their kind is `manual`. Running ones are refused, by id.',
      body: z.strictObject({
        job_ids: z
          .array(z.string().refine(isJobId, 'is no job id'))
          .min(1, 'must name a job')
          .max(1_000, 'must not be more than 1,000')
          .openapi({ description: 'Ids of queued jobs, 1,000 at most.', example: ['0190f5a0-7c2e-7cc0-9f3b-2f0d5f9c1a11'] }),
        reason: noteText.optional().openapi({ description: 'Why: the message of the failed job.', example: 'the customer has left' }),
        by: byText,
      }),
      bodyRequired: true,
      answer: markedSchema,
      answerDescription: 'What became of each.',
      async handle({ body: { job_ids: jobIds, reason }, by }) {
        return jsonOf(await redrive.failedJobs.markFailed(jobIds, { by, ...(reason === undefined ? {} : { reason }) }));
      },
    }),
    operation({
      id: 'resolveFailedJob',
      method: 'post',
      path: '/api/v1/jobs/failed/{job_id}/resolve',
      tag: 'Failed jobs',
      summary: 'Take a failed job off the list that was dealt with otherwise',
      description: 'It stays on record as `resolved`.',
      params: jobIdParam,
      body: z.strictObject({ note: noteText.optional().openapi({ description: 'What was done, for the record.' }), by: byText }),
      answer: resolvedSchema,
      answerDescription: 'It is resolved.',
      faults: ['FAILED_JOB_UNKNOWN', 'NOT_FAILED'],
      async handle({ params: { job_id: text }, body: { note }, by }) {
        const id = idOf(text);
        if (id === undefined) throw noFailedJob(text);
        const result = await redrive.failedJobs.resolve([id], { by, ...(note === undefined ? {} : { note }) });
        const status = result.outcomes[0]?.status ?? 'not_found';
        if (status === 'not_found') throw noFailedJob(text);
        if (status === 'not_failed') throw new HttpFault('NOT_FAILED', `Job ${text} is not failed`);
        return jsonOf(result);
      },
    }),
  ];
}
