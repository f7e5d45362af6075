import { OpenAPIHono } from '@hono/zod-openapi';
import type { ErrorHandler, MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { getPath } from 'hono/utils/url';
import type { Redrive } from '../redrive.ts';
import { answerTo, HttpFault, type FaultAnswer } from './http-fault.ts';
import type { HttpEnv } from './http-env.ts';
import type { ResolvedHttp } from './options.ts';
import { guardBodySize, readBodyOnce } from './request-body.ts';
import { documentOf, type OpenApiDocument } from './docs/document.ts';
import { operations } from './routes/operations.ts';
import { guardCaller, guardHost, guardUrl, guardWrites } from './security/guards.ts';

export type HttpApp = OpenAPIHono<HttpEnv>;

/** Everything that is served, behind everything that guards it, in the order in which a request passes. */
export function buildApp(redrive: Redrive, options: ResolvedHttp): HttpApp {
  const app: HttpApp = new OpenAPIHono<HttpEnv>({ getPath: (request) => belowBase(getPath(request), options.basePath) });
  app.onError(onError(options));
  app.notFound((context) => context.json({ detail: nothingAt(new URL(context.req.url).pathname, options), code: 'PATH_UNKNOWN' }, 404));
  app.use(harden, guardUrl, guardHost(options));
  let document: OpenApiDocument | undefined;
  const all = operations({ redrive, options, document: () => (document ??= documentOf(app, options.basePath)) });
  for (const operation of all) if (operation.open) operation.addTo(app);
  app.use(guardCaller(options), guardWrites(options), readBodyOnce, guardBodySize(options));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (context, methods) => wrongMethod(context.req.method, methods) }));
  for (const operation of all) if (!operation.open) operation.addTo(app);
  // The dashboard's place, once there is one.
  app.get('/', (context) => context.redirect(`${options.basePath}/docs`));
  return app;
}

/** Where a request is below the path it is mounted at; outside of that there is nothing of ours. */
function belowBase(path: string, basePath: string): string {
  if (basePath === '') return path;
  if (path === basePath) return '/';
  return path.startsWith(`${basePath}/`) ? path.slice(basePath.length) : '/\0';
}

/** Most often somebody mounted it elsewhere than it was told. */
function nothingAt(path: string, { basePath }: ResolvedHttp): string {
  const nothing = `There is nothing at ${path.slice(0, 200)}`;
  const outside = basePath !== '' && path !== basePath && !path.startsWith(`${basePath}/`);
  if (outside) return `${nothing}: Redrive is mounted at ${basePath}, and is to be given the whole path`;
  const at = path.indexOf('/api/v1/');
  return at <= 0 ? nothing : `${nothing}; if Redrive is mounted at ${path.slice(0, Math.min(at, 200))}, its option basePath is missing`;
}

/** What no answer should be without: none is to be guessed at, framed or kept. */
const harden: MiddlewareHandler<HttpEnv> = async (context, next) => {
  await next();
  const { headers } = context.res;
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('X-Frame-Options', 'DENY');
  headers.set('Referrer-Policy', 'no-referrer');
  if (!headers.has('Cache-Control')) headers.set('Cache-Control', 'no-store');
  if (!headers.has('Content-Security-Policy')) headers.set('Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'");
};

function onError({ logger }: ResolvedHttp): ErrorHandler<HttpEnv> {
  return (error, context) => {
    const known = answerTo(error) ?? answerToHono(error);
    if (known === undefined) logger.error({ err: error, method: context.req.method, path: context.req.path }, 'A request failed');
    else if (known.status >= 500)
      logger.warn({ err: error, method: context.req.method, path: context.req.path }, 'A request could not be served');
    const { status, body, headers } = known ?? unexpected;
    return context.json(body, status as 400, { ...headers });
  };
}

const unexpected: FaultAnswer = {
  status: 500,
  body: { detail: 'Something went wrong that should not; the log of the server says what', code: 'UNEXPECTED' },
  headers: {},
};

/** What the validators of `@hono/zod-openapi` throw themselves. */
function answerToHono(error: Error): FaultAnswer | undefined {
  if (!(error instanceof HTTPException)) return undefined;
  if (error.status === 415)
    return answerTo(new HttpFault('MEDIA_TYPE_UNSUPPORTED', 'Send the body as JSON, with the header Content-Type: application/json'));
  return error.status === 400 ? answerTo(new HttpFault('BODY_INVALID', 'The body is no JSON')) : undefined;
}

function wrongMethod(method: string, methods: readonly string[]): Response {
  const detail = `This path takes ${methods.join(', ')}, not ${method}`;
  return Response.json({ detail, code: 'METHOD_NOT_ALLOWED' }, { status: 405, headers: { Allow: methods.join(', ') } });
}
