import { createHash } from 'node:crypto';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isRedriveError, type Redrive } from '../../src/index.ts';
import { redriveHttp, type RedriveHttpOptions } from '../../src/http/index.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { charge, requestOf, setup } from './scene.ts';

const token = 's3cret-token';
const bearer = { authorization: `Bearer ${token}` };
const writes = [
  ['POST', '/api/v1/jobs/failed/retry-all'],
  ['POST', '/api/v1/jobs/failed/1/retry'],
  ['DELETE', '/api/v1/jobs/failed/clear'],
  ['DELETE', '/api/v1/jobs/failed/1'],
  ['POST', '/api/v1/queues/mail/pause'],
] as const;

describe('a token', () => {
  it('is needed for everything but the probes, once it is set', async () => {
    const { get, call } = await setup({ http: { token } });
    for (const path of ['/healthz', '/readyz']) expect((await get(path)).status, path).toBe(200);
    for (const path of ['/api/v1/jobs/failed', '/api/v1/jobs/stats', '/docs', '/openapi.json', '/', '/no/such/path', '/api/v1/session'])
      expect(await get(path), path).toMatchObject({ status: 401, body: { code: 'AUTHENTICATION_REQUIRED' } });
    for (const [method, path] of writes) expect((await call(method, path)).status, path).toBe(401);
    expect((await get('/api/v1/jobs/failed')).headers.get('www-authenticate')).toBe('Bearer realm="redrive"');
    expect((await get('/api/v1/jobs/failed', bearer)).status).toBe(200);
    expect((await get('/docs', bearer)).status).toBe(200);
  });

  it('is refused where it is not that very token', async () => {
    const { get } = await setup({ http: { token } });
    for (const authorization of [
      'Bearer',
      'Bearer ',
      'Bearer wrong',
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Bearer ${token.toUpperCase()}`,
      `Basic ${Buffer.from(`x:${token}`).toString('base64')}`,
      token,
      `Bearer ${token} ${token}`,
    ])
      expect((await get('/api/v1/jobs/failed', { authorization })).status, authorization).toBe(401);
    expect((await get(`/api/v1/jobs/failed?token=${token}`)).status).toBe(401);
    expect((await get('/api/v1/jobs/failed', { authorization: `bearer ${token}` })).status).toBe(200);
  });

  it('gives its name to what it did, unless the body names somebody', async () => {
    const scene = await setup({
      http: {
        token: [
          { name: 'ops', token: 'one' },
          { name: 'dashboard', token: 'two' },
        ],
      },
    });
    await scene.failed(charge, 2);
    const by: string[] = [];
    scene.redrive.on('onJobRetried', (event) => void by.push(event.by));
    await scene.call('POST', '/api/v1/jobs/failed/1/retry', { headers: { authorization: 'Bearer two' } });
    await scene.call('POST', '/api/v1/jobs/failed/2/retry', { headers: { authorization: 'Bearer one' }, body: { by: 'alice' } });
    expect(by).toEqual(['dashboard', 'alice']);
  });
});

describe('an authorize function', () => {
  it('decides on each request, and gives the caller a name', async () => {
    const scene = await setup({
      http: {
        authorize: async (request) => {
          if (request.headers.get('x-user') === 'alice') return { by: 'alice' };
          return request.method === 'GET';
        },
      },
    });
    await scene.failed(charge);
    const by: string[] = [];
    scene.redrive.on('onJobRetried', (event) => void by.push(event.by));
    expect((await scene.get('/api/v1/jobs/failed')).status).toBe(200);
    expect(await scene.post('/api/v1/jobs/failed/1/retry')).toMatchObject({ status: 403, body: { code: 'NOT_PERMITTED' } });
    expect((await scene.call('POST', '/api/v1/jobs/failed/1/retry', { headers: { 'x-user': 'alice' } })).status).toBe(200);
    expect(by).toEqual(['alice']);
  });

  it('lets nobody on when it throws, and tells only the log why', async () => {
    const scene = await setup({
      http: {
        authorize: () => {
          throw new Error('the directory is down');
        },
      },
    });
    const { status, body } = await scene.get('/api/v1/jobs/failed');
    expect({ status, body }).toMatchObject({ status: 500, body: { code: 'UNEXPECTED' } });
    expect(JSON.stringify(body)).not.toContain('directory');
    expect(scene.logger.lines.some(({ fields }) => (fields['err'] as Error | undefined)?.message === 'the directory is down')).toBe(true);
    expect((await scene.get('/healthz')).status).toBe(200);
  });

  it.each([undefined, null, 0, '', 'yes', 1, {}, { by: '' }, { by: 7 }])('does not let on anybody with %j', async (answer) => {
    const { get } = await setup({ http: { authorize: () => answer as unknown as boolean } });
    expect((await get('/api/v1/jobs/failed')).status).toBe(403);
  });

  it('is not asked about who has a token', async () => {
    const { get } = await setup({ http: { token, authorize: () => false } });
    expect((await get('/api/v1/jobs/failed', bearer)).status).toBe(200);
    expect((await get('/api/v1/jobs/failed')).status).toBe(403);
  });
});

describe('the page to sign in on', () => {
  const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

  it('is what a person gets who opens a page in a browser, and no less a refusal', async () => {
    const { get } = await setup({ http: { token, basePath: '/redrive' } });
    for (const path of ['/redrive/', '/redrive/docs', '/redrive/api/v1/jobs/failed', '/redrive/no/such/path']) {
      const { status, headers, body } = await get(path, browser);
      expect([status, headers.get('content-type')], path).toEqual([401, 'text/html; charset=utf-8']);
      expect(headers.get('www-authenticate')).toBe('Bearer realm="redrive"');
      expect([headers.get('x-frame-options'), headers.get('cache-control'), headers.get('referrer-policy')]).toEqual([
        'DENY',
        'no-store',
        'no-referrer',
      ]);
      expect(body).toContain('data-session="/redrive/api/v1/session"');
      expect(body).not.toContain(token);
    }
    expect((await get('/redrive/docs', { ...browser, cookie: 'redrive_session=old' })).body).toContain('<form');
    expect(await get('/redrive/docs', { ...browser, ...bearer })).toMatchObject({ status: 200 });
  });

  it('may run its own script and style alone, and ask this server alone', async () => {
    const { get } = await setup({ http: { token } });
    const { headers, body } = await get('/docs', browser);
    const policy = headers.get('content-security-policy')!;
    const inline = (tag: string): string => new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(body as string)![1]!;
    for (const tag of ['style', 'script'])
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(inline(tag)).digest('base64')}'`);
    for (const part of ["default-src 'none'", "connect-src 'self'", "form-action 'none'", "frame-ancestors 'none'"])
      expect(policy).toContain(part);
    expect(body).not.toMatch(/(?:src|href)=/);
  });

  it('is for nobody else: programs, writes, other hosts, where no token is set or somebody else decides', async () => {
    const { get, call } = await setup({ http: { token } });
    for (const accept of ['*/*', 'application/json', ''])
      expect(await get('/docs', { accept })).toMatchObject({ status: 401, body: { code: 'AUTHENTICATION_REQUIRED' } });
    expect(await call('POST', '/api/v1/jobs/failed/retry-all', { headers: browser })).toMatchObject({
      status: 401,
      body: { code: 'AUTHENTICATION_REQUIRED' },
    });
    expect(await get('/docs', { ...browser, host: 'evil.example' })).toMatchObject({ status: 403, body: { code: 'HOST_REFUSED' } });
    const open = await setup();
    expect(await open.get('/docs', browser)).toMatchObject({ status: 200 });
    const decided = await setup({ http: { authorize: () => false } });
    expect(await decided.get('/docs', browser)).toMatchObject({ status: 403, body: { code: 'NOT_PERMITTED' } });
  });

  it('trades the token as any client does; another site cannot', async () => {
    const { call, get } = await setup({ http: { token } });
    const same = { ...bearer, 'sec-fetch-site': 'same-origin', origin: 'http://localhost', host: 'localhost' };
    const { status, headers } = await call('POST', '/api/v1/session', { headers: same });
    expect(status).toBe(200);
    const cookie = headers.get('set-cookie')!.split(';')[0]!;
    expect(await get('/docs', { ...browser, cookie })).toMatchObject({ status: 200 });
    const crossing = { ...bearer, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect(await call('POST', '/api/v1/session', { headers: crossing })).toMatchObject({ status: 403, body: { code: 'CROSS_SITE' } });
  });
});

describe('the cookie', () => {
  const cookieOf = (headers: Headers): string => /^(redrive_session=[^;]+)/.exec(headers.get('set-cookie') ?? '')![1]!;

  it('is traded for the token, and lets a browser on', async () => {
    const { call, get } = await setup({ http: { token } });
    const { status, headers, body } = await call('POST', '/api/v1/session', { headers: bearer });
    expect(status).toBe(200);
    expect(body).toEqual({ by: 'http', expiresAt: expect.any(String) });
    expect(headers.get('set-cookie')).toMatch(/^redrive_session=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    expect(headers.get('set-cookie')).not.toContain(token);
    expect((await get('/docs', { cookie: cookieOf(headers) })).status).toBe(200);
    expect((await get('/api/v1/session', { cookie: cookieOf(headers) })).body).toEqual({ by: 'http', readOnly: false });
  });

  it('is not given for a cookie, nor without a token', async () => {
    const { call } = await setup({ http: { token } });
    const { headers } = await call('POST', '/api/v1/session', { headers: bearer });
    expect((await call('POST', '/api/v1/session', { headers: { cookie: cookieOf(headers) } })).status).toBe(401);
    const open = await setup();
    expect((await open.post('/api/v1/session')).status).toBe(401);
  });

  it('ends, cannot be made up or prolonged, and is worth nothing with another token', async () => {
    const clock = new VirtualClock();
    const { call, get } = await setup({ http: { token, clock } });
    const { headers } = await call('POST', '/api/v1/session', { headers: bearer });
    const cookie = cookieOf(headers);
    const [name, end, seal] = cookie.slice('redrive_session='.length).split('.');
    for (const forged of [
      '',
      'x',
      `${name}.${Number(end) + 1}.${seal}`,
      `${name}.${end}.`,
      `${name}.${end}.${'A'.repeat(43)}`,
      `${name}.NaN.${seal}`,
    ])
      expect((await get('/docs', { cookie: `redrive_session=${forged}` })).status, forged).toBe(401);
    const other = await setup({ http: { token: 'another', clock } });
    expect((await other.get('/docs', { cookie })).status).toBe(401);
    await clock.advance('11h');
    expect((await get('/docs', { cookie })).status).toBe(200);
    await clock.advance('1h');
    expect((await get('/docs', { cookie })).status).toBe(401);
  });

  it('goes over TLS only where it came by TLS, and belongs to the path it is mounted at', async () => {
    const { http } = await setup({ http: { token, basePath: '/redrive', hosts: ['app.example.com'] } });
    const ask = async (url: string, headers = {}): Promise<string | null> =>
      (await http.fetch(new Request(url, { method: 'POST', headers: { ...bearer, ...headers } }))).headers.get('set-cookie');
    expect(await ask('https://app.example.com/redrive/api/v1/session')).toMatch(/; Path=\/redrive; .*; Secure$/);
    expect(await ask('http://app.example.com/redrive/api/v1/session', { 'x-forwarded-proto': 'https' })).toMatch(/; Secure$/);
    expect(await ask('http://app.example.com/redrive/api/v1/session')).not.toMatch(/Secure/);
  });

  it('is taken back', async () => {
    const { call } = await setup({ http: { token } });
    expect((await call('DELETE', '/api/v1/session', { headers: bearer })).headers.get('set-cookie')).toMatch(
      /^redrive_session=; .*Max-Age=0$/,
    );
  });

  it('does no write that another site sends with it', async () => {
    const { call, failed } = await setup({ http: { token } });
    await failed(charge);
    const { headers } = await call('POST', '/api/v1/session', { headers: bearer });
    const cookie = cookieOf(headers);
    const crossing = { cookie, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
    expect((await call('POST', '/api/v1/jobs/failed/1/retry', { headers: crossing })).status).toBe(403);
    expect((await call('POST', '/api/v1/jobs/failed/1/retry', { headers: { cookie } })).status).toBe(200);
  });
});

describe('a write from another site', () => {
  it.each([
    ['a site', { 'sec-fetch-site': 'cross-site' }],
    ['a sibling', { 'sec-fetch-site': 'same-site' }],
    ['an unknown word', { 'sec-fetch-site': 'nonsense' }],
    ['an origin', { origin: 'https://evil.example' }],
    ['an origin on another port', { origin: 'http://localhost:4000' }],
    ['no origin', { origin: 'null' }],
    ['an origin that is none', { origin: 'x' }],
    ['an origin behind one of ours', { origin: 'http://localhost.evil.example' }],
  ])('is refused: %s', async (_, headers) => {
    const { call, failed, redrive } = await setup();
    await failed(charge);
    for (const [method, path] of writes)
      expect(await call(method, path, { headers }), path).toMatchObject({ status: 403, body: { code: 'CROSS_SITE' } });
    expect(await redrive.failedJobs.count()).toBe(1);
  });

  it('is none from the page itself, from a program, or where something is only looked at', async () => {
    const { call, get } = await setup();
    const retryAll = '/api/v1/jobs/failed/retry-all';
    for (const headers of [
      {},
      { 'sec-fetch-site': 'same-origin', origin: 'http://localhost' },
      { 'sec-fetch-site': 'none' },
      { origin: 'https://localhost' },
    ])
      expect((await call('POST', retryAll, { headers: headers as Record<string, string> })).status).toBe(200);
    expect((await get('/api/v1/jobs/failed', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' })).status).toBe(200);
  });

  it('gets no word of permission from us, so that no page elsewhere reads an answer', async () => {
    const { get, call } = await setup();
    const { headers } = await get('/api/v1/jobs/failed', { origin: 'https://evil.example' });
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect((await call('OPTIONS', '/api/v1/jobs/failed', { headers: { 'access-control-request-method': 'POST' } })).status).toBe(405);
  });

  it('cannot be a form, which needs no leave of ours', async () => {
    const { call, failed, redrive } = await setup();
    await failed(charge);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])
      expect(
        await call('POST', '/api/v1/jobs/failed/retry-all', { body: '{"dry_run":false}', headers: { 'content-type': type } }),
      ).toMatchObject({
        status: 415,
        body: { code: 'MEDIA_TYPE_UNSUPPORTED' },
      });
    expect(await redrive.failedJobs.count()).toBe(1);
  });
});

describe('the host', () => {
  it.each([
    'evil.example',
    'evil.example:80',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.168.1.7',
    'a b',
    '',
    '@localhost',
    'localhost@evil.example',
  ])('is refused where nobody said that it is served: %j', async (host) => {
    const { get } = await setup();
    for (const path of ['/api/v1/jobs/failed', '/healthz', '/docs'])
      expect(await get(path, { host }), path).toMatchObject({ status: 403, body: { code: 'HOST_REFUSED' } });
  });

  it.each(['localhost', 'LOCALHOST:3000', '127.0.0.1', '127.0.0.1:3000', '127.1.2.3', '[::1]', '[::1]:3000'])(
    'is served by default: %s',
    async (host) => {
      const { get } = await setup();
      expect((await get('/api/v1/jobs/failed', { host })).status).toBe(200);
    },
  );

  it('is served where it was named, with or without a port', async () => {
    const { get } = await setup({ http: { token, hosts: ['Jobs.example.com', 'other.example.com:8080'] } });
    const status = async (host: string): Promise<number> => (await get('/api/v1/jobs/failed', { ...bearer, host })).status;
    expect(await Promise.all(['jobs.example.com', 'jobs.example.com:99', 'other.example.com:8080', 'localhost'].map(status))).toEqual([
      200, 200, 200, 200,
    ]);
    expect(await Promise.all(['other.example.com', 'other.example.com:81', 'x.jobs.example.com'].map(status))).toEqual([403, 403, 403]);
  });
});

describe('a server without any guard', () => {
  it('serves this machine, and nobody who comes from beyond it', async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4');
    const { http } = await setup();
    const server = await listening(createServer(http.listener), '0.0.0.0');
    const ask = async (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const options = { host, port: (server.address() as AddressInfo).port, path: '/api/v1/jobs/failed', headers: { host: 'localhost' } };
        httpRequest(options, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end();
      });
    expect(await ask('127.0.0.1')).toBe(200);
    if (outside !== undefined) expect(await ask(outside.address)).toBe(403);
  });

  it('cannot be told to serve a host that can be reached from elsewhere', async () => {
    const { redrive } = await setup();
    expect(faultsOf(redrive, { hosts: ['app.example.com'] })).toEqual([
      'hosts: "app.example.com" can be reached from elsewhere; give a token or an authorize function as well',
    ]);
    expect(faultsOf(redrive, { hosts: ['localhost'] })).toEqual([]);
    expect(faultsOf(redrive, { hosts: ['app.example.com'], authorize: () => true })).toEqual([]);
  });
});

describe('read-only', () => {
  it('refuses every write, and nothing else', async () => {
    const scene = await setup({ http: { readOnly: true, token } });
    await scene.failed(charge);
    for (const [method, path] of writes)
      expect(await scene.call(method, path, { headers: bearer }), path).toMatchObject({ status: 403, body: { code: 'READ_ONLY' } });
    expect(await scene.redrive.failedJobs.count()).toBe(1);
    expect((await scene.get('/api/v1/jobs/failed', bearer)).status).toBe(200);
    expect((await scene.call('POST', '/api/v1/session', { headers: bearer })).status).toBe(200);
    expect((await scene.get('/api/v1/session', bearer)).body).toEqual({ by: 'http', readOnly: true });
  });
});

describe('bounds', () => {
  it('a body of 10 MB is a 413, whether or not it says so first', async () => {
    const { http, failed, redrive } = await setup();
    await failed(charge);
    const note = 'x'.repeat(10 << 20);
    const announced = requestOf('POST', '/api/v1/jobs/failed/1/retry', { note });
    expect((await http.fetch(announced)).status).toBe(413);
    const stream = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 10; part += 1) controller.enqueue(new TextEncoder().encode(note.slice(0, 1 << 20)));
        controller.close();
      },
    });
    const streamed = new Request('http://localhost/api/v1/jobs/failed/1/retry', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
      body: stream,
      duplex: 'half',
    });
    expect((await http.fetch(streamed)).status).toBe(413);
    expect(await redrive.failedJobs.count()).toBe(1);
  });

  it('a URL of more than 8 KiB is a 414, a filter text of more than 1,000 characters a 400', async () => {
    const { get } = await setup();
    expect(await get(`/api/v1/jobs/failed?text=${'x'.repeat(8_200)}`)).toMatchObject({ status: 414, body: { code: 'URL_TOO_LONG' } });
    expect(await get(`/api/v1/jobs/failed?text=${'x'.repeat(1_001)}`)).toMatchObject({ status: 400, body: { code: 'FILTER_INVALID' } });
  });

  it.each(['0', '201', '-1', '1.5', 'ten', '', '1e3', ' ', '99999999999999999999'])('a limit of %j is a 400', async (limit) => {
    const { get } = await setup();
    expect(await get(`/api/v1/jobs/failed?limit=${encodeURIComponent(limit)}`)).toMatchObject({
      status: 400,
      body: { code: 'PARAMETER_INVALID' },
    });
  });
});

describe('what is redacted', () => {
  it('F18: stays so in every answer', async () => {
    const secret = 'pk_live_4242';
    const scene = await setup({ config: { redact: ['card.number', '*.number'] } });
    await scene.failed(charge, 1, { card: { number: secret } });
    const done = await scene.redrive.dispatch('ping', { card: { number: secret } });
    await scene.work();
    for (const path of ['/api/v1/jobs/failed', '/api/v1/jobs/failed/1', '/api/v1/jobs/status/1', `/api/v1/jobs/status/${done}`]) {
      const { status, body } = await scene.get(path);
      expect(status, path).toBe(200);
      expect(JSON.stringify(body), path).not.toContain(secret);
      expect(JSON.stringify(body), path).not.toContain('memento');
    }
  });
});

describe('every answer', () => {
  it('says that it is not to be kept, framed or guessed at', async () => {
    const { get } = await setup({ http: { token } });
    for (const path of ['/healthz', '/docs', '/api/v1/jobs/failed']) {
      const { headers } = await get(path);
      expect(Object.fromEntries(headers), path).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
      });
    }
  });
});

describe('options', () => {
  it('are checked, all at once', async () => {
    const { redrive } = await setup();
    expect(
      faultsOf(redrive, {
        basePath: 'redrive',
        token: '',
        authorize: true,
        readOnly: 'no',
        hosts: [7],
        bodyLimit: -1,
        tokne: 'x',
      } as unknown as RedriveHttpOptions),
    ).toEqual([
      'tokne: no such option (did you mean "token"?)',
      'basePath: must be a path such as "/redrive"',
      'token: must be visible ASCII characters, at least one',
      'authorize: must be a function, not a boolean',
      'readOnly: must be true or false, not a string',
      'bodyLimit: must be a whole number of bytes',
      'hosts: must be a list of host names',
    ]);
    expect(faultsOf(redrive, null as unknown as RedriveHttpOptions)).toEqual(['the options are an object, not null']);
    expect(
      faultsOf(redrive, {
        token: [
          { name: '', token: 'x' },
          { name: 'x', token: 'a b' },
        ],
      }),
    ).toEqual(['token[0].name: must be a name', 'token[1].token: must be visible ASCII characters']);
  });
});

function faultsOf(redrive: Redrive, options: RedriveHttpOptions): readonly string[] {
  try {
    redriveHttp(redrive, options);
    return [];
  } catch (error) {
    if (isRedriveError(error, 'OPTIONS_INVALID')) return error.faults;
    throw error;
  }
}

async function listening(server: Server, host: string): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}
