import { z } from '@hono/zod-openapi';
import { httpCodes, type HttpCode } from '../http-fault.ts';

/** Every answer that is no success. */
export const faultSchema = z
  .object({
    detail: z.string().openapi({ description: 'What is wrong, and what to do about it.' }),
    code: z.string().openapi({ description: 'Stable; see the reference of errors.', example: 'FAILED_JOB_UNKNOWN' }),
  })
  .openapi('Fault');

interface FaultsOf {
  readonly own: readonly HttpCode[];
  /** Needs no token. */
  readonly open: boolean;
  readonly writes: boolean;
  readonly takesBody: boolean;
}

interface FaultResponse {
  readonly description: string;
  readonly content: { readonly 'application/json': { readonly schema: typeof faultSchema } };
}

/** What an operation may answer with besides its success. */
export function faultResponses({ own, open, writes, takesBody }: FaultsOf): Record<number, FaultResponse> {
  const codes: HttpCode[] = ['PARAMETER_INVALID', 'HOST_REFUSED', 'URL_TOO_LONG', 'UNEXPECTED', ...own];
  if (!open) codes.push('AUTHENTICATION_REQUIRED', 'NOT_PERMITTED');
  if (writes) codes.push('CROSS_SITE', 'READ_ONLY');
  if (takesBody) codes.push('BODY_INVALID', 'BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED');
  const descriptions = new Map<number, string[]>([
    [501, ['`FAILED_JOBS_OFF`, `CAPABILITY_MISSING`: this server is not set up for it.']],
    [503, ['`STORE_...`: the store cannot be reached, or is not migrated.']],
  ]);
  for (const code of codes) {
    const [status, meaning] = httpCodes[code];
    descriptions.set(status, [...(descriptions.get(status) ?? []), `\`${code}\`: ${meaning}`]);
  }
  const statuses = [...descriptions.keys()].toSorted((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: (descriptions.get(status) ?? []).join(' '), content: { 'application/json': { schema: faultSchema } } },
    ]),
  );
}
