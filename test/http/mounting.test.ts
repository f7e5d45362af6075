import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';
import { charge, report, requestOf, setup, type Scene } from './scene.ts';

const failedPath = '/redrive/api/v1/jobs/failed';

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const mounted = (): Promise<Scene> => setup({ http: { basePath: '/redrive' } });

async function retryReports(origin: string): Promise<unknown> {
  const response = await fetch(`${origin}${failedPath}/retry-all`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ filter: { job: 'reports.nightly' } }),
  });
  return response.json();
}

describe('mounted below a path', () => {
  it('answers there, and its links lead there', async () => {
    const { failed, http } = await mounted();
    await failed(charge, 2);
    const page = await http.fetch(requestOf('GET', `${failedPath}?limit=1`));
    expect(page.headers.get('link')).toMatch(/^<\/redrive\/api\/v1\/jobs\/failed\?/);
    const document = (await (await http.fetch(requestOf('GET', '/redrive/openapi.json'))).json()) as { servers: unknown };
    expect(document.servers).toEqual([{ url: '/redrive' }]);
    expect((await http.fetch(requestOf('GET', '/redrive'))).headers.get('location')).toBe('/redrive/docs');
    expect(await (await http.fetch(requestOf('GET', '/redrive/docs'))).text()).toContain(
      'curl http://localhost/redrive/api/v1/jobs/failed',
    );
  });

  it('says what is wrong with a path that is not below it, and with a path of which it was not told', async () => {
    const { http } = await mounted();
    for (const path of ['/api/v1/jobs/failed', '/redriveapi/v1/jobs/failed', '/'])
      expect(await (await http.fetch(requestOf('GET', path))).json()).toEqual({
        detail: `There is nothing at ${path}: Redrive is mounted at /redrive, and is to be given the whole path`,
        code: 'PATH_UNKNOWN',
      });
    const other = await setup();
    expect((await other.get(failedPath)).body).toEqual({
      detail: `There is nothing at ${failedPath}; if Redrive is mounted at /redrive, its option basePath is missing`,
      code: 'PATH_UNKNOWN',
    });
  });

  it('reads a body that a body parser in front has read, so that a filter stays a filter', async () => {
    const { failed, http, redrive } = await mounted();
    await failed(charge, 2);
    await failed(report);
    const app = express();
    app.use(express.json());
    app.use('/redrive', http.listener);
    const origin = await listening(createServer(app as RequestListener));
    expect(await retryReports(origin)).toMatchObject({ total_failed: 1, requeued_count: 1 });
    expect(await redrive.failedJobs.count()).toBe(2);
  });

  it('refuses to take a body that somebody has swallowed for none', async () => {
    const { failed, http, redrive } = await mounted();
    await failed(charge, 2);
    const swallowing: RequestListener = (request, response) => {
      request.on('end', () => http.listener(request, response)).resume();
    };
    expect(await retryReports(await listening(createServer(swallowing)))).toMatchObject({ code: 'BODY_CONSUMED' });
    const request = requestOf('POST', `${failedPath}/retry-all`, { filter: { job: 'x' } });
    await request.text();
    expect(await (await http.fetch(request)).json()).toMatchObject({ code: 'BODY_CONSUMED' });
    expect(await redrive.failedJobs.count()).toBe(2);
  });

  it('takes a body declared as JSON and not sent for none', async () => {
    const { failed, http } = await mounted();
    await failed(charge, 2);
    const origin = await listening(createServer(http.listener));
    const headers = { 'content-type': 'application/json' };
    const first = await fetch(`${origin}${failedPath}/1/retry`, { method: 'POST', headers });
    expect(first.status).toBe(200);
    const second = await fetch(`${origin}${failedPath}/2/retry`, { method: 'POST', headers: { ...headers, 'content-length': '0' } });
    expect(second.status).toBe(200);
  });

  it('stands in a Hono app, which hands over the whole request', async () => {
    const { failed, http } = await mounted();
    await failed(charge);
    const app = new Hono().all('/redrive/*', (context) => http.fetch(context.req.raw));
    expect((await app.request(failedPath)).status).toBe(200);
    expect((await app.request(`${failedPath}/1/retry`, { method: 'POST' })).status).toBe(200);
  });
});

describe('on a socket', () => {
  it('a body of 10 MB is a 413, announced or in chunks, and the server goes on', async () => {
    const { failed, http, redrive } = await mounted();
    await failed(charge);
    const origin = await listening(createServer(http.listener));
    const body = JSON.stringify({ note: 'x'.repeat(10 << 20) });
    for (const [name, value] of [
      ['content-length', String(body.length)],
      ['transfer-encoding', 'chunked'],
    ] as const)
      expect(await statusOf(origin, `${failedPath}/1/retry`, body, { [name]: value })).toBe(413);
    expect((await fetch(`${origin}${failedPath}`)).status).toBe(200);
    expect(await redrive.failedJobs.count()).toBe(1);
  });

  it('a client that goes away in the middle of its body does no harm', async () => {
    const { failed, http, redrive } = await mounted();
    await failed(charge);
    const origin = await listening(createServer(http.listener));
    const headers = { 'content-type': 'application/json', 'content-length': '100' };
    await new Promise<void>((resolve) => {
      const request = httpRequest(`${origin}${failedPath}/1/retry`, { method: 'POST', headers });
      request.on('close', resolve).on('error', () => undefined);
      request.write('{"by":', () => request.destroy());
    });
    expect((await fetch(`${origin}${failedPath}`)).status).toBe(200);
    expect(await redrive.failedJobs.count()).toBe(1);
  });
});

/** The status of the answer, which may come while the body is still on its way. */
function statusOf(origin: string, path: string, body: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${origin}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } });
    request.on('response', (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    // Once it has answered, the server may cut off what it does not want to read.
    request.on('error', reject);
    request.end(body);
  });
}
