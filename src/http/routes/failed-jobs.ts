import { z } from '@hono/zod-openapi';
import { readFilter, writeFilter } from '../../failure/filter.ts';
import type { Redrive } from '../../redrive.ts';
import { idOf, noFailedJob } from '../ids.ts';
import { jsonOf, operation, type Operation } from '../operation.ts';
import type { ResolvedHttp } from '../options.ts';
import { linkTo, page } from '../paging.ts';
import { rqFailedJob } from '../rq-shapes.ts';
import { failedJobSchema } from '../schemas/failed-job.ts';
import { filterQuery } from '../schemas/filter.ts';
import { rqFailedJobSchema } from '../schemas/rq.ts';
import { jobIdParam } from '../schemas/values.ts';

/** Looking at failed jobs. */
export function failedJobs(redrive: Redrive, { basePath, clock }: ResolvedHttp): readonly Operation[] {
  return [
    operation({
      id: 'listFailedJobs',
      method: 'get',
      path: '/api/v1/jobs/failed',
      tag: 'Failed jobs',
      summary: 'List failed jobs, newest first',
      query: z.strictObject({ ...filterQuery, ...page, order: z.enum(['newest', 'oldest']).default('newest') }),
      answer: z.array(rqFailedJobSchema),
      answerDescription: 'A page of failed jobs.',
      headers: { Link: 'Where there are more: the address of the next page, with `rel="next"`.' },
      async handle({ query: { limit, cursor, order, ...texts }, header }) {
        const filter = readFilter(texts, clock.now());
        const found = await redrive.failedJobs.list(filter, { limit, order, ...(cursor === undefined ? {} : { cursor }) });
        // With absolute times: `since=24h` would be another filter by the time it is followed, and the cursor not one of it.
        if (found.cursor !== undefined)
          header('Link', linkTo(`${basePath}/api/v1/jobs/failed`, { ...writeFilter(filter), limit, order, cursor: found.cursor }));
        return found.items.map(rqFailedJob);
      },
    }),
    operation({
      id: 'showFailedJob',
      method: 'get',
      path: '/api/v1/jobs/failed/{job_id}',
      tag: 'Failed jobs',
      summary: 'Everything about one failed job',
      description: 'The whole exception with its causes, and every failed attempt of every run in `history`.',
      params: jobIdParam,
      answer: failedJobSchema,
      answerDescription: 'The failed job.',
      faults: ['FAILED_JOB_UNKNOWN'],
      async handle({ params: { job_id: text } }) {
        const id = idOf(text);
        const found = id === undefined ? undefined : await redrive.failedJobs.find(id);
        if (found === undefined) throw noFailedJob(text);
        return jsonOf(found);
      },
    }),
  ];
}
