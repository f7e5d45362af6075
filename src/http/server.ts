import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sleep, type Clock } from '../clock.ts';
import type { RedriveHttp } from './redrive-http.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly clock: Clock;
}

/** The HTTP interface on a port of its own. */
export interface HttpServer {
  /** Where it can be reached. */
  readonly url: string;
  /** Takes no new request, and waits for those under way; after `graceMs` they are cut off. */
  close(graceMs: number): Promise<void>;
}

/** Listens; rejects with what `node:http` says where that cannot be. */
export async function listen({ listener }: RedriveHttp, { host, port, clock }: ListenOptions): Promise<HttpServer> {
  const server = createServer(listener);
  let closing = false;
  server.on('request', (_request, response) => {
    // A connection that is kept alive would otherwise hold up the end for seconds. It counts as idle a moment after its answer.
    response.on('close', () => void setImmediate(() => (closing ? server.closeIdleConnections() : undefined)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async close(graceMs) {
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const done = new AbortController();
      await Promise.race([closed, sleep(clock, graceMs, done.signal)]);
      done.abort();
      server.closeAllConnections();
      await closed;
    },
  };
}
