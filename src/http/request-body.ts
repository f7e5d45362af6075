import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HttpFault } from './http-fault.ts';
import type { HttpEnv } from './http-env.ts';
import type { ResolvedHttp } from './options.ts';

/** Refuses a body that is too large, as soon as that is known. */
export function guardBodySize(options: ResolvedHttp): MiddlewareHandler<HttpEnv> {
  return bodyLimit({
    maxSize: options.bodyLimit,
    onError: () => {
      throw new HttpFault('BODY_TOO_LARGE', `The body is larger than ${options.bodyLimit} bytes`, { Connection: 'close' });
    },
  });
}

/**
 * Sees to it that what stands for "no body" was sent without one. A filter that a framework's body parser has swallowed
 * would otherwise be no filter, and a retry of a few jobs become one of all.
 */
export const readBodyOnce: MiddlewareHandler<HttpEnv> = async (context, next) => {
  const { raw } = context.req;
  if (raw.method === 'GET' || raw.method === 'HEAD') return next();
  const announced = Number(raw.headers.get('content-length') ?? '0') > 0 || raw.headers.has('transfer-encoding');
  const { incoming } = context.env;
  if (announced && incoming?.readableDidRead === true) context.req.raw = withBody(raw, parsedBefore(incoming));
  else if (raw.bodyUsed) throw consumed();
  else if (raw.body === null || (!announced && raw.headers.has('content-length'))) context.req.raw = withoutBody(raw);
  return next();
};

/** What a body parser in front left on the request, as Express and its like do. */
function parsedBefore(incoming: object): unknown {
  const body: unknown = 'body' in incoming ? incoming.body : undefined;
  if (typeof body !== 'object' || body === null) throw consumed();
  return body;
}

function withBody(raw: Request, body: unknown): Request {
  const headers = new Headers(raw.headers);
  headers.set('content-type', 'application/json');
  headers.delete('content-length');
  return new Request(raw.url, { method: raw.method, headers, body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body) });
}

// Clients that declare JSON and then send none mean no body, not a broken one.
function withoutBody(raw: Request): Request {
  const headers = new Headers(raw.headers);
  headers.delete('content-type');
  return new Request(raw.url, { method: raw.method, headers });
}

function consumed(): HttpFault {
  return new HttpFault('BODY_CONSUMED', 'The body was read before Redrive came to it; mount Redrive before body parsers');
}
