import { z } from '@hono/zod-openapi';
import { pointInTimeForms, readPointInTime } from '../../failure/point-in-time.ts';
import { auditActions } from '../../record/audit-log.ts';
import type { Redrive } from '../../redrive.ts';
import { HttpFault } from '../http-fault.ts';
import { jsonOf, operation, type Operation } from '../operation.ts';
import type { ResolvedHttp } from '../options.ts';
import { linkTo, page } from '../paging.ts';
import { count, nameText, time } from '../schemas/values.ts';

const auditSchema = z
  .object({
    id: count,
    at: time,
    by: z.string(),
    action: z.enum(auditActions),
    count: count.openapi({ description: 'To how many it was done.' }),
    ids: z.array(z.union([z.string(), z.number()])).openapi({ description: 'The first hundred of them.' }),
    filter: z.record(z.string(), z.unknown()).optional().openapi({ description: 'What chose them.' }),
    detail: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('AuditRecord');

/** Who did what. */
export function records(redrive: Redrive, { basePath, clock }: ResolvedHttp): readonly Operation[] {
  const path = '/api/v1/audit';
  return [
    operation({
      id: 'listAudit',
      method: 'get',
      path,
      tag: 'Records',
      summary: 'Who did what to jobs and queues, when, to how many; newest first',
      query: z.strictObject({
        since: z.string().max(100).optional().openapi({ description: 'Only at or after this time: 24h (ago), or 2026-11-22T12:30:00Z.' }),
        by: nameText.optional().openapi({ description: 'Only what this one did.' }),
        ...page,
      }),
      answer: z.object({ items: z.array(auditSchema), cursor: z.string().optional() }),
      answerDescription: 'A page of the audit.',
      headers: { Link: 'Where there are more: the address of the next page, with `rel="next"`.' },
      async handle({ query: { limit, cursor, since, by: who }, header }) {
        const from = since === undefined ? undefined : readPointInTime(since, clock.now());
        if (since !== undefined && from === undefined) throw new HttpFault('PARAMETER_INVALID', `since: must be ${pointInTimeForms}`);
        const found = await redrive.audit(defined({ limit, cursor, since: from, by: who }));
        if (found.cursor !== undefined)
          header('Link', linkTo(`${basePath}${path}`, defined({ since: from?.toISOString(), by: who, limit, cursor: found.cursor })));
        return jsonOf(found);
      },
    }),
  ];
}

function defined<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
