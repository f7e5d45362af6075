import { z } from '@hono/zod-openapi';
import { readFilter, writeFilter } from '../../failure/filter.ts';
import type { Redrive } from '../../redrive.ts';
import { idOf, noFailedJob } from '../ids.ts';
import { jsonOf, operation, type Operation } from '../operation.ts';
import type { ResolvedHttp } from '../options.ts';
import { linkTo, page, upTo } from '../paging.ts';
import { rqFailedJob } from '../rq-shapes.ts';
import { failedJobSchema } from '../schemas/failed-job.ts';
import { figuresSchema, groupSchema } from '../schemas/figures.ts';
import { filterQuery } from '../schemas/filter.ts';
import { rqFailedJobSchema } from '../schemas/rq.ts';
import { jobIdParam } from '../schemas/values.ts';

const partialHeader = 'Redrive-Partial';

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
      headers: {
        Link: 'Where there are more: the address of the next page, with `rel="next"`.',
        [partialHeader]: '`true` where a search ended after a second with what it had; the next page goes on with it.',
      },
      async handle({ query: { limit, cursor, order, ...texts }, header }) {
        const filter = readFilter(texts, clock.now());
        const found = await redrive.failedJobs.list(filter, { limit, order, ...(cursor === undefined ? {} : { cursor }) });
        // With absolute times: `since=24h` would be another filter by the time it is followed, and the cursor not one of it.
        if (found.cursor !== undefined)
          header('Link', linkTo(`${basePath}/api/v1/jobs/failed`, { ...writeFilter(filter), limit, order, cursor: found.cursor }));
        if (found.partial === true) header(partialHeader, 'true');
        return found.items.map(rqFailedJob);
      },
    }),
    operation({
      id: 'groupFailedJobs',
      method: 'get',
      path: '/api/v1/jobs/failed/groups',
      tag: 'Failed jobs',
      summary: 'Failed jobs by their cause, the largest group first',
      description: 'Failures of one job, type and place whose messages differ in numbers, ids, paths and the like are one group.',
      query: z.strictObject({ ...filterQuery, limit: upTo(1_000, 100) }),
      answer: z.array(groupSchema),
      answerDescription: 'The groups.',
      headers: { [partialHeader]: '`true` where a second was not enough to count all: the newest are in it.' },
      async handle({ query: { limit, ...texts }, header }) {
        const found = await redrive.failedJobs.groups(readFilter(texts, clock.now()), { limit });
        if (found.partial === true) header(partialHeader, 'true');
        return jsonOf([...found]);
      },
    }),
    operation({
      id: 'failedJobFigures',
      method: 'get',
      path: '/api/v1/jobs/failed/stats',
      tag: 'Failed jobs',
      summary: 'Failed jobs in figures: by type, by hour, by queue',
      query: z.strictObject(filterQuery),
      answer: figuresSchema,
      answerDescription: 'The figures.',
      async handle({ query }) {
        const filter = readFilter(query, clock.now());
        const { failedJobs: log } = redrive;
        const [byType, byHour, byQueue, summary] = await Promise.all([
          log.byType(filter),
          log.byHour(filter),
          log.byQueue(filter),
          log.summary(filter),
        ]);
        const isPartial = [byType, byHour, byQueue, summary].some(({ partial }) => partial === true);
        return jsonOf({ byType, byHour, byQueue, summary, ...(isPartial ? { partial: true as const } : {}) });
      },
    }),
    operation({
      id: 'showFailedJob',
      method: 'get',
      path: '/api/v1/jobs/failed/{job_id}',
      tag: 'Failed jobs',
      summary: 'Everything about one failed job',
      description:
        'The whole exception with its causes, every failed attempt of every run in `history`, and in `forecast` what a retry would do now.',
      params: jobIdParam,
      answer: failedJobSchema,
      answerDescription: 'The failed job.',
      faults: ['FAILED_JOB_UNKNOWN'],
      async handle({ params: { job_id: text } }) {
        const id = idOf(text);
        const found = id === undefined ? undefined : await redrive.failedJobs.find(id);
        if (found === undefined) throw noFailedJob(text);
        const forecast = await redrive.failedJobs.forecast(found.id);
        return jsonOf({ ...found, ...(forecast === undefined ? {} : { forecast }) });
      },
    }),
  ];
}
