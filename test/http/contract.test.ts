import { rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { beforeAll, describe, expect, it } from 'vitest';
import { Contract, type ContractOperation } from './contract.ts';
import { charge, ping, report, setup, type Answer, type CallOptions, type Scene } from './scene.ts';

/** How each operation is called so that it succeeds, on a store made ready for it. */
type Success = (scene: Scene) => Promise<Answer>;

const unknownId = '0190f5a0-7c2e-7cc0-9f3b-2f0d5f9c1a11';

const successes: Readonly<Record<string, Success>> = {
  listFailedJobs: async ({ failed, get }) => {
    await failed(charge, 3, { card: { number: 42 } });
    return get('/api/v1/jobs/failed?limit=2&order=oldest&job=cards.charge');
  },
  groupFailedJobs: async ({ failed, get }) => {
    await failed(charge, 3);
    await failed(report);
    return get('/api/v1/jobs/failed/groups?limit=1');
  },
  failedJobFigures: async ({ failed, get }) => {
    await failed(charge, 3);
    await failed(report, 1, {}, { queue: 'slow' });
    return get('/api/v1/jobs/failed/stats?since=48h');
  },
  showFailedJob: async ({ failed, get }) => {
    await failed(charge, 1, { nested: [1, null, { a: 'b' }] });
    return get('/api/v1/jobs/failed/1');
  },
  retryFailedJob: async ({ failed, post }) => {
    await failed(charge);
    return post('/api/v1/jobs/failed/1/retry', { delay: '5m', at_front: true, note: 'again', by: 'alice' });
  },
  retryAllFailedJobs: async ({ failed, post }) => {
    await failed(charge, 2);
    return post('/api/v1/jobs/failed/retry-all', { filter: { job: 'cards.charge' }, dry_run: true });
  },
  editAndRetryFailedJob: async ({ failed, post }) => {
    await failed(charge, 1, { card: 'card_42' });
    return post('/api/v1/jobs/failed/1/edit-and-retry', { properties: { card: null, again: [1] }, by: 'alice' });
  },
  deleteFailedJob: async ({ failed, delete: remove }) => {
    await failed(charge);
    return remove('/api/v1/jobs/failed/1?by=alice');
  },
  clearFailedJobs: async ({ failed, delete: remove }) => {
    await failed(report, 2);
    return remove('/api/v1/jobs/failed/clear?job=reports.nightly');
  },
  markFailed: async ({ redrive, post }) =>
    post('/api/v1/jobs/failed/mark', { job_ids: [await redrive.dispatch(ping), unknownId], reason: 'no', by: 'alice' }),
  resolveFailedJob: async ({ failed, post }) => {
    await failed(charge);
    return post('/api/v1/jobs/failed/1/resolve', { note: 'paid by cheque', by: 'alice' });
  },
  jobStatus: async ({ redrive, get }) => get(`/api/v1/jobs/status/${await redrive.dispatch(ping, { a: 1 })}`),
  queueStats: async ({ failed, get }) => {
    await failed(charge);
    return get('/api/v1/jobs/stats');
  },
  listQueues: async ({ failed, get }) => {
    await failed(charge);
    return get('/api/v1/queues');
  },
  startBulkRetry: async ({ failed, post }) => {
    await failed(charge, 2);
    return post('/api/v1/jobs/failed/bulk-retry', {
      filter: { job: 'cards.charge', since: '1h' },
      rate: '1/h',
      canary: 1,
      stop_after: 1,
      by: 'alice',
    });
  },
  listBulkRetries: async (scene) => {
    await startBulk(scene);
    return scene.get('/api/v1/bulk-retries?limit=1');
  },
  showBulkRetry: async (scene) => scene.get(await startBulk(scene)),
  pauseBulkRetry: async (scene) => scene.post(`${await startBulk(scene)}/pause`, { by: 'alice' }),
  resumeBulkRetry: async (scene) => {
    const path = await startBulk(scene);
    await scene.post(`${path}/pause`);
    return scene.post(`${path}/resume`);
  },
  cancelBulkRetry: async (scene) => scene.post(`${await startBulk(scene)}/cancel`),
  pauseQueue: async ({ post }) => post('/api/v1/queues/mail/pause', { by: 'alice' }),
  resumeQueue: async ({ post }) => post('/api/v1/queues/mail/resume'),
  listWorkers: async ({ redrive, get }) => {
    await redrive.start();
    return get('/api/v1/workers');
  },
  listAudit: async ({ failed, post, get }) => {
    await failed(charge);
    await post('/api/v1/jobs/failed/retry-all', { filter: { job: 'cards.charge' }, by: 'alice' });
    return get('/api/v1/audit?by=alice&since=1h&limit=1');
  },
  showSession: async ({ get }) => get('/api/v1/session', { authorization: 'Bearer t' }),
  openSession: async ({ call }) => call('POST', '/api/v1/session', { headers: { authorization: 'Bearer t' } }),
  closeSession: async ({ delete: remove }) => remove('/api/v1/session'),
  openApi: async ({ get }) => get('/openapi.json'),
  docs: async ({ get }) => get('/docs'),
  alive: async ({ get }) => get('/healthz'),
  ready: async ({ get }) => get('/readyz'),
  metrics: async ({ get }) => get('/metrics'),
};

/** Starts a bulk retry that will not end by itself; returns where it is. */
async function startBulk({ failed, post }: Scene): Promise<string> {
  await failed(charge, 3);
  const { headers } = await post('/api/v1/jobs/failed/bulk-retry', { filter: {}, rate: '1/h' });
  return headers.get('location')!;
}

/** Bodies of those that need one. */
const smallest: Readonly<Record<string, unknown>> = {
  markFailed: { job_ids: [unknownId] },
  editAndRetryFailedJob: { properties: {} },
  startBulkRetry: { filter: {} },
};

/** The least that an operation is to be sent. */
function exampleOf({ id, body }: ContractOperation): CallOptions {
  return body === undefined ? {} : { body: smallest[id] ?? {} };
}

/** With a token, as `openSession` needs one, which every call carries unless it says otherwise. */
async function withToken(): Promise<Scene> {
  const scene = await setup({ http: { token: 't' } });
  const call: Scene['call'] = (method, path, { headers, ...rest } = {}) =>
    scene.call(method, path, { ...rest, headers: { authorization: 'Bearer t', ...headers } });
  const bodyOf = (body: unknown): CallOptions => (body === undefined ? {} : { body });
  return {
    ...scene,
    call,
    get: (path, headers) => call('GET', path, headers === undefined ? {} : { headers }),
    post: (path, body) => call('POST', path, bodyOf(body)),
    delete: (path) => call('DELETE', path),
  };
}

let contract: Contract;
let operations: readonly ContractOperation[];
let scene: Scene;
// Cases are generated while the file is collected, so the document is needed before.
const collected = await documentOf();

async function documentOf(): Promise<Contract> {
  const { redriveHttp } = await import('../../src/http/index.ts');
  const { createFakeRedrive } = await import('../../src/testing/index.ts');
  const http = redriveHttp(createFakeRedrive());
  return new Contract(await (await http.fetch(new Request('http://localhost/openapi.json'))).json());
}

beforeAll(() => {
  contract = collected;
  ({ operations } = contract);
});

const named = (ids: (operation: ContractOperation) => boolean = () => true): readonly (readonly [string, ContractOperation])[] =>
  collected.operations.filter(ids).map((operation) => [`${operation.method} ${operation.path}`, operation] as const);

/** A path with something in the place of each parameter. */
function pathOf({ path }: ContractOperation, value = unknownId): string {
  return path.replaceAll(/\{\w+\}/g, encodeURIComponent(value));
}

describe('the document', () => {
  it('is served, and the same as the one that the cases are made of', async () => {
    const { get } = await setup();
    const { body } = await get('/openapi.json');
    expect(body).toMatchObject({ openapi: '3.1.0', info: { title: 'Redrive', version: '0.1.0' }, servers: [{ url: '/' }] });
    expect(new Contract(body).operations).toEqual(operations);
  });

  it('tells of each operation once, with a name of its own, and of each case here', () => {
    const ids = operations.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(Object.keys(successes).toSorted());
  });

  it('has the seven of the RQ API', () => {
    const paths = operations.map(({ method, path }) => `${method} ${path}`);
    expect(paths).toEqual(
      expect.arrayContaining([
        'GET /api/v1/jobs/failed',
        'POST /api/v1/jobs/failed/{job_id}/retry',
        'POST /api/v1/jobs/failed/retry-all',
        'DELETE /api/v1/jobs/failed/{job_id}',
        'DELETE /api/v1/jobs/failed/clear',
        'GET /api/v1/jobs/status/{job_id}',
        'GET /api/v1/jobs/stats',
      ]),
    );
  });
});

describe('what is documented of a success is what is answered', () => {
  it.each(named())('%s', async (_, operation) => {
    scene = await withToken();
    const answer = await successes[operation.id]!(scene);
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    contract.check(operation, answer);
  });
});

describe('what is documented of a fault is what is answered', () => {
  const fault = (operation: ContractOperation, answer: Answer, status: number, code?: string): void => {
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    contract.check(operation, answer);
    if (code !== undefined) expect(answer.body).toMatchObject({ code });
  };

  it.each(named())('to an unknown parameter: %s', async (_, operation) => {
    const { call } = await setup();
    fault(operation, await call(operation.method, `${pathOf(operation)}?qeueu=1`), 400, 'PARAMETER_INVALID');
    const near = operation.parameters.find((parameter) => parameter.in === 'query')?.name;
    if (near === undefined) return;
    const { body } = await call(operation.method, `${pathOf(operation)}?${near}x=1`);
    expect((body as { detail: string }).detail).toContain(`${near}x: no such parameter`);
  });

  it.each(named(({ parameters }) => parameters.some((parameter) => parameter.in === 'query')))(
    'to parameters that are given twice, or are of another kind: %s',
    async (_, operation) => {
      const { call } = await setup();
      for (const parameter of operation.parameters.filter((one) => one.in === 'query')) {
        const ask = (value: string): Promise<Answer> => call(operation.method, `${pathOf(operation)}?${parameter.name}=${value}`);
        fault(operation, await ask(`1&${parameter.name}=2`), 400);
        fault(operation, await ask(''), 400);
        if (parameter.schema.enum !== undefined) fault(operation, await ask('nonsense'), 400);
        if (parameter.schema.type === 'integer') fault(operation, await ask('many'), 400);
      }
    },
  );

  it.each(named(({ path }) => path.includes('{job_id}')))('to a job that nobody knows: %s', async (_, operation) => {
    const { call } = await setup();
    for (const id of [unknownId, '4711', '0', '99999999999999999999', 'x'.repeat(300), '\0', '../../etc/passwd', '%', "' OR 1=1 --", '💥'])
      fault(operation, await call(operation.method, pathOf(operation, id), exampleOf(operation)), 404);
  });

  it.each(named(({ body }) => body !== undefined))('to a body that is none, or not of its kind: %s', async (_, operation) => {
    const { call } = await setup();
    const send = (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
      call(operation.method, pathOf(operation), { body, headers });
    const json = { 'content-type': 'application/json' };
    for (const text of ['{', 'null', '[]', '7', '"x"', '{"a":1}{', 'x', '\u0000', '{"by":"\\ud800"}'])
      fault(operation, await send(text, json), 400, 'BODY_INVALID');
    fault(operation, await send({ bye: 'alice' }), 400, 'BODY_INVALID');
    expect((await send({ bye: 'alice' })).body).toMatchObject({ detail: expect.stringContaining('bye: no such key (did you mean "by"?)') });
    for (const key of Object.keys(operation.body!)) {
      for (const wrong of [null, Number.NaN, [[]], '', 'x'.repeat(20_000), ...(key === 'properties' ? [] : [{ nonsense: 1 }, { '': {} }])])
        fault(operation, await send({ [key]: wrong }), 400);
    }
    fault(operation, await send('{}', { 'content-type': 'text/plain' }), 415, 'MEDIA_TYPE_UNSUPPORTED');
    fault(operation, await send({ by: 'x'.repeat(2 << 20) }), 413, 'BODY_TOO_LARGE');
  });

  it.each(named())('to a stranger, and for another host: %s', async (_, operation) => {
    const { call } = await setup({ http: { token: 't' } });
    const answer = await call(operation.method, pathOf(operation));
    if (operation.needsToken) fault(operation, answer, 401, 'AUTHENTICATION_REQUIRED');
    else contract.check(operation, answer);
    fault(operation, await call(operation.method, pathOf(operation), { headers: { host: 'evil.example' } }), 403, 'HOST_REFUSED');
  });

  it.each(named(({ method }) => method !== 'GET'))('to another site, and where nothing is written: %s', async (_, operation) => {
    const { call } = await setup({ http: { readOnly: true } });
    fault(operation, await call(operation.method, pathOf(operation), { headers: { origin: 'null' } }), 403, 'CROSS_SITE');
    if (!operation.path.endsWith('/session')) fault(operation, await call(operation.method, pathOf(operation)), 403, 'READ_ONLY');
  });

  it.each(named())('to a method that the path does not take: %s', async (_, operation) => {
    const { call } = await setup();
    const answer = await call('PUT', pathOf(operation));
    expect(answer).toMatchObject({ status: 405, body: { code: 'METHOD_NOT_ALLOWED' } });
    expect(answer.headers.get('allow')!.split(', ')).toContain(operation.method);
  });

  const needsNoStore = ['showSession', 'openSession', 'closeSession', 'openApi', 'docs', 'alive', 'metrics'];

  it.each(named(({ id }) => !needsNoStore.includes(id)))('F31: while the store is gone: %s', async (_, operation) => {
    const { call, failed, filename } = await setup();
    await failed(charge);
    rmSync(filename);
    const example = exampleOf(operation);
    const somebody = operation.path.includes('{id}') ? '1' : unknownId;
    const answer = await call(operation.method, pathOf(operation, somebody), example);
    fault(operation, answer, 503, operation.id === 'ready' ? 'NOT_READY' : 'STORE_MISSING');
    fault(operation, await call(operation.method, pathOf(operation, '1'), example), 503);
  });
});

describe('a GET', () => {
  it('changes nothing, nor does a HEAD', async () => {
    scene = await withToken();
    await scene.failed(charge, 3);
    await scene.redrive.dispatch(ping);
    const before = contentOf(scene.filename);
    for (const operation of operations.filter(({ method }) => method === 'GET')) {
      for (const id of ['1', unknownId]) await scene.get(pathOf(operation, id));
      const head = await scene.call('HEAD', pathOf(operation, '1'));
      expect(head.body).toBe('');
      for (const path of ['retry', 'edit-and-retry', 'resolve'])
        expect((await scene.get(`/api/v1/jobs/failed/1/${path}`)).status).toBeGreaterThanOrEqual(404);
    }
    for (const path of ['failed/retry-all', 'failed/clear', 'failed/bulk-retry', 'failed/mark'])
      expect([404, 405]).toContain((await scene.get(`/api/v1/jobs/${path}`)).status);
    expect(contentOf(scene.filename)).toEqual(before);
  });
});

/** Every row of every table. */
function contentOf(filename: string): unknown {
  const database = new Database(filename, { readonly: true });
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").pluck().all() as string[];
  const content = tables.map((table) => [table, database.prepare(`SELECT * FROM "${table}"`).all()]);
  database.close();
  return content;
}
