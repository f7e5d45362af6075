import { z } from '@hono/zod-openapi';
import type { BulkRetryOptions } from '../../failure/bulk-options.ts';
import type { BulkRetry } from '../../failure/bulk-retry.ts';
import { readFilter, writeFilter } from '../../failure/filter.ts';
import type { Redrive } from '../../redrive.ts';
import { HttpFault } from '../http-fault.ts';
import { jsonOf, operation, type JsonOf, type Operation } from '../operation.ts';
import type { ResolvedHttp } from '../options.ts';
import { linkTo, upTo } from '../paging.ts';
import { bulkRetrySchema } from '../schemas/bulk-retry.ts';
import { filterBody } from '../schemas/filter.ts';
import { placement, placementOf, properties } from '../schemas/placement.ts';
import { byText, rateText } from '../schemas/values.ts';

const idParam = z.object({ id: z.string().openapi({ description: 'The id of a bulk retry.', example: '1' }) });
/** Where bulk retries are. */
export const bulkRetriesPath = '/api/v1/bulk-retries';
const base = bulkRetriesPath;

/** Retries of many jobs as operations of their own. */
export function bulkRetries(redrive: Redrive, { basePath, clock }: ResolvedHttp): readonly Operation[] {
  return [
    operation({
      id: 'startBulkRetry',
      method: 'post',
      path: '/api/v1/jobs/failed/bulk-retry',
      tag: 'Bulk retries',
      summary: 'Put back what matches a filter, at a rate, with a canary',
      description:
        'Stored, so that it survives a restart: whoever serves or works the same store takes it over. What it moves is fixed when it starts. With `dry_run` nothing is started: the answer is what it would be, with `matched` alone.',
      body: z.strictObject({
        filter: filterBody.openapi({ description: 'Which; `{}` is all that failed.', example: { type: 'CardDeclined', since: '24h' } }),
        dry_run: z.boolean().optional().openapi({ description: 'Start nothing, and say how many match.' }),
        rate: rateText.openapi({ example: '10/s' }),
        canary: z.int().min(1).optional().openapi({ description: 'So many go first and have to succeed before the others go.' }),
        stop_after: z.int().min(1).optional().openapi({ description: 'It stops once so many have failed again.' }),
        properties: properties.optional(),
        ...placement,
      }),
      bodyRequired: true,
      answer: z.union([bulkRetrySchema, z.object({ matched: z.int().min(0) })]),
      answerDescription: '202: it is started, and the `Location` header leads to it. 200: with `dry_run`, how many it would move.',
      statuses: [200, 202],
      headers: { Location: 'Where to ask how it stands.' },
      async handle({
        body: { filter: texts, dry_run: isDry, rate, canary, stop_after: stopAfter, properties: patch, ...rest },
        by,
        header,
        status,
      }) {
        const filter = readFilter(texts, clock.now());
        const options: BulkRetryOptions = {
          ...placementOf({ ...rest, by }),
          ...(rate === undefined ? {} : { rate }),
          ...(canary === undefined ? {} : { canary }),
          ...(stopAfter === undefined ? {} : { stopAfter }),
          ...(patch === undefined ? {} : { properties: patch }),
        };
        if (isDry === true) return { matched: await redrive.failedJobs.count(filter) };
        const started = await redrive.failedJobs.bulkRetry(filter, options);
        header('Location', `${basePath}${base}/${started.id}`);
        status(202);
        return shown(started);
      },
    }),
    operation({
      id: 'listBulkRetries',
      method: 'get',
      path: base,
      tag: 'Bulk retries',
      summary: 'Bulk retries, newest first',
      query: z.strictObject({
        limit: upTo(200, 25),
        before: z.coerce
          .number('must be the id of a bulk retry')
          .int('must be the id of a bulk retry')
          .min(1, 'must be the id of a bulk retry')
          .optional()
          .openapi({ description: 'Only older ones than the one with this id.' }),
      }),
      answer: z.array(bulkRetrySchema),
      answerDescription: 'A page of bulk retries.',
      headers: { Link: 'Where there may be more: the address of the next page, with `rel="next"`.' },
      async handle({ query: { limit, before }, header }) {
        const listed = await redrive.failedJobs.bulkRetries({ limit, ...(before === undefined ? {} : { before }) });
        const last = listed.at(-1);
        if (last !== undefined && listed.length === limit) header('Link', linkTo(`${basePath}${base}`, { limit, before: last.id }));
        return listed.map(shown);
      },
    }),
    operation({
      id: 'showBulkRetry',
      method: 'get',
      path: `${base}/{id}`,
      tag: 'Bulk retries',
      summary: 'How a bulk retry stands',
      params: idParam,
      answer: bulkRetrySchema,
      answerDescription: 'The bulk retry.',
      faults: ['BULK_RETRY_UNKNOWN'],
      handle: async ({ params: { id } }) => shown(await found(redrive, id)),
    }),
    ...steering.map(({ id, verb, summary, description }) =>
      operation({
        id,
        method: 'post',
        path: `${base}/{id}/${verb}`,
        tag: 'Bulk retries',
        summary,
        description,
        params: idParam,
        body: z.strictObject({ by: byText }),
        answer: bulkRetrySchema,
        answerDescription: 'The bulk retry.',
        faults: ['BULK_RETRY_UNKNOWN', 'NOT_STEERABLE'],
        async handle({ params: { id: text }, by }) {
          const bulk = await found(redrive, text);
          if (!(await bulk[verb]({ by }))) throw new HttpFault('NOT_STEERABLE', `Bulk retry ${bulk.id} is ${bulk.state}`);
          return shown(bulk);
        },
      }),
    ),
  ];
}

const steering = [
  { id: 'pauseBulkRetry', verb: 'pause', summary: 'Pause a bulk retry', description: 'It moves nothing more until it is resumed.' },
  { id: 'resumeBulkRetry', verb: 'resume', summary: 'Let a paused bulk retry go on', description: 'This server drives it from now on.' },
  { id: 'cancelBulkRetry', verb: 'cancel', summary: 'End a bulk retry', description: 'What was moved stays moved.' },
] as const;

async function found(redrive: Redrive, text: string): Promise<BulkRetry> {
  const bulk = /^\d{1,15}$/.test(text) ? await redrive.failedJobs.findBulkRetry(text) : undefined;
  if (bulk === undefined) throw new HttpFault('BULK_RETRY_UNKNOWN', 'There is no bulk retry of this id');
  return bulk;
}

/** A bulk retry in JSON. */
export function shown(bulk: BulkRetry): JsonOf<z.infer<typeof bulkRetrySchema>> {
  const { filter, ...report } = bulk.toJSON();
  return { ...jsonOf(report), filter: writeFilter(filter) };
}
