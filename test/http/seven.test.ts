import { describe, expect, it } from 'vitest';
import { charge, ping, report, setup } from './scene.ts';

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const unknownId = '0190f5a0-7c2e-7cc0-9f3b-2f0d5f9c1a11';

describe('GET /api/v1/jobs/failed', () => {
  it('has every field of the RQ API, newest first, and no other', async () => {
    const { failed, get } = await setup();
    const [older] = await failed(charge, 1, { card: 'card_42' });
    const [newer] = await failed(report);
    const { status, body } = await get('/api/v1/jobs/failed');
    expect(status).toBe(200);
    expect(body).toEqual([
      expect.objectContaining({ job_id: newer, func_name: 'reports.nightly', kwargs: {} }),
      {
        job_id: older,
        func_name: 'cards.charge',
        args: [],
        kwargs: { card: 'card_42' },
        created_at: expect.stringMatching(iso),
        ended_at: expect.stringMatching(iso),
        exc_info: expect.stringMatching(
          /^CardDeclined: card 42 was declined\n {4}at [\s\S]*scene\.ts[\s\S]*\nCaused by: TypeError: no such card\n {4}at /,
        ),
        result: null,
      },
    ]);
  });

  it('F34: pages by a cursor in the Link header, also while jobs fail and are retried', async () => {
    const { failed, get, redrive } = await setup();
    const ids = await failed(charge, 7);
    const seen: string[] = [];
    let path: string | undefined = '/api/v1/jobs/failed?limit=3&job=cards.charge&since=24h';
    while (path !== undefined) {
      const { status, body, headers } = await get(path);
      expect(status).toBe(200);
      seen.push(...(body as { job_id: string }[]).map(({ job_id }) => job_id));
      path = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
      await failed(charge);
      await redrive.failedJobs.retry(ids[6]!);
    }
    expect(seen).toEqual([...ids].toReversed());
  });

  it('takes every key of the filter', async () => {
    const { failed, get } = await setup();
    const [id] = await failed(charge, 1, { card: 'card_42' }, { queue: 'money' });
    await failed(report, 2);
    const count = async (query: string): Promise<number> => ((await get(`/api/v1/jobs/failed?${query}`)).body as unknown[]).length;
    const { fingerprint } = (await get(`/api/v1/jobs/failed/${id}`)).body as { fingerprint: string };
    for (const [query, expected] of [
      [`ids=${id},1`, 1],
      ['ids=1,2,3', 3],
      ['connection=main', 3],
      ['queue=money', 1],
      ['job=reports.nightly', 2],
      ['type=CardDeclined', 1],
      ['kind=exception', 3],
      ['kind=timeout', 0],
      [`fingerprint=${fingerprint}`, 1],
      ['text=declined', 1],
      ['text=CARD_42', 1],
      ['since=1h', 3],
      ['until=1h', 0],
      ['since=2020-01-01&until=2020-01-02', 0],
      ['status=any', 3],
      ['status=resolved', 0],
      ['release=v1', 0],
    ] as const)
      expect(await count(query), query).toBe(expected);
  });
});

describe('POST /api/v1/jobs/failed/{job_id}/retry', () => {
  it('F38: puts the job back, and says so in the words of the RQ API', async () => {
    const { failed, post, get } = await setup();
    const [id] = await failed(charge);
    expect(await post(`/api/v1/jobs/failed/${id}/retry`)).toMatchObject({
      status: 200,
      body: { success: true, job_id: id, message: `Job ${id} has been requeued successfully` },
    });
    expect((await get(`/api/v1/jobs/status/${id}`)).body).toMatchObject({ status: 'queued', is_queued: true });
  });

  it("takes the failed job's number, and answers with the job's id", async () => {
    const { failed, post } = await setup();
    const [id] = await failed(charge);
    expect(await post('/api/v1/jobs/failed/1/retry')).toMatchObject({ status: 200, body: { job_id: id } });
  });

  it('takes where and how it goes back, and who asks', async () => {
    const { failed, post, redrive } = await setup();
    const [id] = await failed(charge);
    const retried = new Promise((resolve) => redrive.on('onJobRetried', resolve));
    const body = { delay: '1h', queue: 'slow', at_front: false, note: 'the bank is up again', by: 'alice' };
    expect((await post(`/api/v1/jobs/failed/${id}/retry`, body)).status).toBe(200);
    expect(await retried).toMatchObject({ by: 'alice', job: { id, queue: 'slow' } });
    expect(await redrive.stats('slow')).toMatchObject({ delayed: 1 });
    expect(await redrive.failedJobs.find(id!)).toMatchObject({ status: 'retrying', note: 'the bank is up again' });
  });

  it('tells 404 from 409', async () => {
    const { failed, post, redrive } = await setup();
    const [id] = await failed(charge);
    const queued = await redrive.dispatch(ping);
    expect(await post(`/api/v1/jobs/failed/${unknownId}/retry`)).toMatchObject({
      status: 404,
      body: { detail: `Job ${unknownId} not found in failed jobs registry`, code: 'FAILED_JOB_UNKNOWN' },
    });
    expect(await post(`/api/v1/jobs/failed/${queued}/retry`)).toMatchObject({ status: 409, body: { code: 'NOT_FAILED' } });
    await post(`/api/v1/jobs/failed/${id}/retry`);
    expect(await post(`/api/v1/jobs/failed/${id}/retry`)).toMatchObject({ status: 409, body: { code: 'NOT_FAILED' } });
  });

  it('F40: of two at once one wins', async () => {
    const { failed, post } = await setup();
    const [id] = await failed(charge);
    const answers = await Promise.all([1, 2, 3].map(() => post(`/api/v1/jobs/failed/${id}/retry`)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409]);
  });
});

describe('POST /api/v1/jobs/failed/retry-all', () => {
  it('puts all back and counts', async () => {
    const { failed, post } = await setup();
    const ids = await failed(charge, 3);
    const { status, body } = await post('/api/v1/jobs/failed/retry-all');
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      total_failed: 3,
      requeued_count: 3,
      error_count: 0,
      requeued_jobs: expect.arrayContaining([...ids]),
      errors: [],
    });
  });

  it('takes a filter', async () => {
    const { failed, post } = await setup();
    await failed(charge, 2);
    const ids = await failed(report, 2);
    expect(
      (await post('/api/v1/jobs/failed/retry-all', { filter: { job: 'reports.nightly', since: '1h' }, by: 'alice' })).body,
    ).toMatchObject({
      total_failed: 2,
      requeued_jobs: expect.arrayContaining([...ids]),
    });
    expect((await post('/api/v1/jobs/failed/retry-all', { filter: { ids: [1, '2'] } })).body).toMatchObject({ total_failed: 2 });
  });

  it('F45: changes nothing with dry_run, and names what would move', async () => {
    const { failed, post, redrive } = await setup();
    const ids = await failed(charge, 2);
    expect((await post('/api/v1/jobs/failed/retry-all', { dry_run: true })).body).toEqual({
      success: true,
      total_failed: 2,
      requeued_count: 0,
      error_count: 0,
      requeued_jobs: [],
      errors: [],
      would_requeue: expect.arrayContaining([...ids]),
    });
    expect(await redrive.failedJobs.count()).toBe(2);
  });

  it('tells why each one that did not move did not', async () => {
    const { failed, post } = await setup();
    const [id] = await failed(charge);
    await post(`/api/v1/jobs/failed/${id}/retry`);
    expect((await post('/api/v1/jobs/failed/retry-all', { filter: { status: 'any' } })).body).toEqual({
      success: false,
      total_failed: 1,
      requeued_count: 0,
      error_count: 1,
      requeued_jobs: [],
      errors: [{ job_id: id, error: 'not_failed: it is retrying' }],
    });
  });

  it('says so where there is nothing', async () => {
    const { post } = await setup();
    expect((await post('/api/v1/jobs/failed/retry-all')).body).toMatchObject({ success: true, total_failed: 0, requeued_count: 0 });
  });
});

describe('DELETE /api/v1/jobs/failed/{job_id}', () => {
  it('removes it, and then knows it no more', async () => {
    const { failed, delete: remove, get } = await setup();
    const [id] = await failed(charge);
    expect(await remove(`/api/v1/jobs/failed/${id}`)).toMatchObject({
      status: 200,
      body: { success: true, job_id: id, message: `Job ${id} has been deleted successfully` },
    });
    for (const answer of [await remove(`/api/v1/jobs/failed/${id}`), await get(`/api/v1/jobs/failed/${id}`)])
      expect(answer).toMatchObject({
        status: 404,
        body: { detail: `Job ${id} not found in failed jobs registry`, code: 'FAILED_JOB_UNKNOWN' },
      });
    expect((await get(`/api/v1/jobs/status/${id}`)).status).toBe(404);
  });

  it("takes the failed job's number", async () => {
    const { failed, delete: remove } = await setup();
    const [id] = await failed(charge);
    expect(await remove('/api/v1/jobs/failed/1?by=alice')).toMatchObject({ status: 200, body: { job_id: id } });
  });

  it('F51: leaves one that is being retried alone', async () => {
    const { failed, delete: remove, post } = await setup();
    const [id] = await failed(charge);
    await post(`/api/v1/jobs/failed/${id}/retry`);
    expect(await remove(`/api/v1/jobs/failed/${id}`)).toMatchObject({ status: 409, body: { code: 'BEING_RETRIED' } });
  });
});

describe('DELETE /api/v1/jobs/failed/clear', () => {
  it('really clears, and is not taken for a job of that id', async () => {
    const { failed, delete: remove, redrive } = await setup();
    const ids = await failed(charge, 3);
    const { status, body } = await remove('/api/v1/jobs/failed/clear');
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      total_failed: 3,
      deleted_count: 3,
      error_count: 0,
      deleted_jobs: expect.arrayContaining([...ids]),
      errors: [],
    });
    expect(await redrive.failedJobs.count({ status: 'any' })).toBe(0);
  });

  it('F49: removes what matches the parameters, and counts jobs', async () => {
    const { failed, delete: remove, redrive } = await setup();
    await failed(charge, 2);
    await failed(report, 3);
    expect((await remove('/api/v1/jobs/failed/clear?job=cards.charge&by=alice')).body).toMatchObject({ deleted_count: 2 });
    expect(await redrive.failedJobs.count()).toBe(3);
  });

  it('leaves those that are being retried, and says so', async () => {
    const { failed, delete: remove, post } = await setup();
    const [id] = await failed(charge);
    await post(`/api/v1/jobs/failed/${id}/retry`);
    expect((await remove('/api/v1/jobs/failed/clear?status=any')).body).toMatchObject({
      success: false,
      deleted_count: 0,
      errors: [{ job_id: id, error: 'retrying' }],
    });
  });
});

describe('GET /api/v1/jobs/status/{job_id}', () => {
  const flags = { is_finished: false, is_failed: false, is_started: false, is_queued: false };

  it('has every field, of a failed job', async () => {
    const { failed, get } = await setup();
    const [id] = await failed(charge, 1, { card: 'card_42' });
    for (const path of [id, '1'])
      expect(await get(`/api/v1/jobs/status/${path}`)).toMatchObject({
        status: 200,
        body: {
          job_id: id,
          status: 'failed',
          func_name: 'cards.charge',
          args: [],
          kwargs: { card: 'card_42' },
          created_at: expect.stringMatching(iso),
          started_at: expect.stringMatching(iso),
          ended_at: expect.stringMatching(iso),
          result: null,
          exc_info: expect.stringContaining('CardDeclined: card 42 was declined'),
          ...flags,
          is_failed: true,
        },
      });
    expect(Object.keys((await get(`/api/v1/jobs/status/${id}`)).body as object)).toHaveLength(14);
  });

  it('of a job that is queued, and of one that has succeeded', async () => {
    const { redrive, work, get } = await setup();
    const id = await redrive.dispatch(ping, { of: 'table tennis' });
    expect((await get(`/api/v1/jobs/status/${id}`)).body).toMatchObject({
      status: 'queued',
      kwargs: { of: 'table tennis' },
      started_at: null,
      ended_at: null,
      result: null,
      exc_info: null,
      ...flags,
      is_queued: true,
    });
    await work();
    expect((await get(`/api/v1/jobs/status/${id}`)).body).toMatchObject({
      status: 'successful',
      ended_at: expect.stringMatching(iso),
      result: { pong: { of: 'table tennis' } },
      ...flags,
      is_finished: true,
    });
  });

  it('of a job that runs, and of one that was cancelled', async () => {
    const seen: unknown[] = [];
    const scene = await setup();
    const delayed = await scene.redrive.dispatch(ping, {}, { delay: '1h' });
    await scene.redrive.cancel(delayed);
    expect((await scene.get(`/api/v1/jobs/status/${delayed}`)).body).toMatchObject({ status: 'canceled', ...flags });
    const id = await scene.redrive.dispatch(charge);
    scene.redrive.on('onJobMarshalled', async () => void seen.push((await scene.get(`/api/v1/jobs/status/${id}`)).body));
    await scene.work();
    expect(seen).toMatchObject([{ status: 'picked', ...flags, is_started: true }]);
  });

  it('is a 404 for a job nobody knows', async () => {
    const { get } = await setup();
    for (const id of [unknownId, '999', 'no-such-job'])
      expect(await get(`/api/v1/jobs/status/${id}`)).toMatchObject({ status: 404, body: { code: 'JOB_NOT_FOUND' } });
  });
});

describe('GET /api/v1/jobs/stats', () => {
  it('has every field, over queues and of one', async () => {
    const { failed, redrive, work, get } = await setup();
    await failed(charge, 2, {}, { queue: 'money' });
    await redrive.dispatch(ping);
    await work();
    await redrive.dispatch(ping);
    await redrive.dispatch(ping, {}, { delay: '1h' });
    const money = { queue_name: 'money', queued_count: 0, failed_count: 2, started_count: 0, finished_count: 0 };
    expect(await get('/api/v1/jobs/stats')).toMatchObject({
      status: 200,
      body: [{ queue_name: 'default', queued_count: 2, failed_count: 0, started_count: 0, finished_count: 1 }, money],
    });
    expect((await get('/api/v1/jobs/stats?queue=money')).body).toEqual(money);
    expect((await get('/api/v1/jobs/stats?queue=new')).body).toMatchObject({ queue_name: 'new', failed_count: 0 });
  });
});
