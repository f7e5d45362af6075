import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { HttpCode } from './http-fault.ts';
import type { Caller, HttpEnv } from './http-env.ts';
import { invalidInput } from './validation.ts';
import { faultResponses } from './schemas/fault.ts';

/** The families under which the reference lists the operations, in its order. */
export const tags = ['Failed jobs', 'Retrying', 'Clearing', 'Jobs', 'Bulk retries', 'Queues', 'Records', 'Service'] as const;
export type Tag = (typeof tags)[number];

/** A value as it arrives in JSON: a `Date` is text there. */
export type JsonOf<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly JsonOf<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: JsonOf<T[Key]> }
      : T;

/** The same value, typed as what `JSON.stringify` makes of it. */
export function jsonOf<T>(value: T): JsonOf<T> {
  return value as JsonOf<T>;
}

/** What a schema's JSON looks like, with nothing that would forbid to give a read-only value. */
type Shown<Schema> = Schema extends z.ZodType<infer Value> ? JsonOf<Value> : undefined;

type Parsed<Schema> = Schema extends z.ZodType<infer Value> ? Value : Record<string, never>;

/** One call as its handler sees it: checked, and with the name of who asks. */
export interface Call<Params, Query, Body> {
  readonly params: Parsed<Params>;
  readonly query: Parsed<Query>;
  readonly body: Parsed<Body>;
  /** Who asks: the body's or query's `by`, else the token's name. */
  readonly by: string;
  /** The name of the token that was given in the Authorization header; undefined where none was. */
  readonly bearer: string | undefined;
  /** True where the request came by TLS, as far as can be told. */
  readonly isSecure: boolean;
  /** Where the request was sent: `http://127.0.0.1:3000`. */
  readonly origin: string;
  /** Sets a header of the answer. */
  readonly header: (name: string, value: string) => void;
  /** Sets the status, where the operation has more than one for success. */
  readonly status: (code: 200 | 202) => void;
}

/** What the document tells of an operation. */
interface Described<Params = unknown, Query = unknown, Body = unknown, Answer = unknown> {
  readonly id: string;
  readonly method: 'get' | 'post' | 'delete';
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly bodyRequired?: boolean;
  readonly answer: Answer;
  readonly answerDescription: string;
  /** What the answer is of; anything but JSON is given as text. Default `application/json`. */
  readonly media?: string;
  /** Statuses of success; default 200 alone. */
  readonly statuses?: readonly (200 | 202)[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Needs no token. Default false. */
  readonly open?: boolean;
  /** Codes of its own, besides those that any operation may answer with. */
  readonly faults?: readonly HttpCode[];
}

export interface OperationSpec<Params, Query, Body, Answer> extends Described<Params, Query, Body, Answer> {
  readonly handle: (call: Call<Params, Query, Body>) => Promise<Shown<Answer>>;
}

/** One method at one path: what it takes and gives, as schemas that check it, and as the document that tells of it. */
export interface Operation {
  /** Needs no token. */
  readonly open: boolean;
  addTo(app: OpenAPIHono<HttpEnv>): void;
}

/** An operation; its schemas validate what comes in, and are what `/openapi.json` is made of. */
export function operation<
  const Params extends z.ZodObject | undefined = undefined,
  const Query extends z.ZodObject | undefined = undefined,
  const Body extends z.ZodType | undefined = undefined,
  const Answer extends z.ZodType = z.ZodType,
>(spec: OperationSpec<Params, Query, Body, Answer>): Operation {
  return {
    open: spec.open ?? false,
    addTo(app) {
      const handler = async (context: Context<HttpEnv>): Promise<never> => {
        const call = callOf<Params, Query, Body>(context);
        let status: 200 | 202 = 200;
        const answer = await spec.handle({ ...call, status: (code) => void (status = code) });
        if (spec.media === undefined) return context.json(answer as object, status) as never;
        return context.body(answer as string, status, { 'Content-Type': `${spec.media}; charset=utf-8` }) as never;
      };
      app.openapi(routeOf(spec), handler, (result) => {
        if (result.success) return;
        const schema = result.target === 'json' ? spec.body : result.target === 'param' ? spec.params : spec.query;
        throw invalidInput(result.target, result.error.issues, schema);
      });
    },
  };
}

function routeOf(spec: Described): ReturnType<typeof createRoute> {
  const { params, query = z.strictObject({}), body, bodyRequired = false, statuses = [200] } = spec;
  const answer = {
    description: spec.answerDescription,
    content: { [spec.media ?? json]: { schema: spec.answer as z.ZodType } },
    ...(spec.headers === undefined ? {} : { headers: headersOf(spec.headers) }),
  };
  return createRoute({
    operationId: spec.id,
    method: spec.method,
    path: spec.path,
    tags: [spec.tag],
    summary: spec.summary,
    ...(spec.open === true ? { security: [] } : {}),
    ...(spec.description === undefined ? {} : { description: spec.description }),
    request: {
      query: query as z.ZodObject,
      ...(params === undefined ? {} : { params: params as z.ZodObject }),
      ...(body === undefined ? {} : { body: { required: bodyRequired, content: { [json]: { schema: body as z.ZodType } } } }),
    },
    responses: {
      ...Object.fromEntries(statuses.map((status) => [status, answer])),
      ...faultResponses({ own: spec.faults ?? [], open: spec.open ?? false, writes: spec.method !== 'get', takesBody: body !== undefined }),
    },
  });
}

const json = 'application/json';

function headersOf(headers: Readonly<Record<string, string>>): Record<string, { description: string; schema: { type: 'string' } }> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' as const } }]),
  );
}

function callOf<Params, Query, Body>(context: Context<HttpEnv>): Omit<Call<Params, Query, Body>, 'status'> {
  // What the validators of the route have left behind; a route without one of them has no such part.
  const valid = (part: 'param' | 'query' | 'json'): unknown => context.req.valid(part as never) ?? {};
  const query = valid('query') as { readonly by?: string };
  const body = valid('json') as { readonly by?: string };
  const url = new URL(context.req.url);
  const isSecure = url.protocol === 'https:' || context.req.header('x-forwarded-proto') === 'https';
  const caller = context.get('caller') as Caller | undefined;
  return {
    params: valid('param') as Parsed<Params>,
    query: query as Parsed<Query>,
    body: body as Parsed<Body>,
    by: body.by ?? query.by ?? caller?.name ?? 'http',
    bearer: caller?.bearer === true ? caller.name : undefined,
    isSecure,
    origin: `${isSecure ? 'https' : 'http'}://${context.req.header('host') ?? url.host}`,
    header: (name, value) => context.header(name, value),
  };
}
