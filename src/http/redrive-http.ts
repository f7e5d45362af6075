import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import type { Redrive } from '../redrive.ts';
import { buildApp } from './app.ts';
import { resolveHttp, type RedriveHttpOptions } from './options.ts';

/** Redrive's HTTP interface, to be mounted wherever requests arrive. */
export interface RedriveHttp {
  /** Answers a request, which is handed over with its whole path. `bindings`: Node's own request and response, where there are any. */
  readonly fetch: (request: Request, bindings?: Partial<HttpBindings>) => Promise<Response>;
  /** The same for `node:http` and for what is built on it, such as Express and Fastify. */
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void;
}

/**
 * The REST API with its document and page, on a Redrive of this process. Throws `OPTIONS_INVALID` with every fault of the options.
 * @example
 * const http = redriveHttp(redrive, { basePath: '/redrive', token: process.env.REDRIVE_TOKEN, hosts: ['app.example.com'] });
 * expressApp.use('/redrive', http.listener);
 */
export function redriveHttp(redrive: Redrive, options: RedriveHttpOptions = {}): RedriveHttp {
  const app = buildApp(redrive, resolveHttp(options));
  const answer = async (request: Request, bindings: Partial<HttpBindings> = {}): Promise<Response> => app.fetch(request, bindings);
  const listen = getRequestListener((request, bindings) => answer(request, bindings as HttpBindings), { overrideGlobalObjects: false });
  return {
    fetch: answer,
    listener(incoming, outgoing) {
      // A framework cuts off the path it has mounted this at, and keeps the whole of it there.
      const { originalUrl } = incoming as { originalUrl?: unknown };
      if (typeof originalUrl === 'string') incoming.url = originalUrl;
      void listen(incoming, outgoing);
    },
  };
}
