import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineJob } from '../../src/index.ts';
import { charge, ping, report, setup } from './scene.ts';

const unknownId = '0190f5a0-7c2e-7cc0-9f3b-2f0d5f9c1a11';

describe('GET /api/v1/jobs/failed/{job_id}', () => {
  it('is what failedJobs.find gives, in JSON', async () => {
    const { failed, get, redrive } = await setup();
    const [id] = await failed(charge, 1, { card: 'card_42' });
    const expected = JSON.parse(JSON.stringify(await redrive.failedJobs.find(id!))) as object;
    for (const path of [id, '1']) expect(await get(`/api/v1/jobs/failed/${path}`)).toMatchObject({ status: 200, body: expected });
    const forecast = { outcome: 'would_requeue', queue: 'default', pool: 'pool', maxAttempts: 1, registered: true, schema: 'none' };
    expect((await get('/api/v1/jobs/failed/1')).body).toMatchObject({ forecast });
    expect(expected).toMatchObject({ history: [{ attempt: 1, rule: 'max-attempts' }], exception: { cause: { type: 'TypeError' } } });
  });
});

describe('GET /api/v1/jobs/failed/groups and /stats', () => {
  it('F36: agree with the API, and with each other', async () => {
    const { failed, get, redrive } = await setup();
    await failed(charge, 3);
    await failed(report, 2, {}, { queue: 'slow' });
    const groups = await get('/api/v1/jobs/failed/groups');
    expect(groups.body).toEqual(JSON.parse(JSON.stringify(await redrive.failedJobs.groups())));
    expect(groups.body).toMatchObject([
      { job: 'cards.charge', type: 'CardDeclined', count: 3, sampleId: 3 },
      { job: 'reports.nightly', type: 'Unrecoverable', count: 2, sampleId: 5 },
    ]);
    expect(groups.headers.get('redrive-partial')).toBeNull();
    const { body } = await get('/api/v1/jobs/failed/stats?since=3h');
    expect(body).toMatchObject({
      byType: [
        { type: 'CardDeclined', count: 3 },
        { type: 'Unrecoverable', count: 2 },
      ],
      byQueue: [
        { connection: 'main', queue: 'default', count: 3 },
        { connection: 'main', queue: 'slow', count: 2 },
      ],
      summary: [
        { queue: 'default', total: 3 },
        { queue: 'slow', total: 2 },
      ],
    });
    const { byHour } = body as { byHour: { hour: string; count: number }[] };
    expect(byHour.reduce((sum, { count }) => sum + count, 0)).toBe(5);
    expect(byHour.length).toBeGreaterThanOrEqual(3);
    expect((await get('/api/v1/jobs/failed/groups?limit=1&job=reports.nightly')).body).toMatchObject([{ count: 2 }]);
    expect((await get('/api/v1/jobs/failed/stats?queue=nowhere')).body).toMatchObject({ byType: [], byQueue: [], summary: [] });
  });

  it('say where a second was not enough', async () => {
    const { redrive, get } = await setup();
    const partial = Object.assign([], { partial: true as const });
    Object.assign(redrive.failedJobs, {
      list: async () => ({ items: [], cursor: 'x', partial: true }),
      groups: async () => partial,
      byType: async () => partial,
    });
    for (const path of ['/api/v1/jobs/failed?text=x', '/api/v1/jobs/failed/groups?text=x'])
      expect((await get(path)).headers.get('redrive-partial')).toBe('true');
    expect((await get('/api/v1/jobs/failed?text=x')).headers.get('link')).toContain('cursor=x');
    expect((await get('/api/v1/jobs/failed/stats?text=x')).body).toMatchObject({ partial: true });
  });
});

describe('POST /api/v1/jobs/failed/{job_id}/edit-and-retry', () => {
  it('F46: runs the edited properties, keeps the original, and tells the audit', async () => {
    const { failed, post, get, redrive, work } = await setup({ config: { redact: ['secret'] } });
    const [id] = await failed(charge, 1, { card: 'card_42', secret: 'pk_live', nested: { keep: 1, drop: 2 } });
    const body = { properties: { card: 'card_43', nested: { drop: null } }, note: 'a new card', by: 'alice' };
    expect(await post(`/api/v1/jobs/failed/${id}/edit-and-retry`, body)).toMatchObject({
      status: 200,
      body: { requeued: 1, outcomes: [{ id, status: 'requeued' }] },
    });
    const ran = new Promise((resolve) => redrive.on('onJobMarshalled', ({ job }) => resolve(job.properties)));
    await work();
    expect(await ran).toMatchObject({ card: 'card_43', nested: { keep: 1 } });
    expect((await get(`/api/v1/jobs/failed/${id}`)).body).toMatchObject({ run: 2, status: 'failed' });
    expect((await get('/api/v1/audit')).body).toMatchObject({ items: [{ action: 'edited', by: 'alice', ids: [id] }] });
  });

  it('changes nothing with dry_run', async () => {
    const { failed, post, redrive } = await setup();
    const [id] = await failed(charge);
    expect((await post(`/api/v1/jobs/failed/${id}/edit-and-retry`, { properties: { a: 1 }, dry_run: true })).body).toEqual({
      requeued: 0,
      outcomes: [{ id, status: 'would_requeue' }],
    });
    expect(await redrive.failedJobs.count()).toBe(1);
  });

  it('refuses the redacted form, and what is no object', async () => {
    const { failed, post, get, redrive } = await setup({ config: { redact: ['secret'] } });
    await failed(charge, 1, { secret: 'pk_live' });
    const { properties } = (await get('/api/v1/jobs/failed/1')).body as { properties: object };
    expect(await post('/api/v1/jobs/failed/1/edit-and-retry', { properties })).toMatchObject({
      status: 400,
      body: { code: 'PROPERTIES_INVALID' },
    });
    for (const wrong of [null, [], 'x', 7, true])
      expect(await post('/api/v1/jobs/failed/1/edit-and-retry', { properties: wrong })).toMatchObject({ status: 400 });
    expect(await post('/api/v1/jobs/failed/1/edit-and-retry', {})).toMatchObject({
      status: 400,
      body: { detail: 'The body is not valid: properties: must be an object' },
    });
    expect(await redrive.failedJobs.count()).toBe(1);
  });

  it("tells 404 from 409, and what does not fit the job's schema", async () => {
    const strict = defineJob({
      name: 'strict',
      schema: z.object({ amount: z.number() }),
      handle: () => {
        throw new Error('no');
      },
    });
    const { redrive, work, post } = await setup({ jobs: [strict, ping] });
    const id = await redrive.dispatch(strict, { amount: 1 });
    await work();
    expect(await post(`/api/v1/jobs/failed/${id}/edit-and-retry`, { properties: { amount: 'much' } })).toMatchObject({
      status: 409,
      body: { code: 'NOT_RETRIABLE', detail: expect.stringContaining('amount') },
    });
    const queued = await redrive.dispatch(ping);
    expect((await post(`/api/v1/jobs/failed/${queued}/edit-and-retry`, { properties: {} })).status).toBe(409);
    expect((await post(`/api/v1/jobs/failed/${unknownId}/edit-and-retry`, { properties: {} })).status).toBe(404);
  });
});

describe('POST /api/v1/jobs/failed/{job_id}/resolve', () => {
  it('takes it off the list, with a note, and tells the audit who did', async () => {
    const { failed, post, get, redrive } = await setup();
    const [id] = await failed(charge);
    expect(await post(`/api/v1/jobs/failed/${id}/resolve`, { note: 'paid by cheque', by: 'alice' })).toMatchObject({
      status: 200,
      body: { resolved: 1, outcomes: [{ id, status: 'resolved' }] },
    });
    expect(await redrive.failedJobs.find(id!)).toMatchObject({ status: 'resolved', note: 'paid by cheque' });
    expect((await get('/api/v1/audit')).body).toMatchObject({ items: [{ action: 'resolved', by: 'alice', ids: [id] }] });
    expect(await post(`/api/v1/jobs/failed/${id}/resolve`)).toMatchObject({ status: 409, body: { code: 'NOT_FAILED' } });
    expect(await post(`/api/v1/jobs/failed/${unknownId}/resolve`)).toMatchObject({ status: 404 });
  });
});

describe('POST /api/v1/jobs/failed/mark', () => {
  it('F47: moves queued jobs, and tells of each that did not move', async () => {
    const { redrive, work, post, get } = await setup();
    const done = await redrive.dispatch(ping);
    await work();
    const queued = await redrive.dispatch(ping);
    const { status, body } = await post('/api/v1/jobs/failed/mark', { job_ids: [queued, done, unknownId], reason: 'not any more' });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        moved: [queued],
        outcomes: [
          { id: queued, status: 'failed' },
          { id: done, status: 'not_queued' },
          { id: unknownId, status: 'not_found' },
        ],
      },
    });
    expect((await get(`/api/v1/jobs/failed/${queued}`)).body).toMatchObject({ kind: 'manual', message: 'not any more' });
  });

  it('wants to know which', async () => {
    const { post, call } = await setup();
    for (const body of [
      {},
      { job_ids: [] },
      { job_ids: ['1'] },
      { job_ids: [7] },
      { job_ids: 'x' },
      { job_ids: Array.from({ length: 1_001 }, () => unknownId) },
    ])
      expect(await post('/api/v1/jobs/failed/mark', body)).toMatchObject({ status: 400, body: { code: 'BODY_INVALID' } });
    expect((await call('POST', '/api/v1/jobs/failed/mark')).status).toBe(400);
  });
});

describe('queues', () => {
  it('are listed, paused and resumed', async () => {
    const { redrive, failed, post, get, work } = await setup();
    await failed(charge, 1, {}, { queue: 'money' });
    expect((await get('/api/v1/queues')).body).toMatchObject([{ queue: 'money', ready: 0, failed: 1 }]);
    expect((await post('/api/v1/queues/money/pause', { by: 'alice' })).body).toEqual({ queue: 'money', paused: true, changed: true });
    expect((await post('/api/v1/queues/money/pause')).body).toEqual({ queue: 'money', paused: true, changed: false });
    const id = await redrive.dispatch(ping, {}, { queue: 'money' });
    await work();
    expect((await get(`/api/v1/jobs/status/${id}`)).body).toMatchObject({ status: 'queued' });
    expect((await post('/api/v1/queues/money/resume', { by: 'bob' })).body).toEqual({ queue: 'money', paused: false, changed: true });
    await work();
    expect((await get(`/api/v1/jobs/status/${id}`)).body).toMatchObject({ status: 'successful' });
    expect((await get('/api/v1/audit')).body).toMatchObject({
      items: [
        { action: 'resumed', by: 'bob', ids: ['money'] },
        { action: 'paused', by: 'alice', ids: ['money'] },
      ],
    });
  });

  it('may be called what they like', async () => {
    const { post, get, redrive } = await setup();
    for (const queue of ['a b', 'ünï', 'a/b', 'a%2Fb', '💥', 'pause']) {
      expect((await post(`/api/v1/queues/${encodeURIComponent(queue)}/pause`)).body).toMatchObject({ queue, changed: true });
      expect((await get(`/api/v1/jobs/stats?queue=${encodeURIComponent(queue)}`)).body).toMatchObject({ queue_name: queue });
      expect(await redrive.resume(queue)).toBe(true);
    }
  });
});

describe('GET /api/v1/audit', () => {
  it('pages, and takes since and by', async () => {
    const { post, get } = await setup();
    for (const by of ['alice', 'bob', 'alice']) {
      await post('/api/v1/queues/mail/pause', { by });
      await post('/api/v1/queues/mail/resume', { by });
    }
    const seen: number[] = [];
    let path: string | undefined = '/api/v1/audit?by=alice&since=1h&limit=3';
    while (path !== undefined) {
      const { body, headers, status } = await get(path);
      expect(status).toBe(200);
      seen.push(...(body as { items: { id: number }[] }).items.map(({ id }) => id));
      path = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
    }
    expect(seen).toHaveLength(4);
    expect(seen).toEqual([...seen].toSorted((a, b) => b - a));
    expect((await get('/api/v1/audit?since=yesterday')).body).toMatchObject({ code: 'PARAMETER_INVALID' });
    expect((await get('/api/v1/audit?cursor=abc')).body).toMatchObject({ code: 'CURSOR_INVALID' });
  });

  it('has every write, with who did it', async () => {
    const { failed, redrive, call, get } = await setup({ http: { token: [{ name: 'ops', token: 't' }] } });
    await failed(charge, 6);
    const headers = { authorization: 'Bearer t' };
    const writes: readonly (readonly [string, string, unknown?])[] = [
      ['POST', '/api/v1/jobs/failed/1/retry'],
      ['POST', '/api/v1/jobs/failed/retry-all', { filter: { ids: [2] } }],
      ['POST', '/api/v1/jobs/failed/3/resolve'],
      ['POST', '/api/v1/jobs/failed/6/edit-and-retry', { properties: { a: 1 } }],
      ['POST', '/api/v1/jobs/failed/mark', { job_ids: [await redrive.dispatch(ping)] }],
      ['DELETE', '/api/v1/jobs/failed/4'],
      ['DELETE', '/api/v1/jobs/failed/clear?ids=5'],
      ['POST', '/api/v1/queues/mail/pause'],
      ['POST', '/api/v1/queues/mail/resume'],
    ];
    for (const [method, path, body] of writes) expect((await call(method, path, { headers, body })).status, path).toBe(200);
    const { items } = (await get('/api/v1/audit', headers)).body as { items: { action: string; by: string; count: number }[] };
    expect(items.toReversed().map(({ action }) => action)).toEqual([
      'retried',
      'retried',
      'resolved',
      'edited',
      'marked-failed',
      'deleted',
      'deleted',
      'paused',
      'resumed',
    ]);
    expect(items.every(({ by, count }) => by === 'ops' && count === 1)).toBe(true);
  });
});

describe('the probes and the metrics', () => {
  it('tell of the process and of its store', async () => {
    const { get, failed, redrive } = await setup();
    await failed(charge, 2);
    expect((await get('/healthz')).body).toEqual({ status: 'ok' });
    expect((await get('/readyz')).body).toEqual({ status: 'ready' });
    for (const queue of ['slow', 'default']) await redrive.pause(queue);
    expect((await get('/readyz')).body).toEqual({ status: 'ready', paused: ['default', 'slow'] });
    expect((await get('/api/v1/jobs/failed/1')).body).toMatchObject({
      forecast: { outcome: 'would_requeue', queue: 'default', paused: true },
    });
    for (const queue of ['slow', 'default']) await redrive.resume(queue);
    const { headers, body } = await get('/metrics');
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body).toContain('redrive_queue_jobs{connection="main",queue="default",state="failed"} 2');
  });
});

describe('without a failed-jobs log', () => {
  it('says so, and serves the rest', async () => {
    const { get, post, redrive, work } = await setup({ config: { logFailedJobs: false } });
    const id = await redrive.dispatch(charge);
    await work();
    for (const path of ['/api/v1/jobs/failed', '/api/v1/jobs/failed/1', '/api/v1/audit'])
      expect(await get(path)).toMatchObject({ status: 501, body: { code: 'FAILED_JOBS_OFF' } });
    expect(await post('/api/v1/jobs/failed/retry-all')).toMatchObject({ status: 501 });
    expect(await get(`/api/v1/jobs/status/${id}`)).toMatchObject({ status: 200, body: { status: 'failed', is_failed: true } });
    expect(await get(`/api/v1/jobs/status/${unknownId}`)).toMatchObject({ status: 404 });
    expect(await get('/api/v1/jobs/status/1')).toMatchObject({ status: 404 });
  });
});
