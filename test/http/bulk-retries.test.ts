import { describe, expect, it } from 'vitest';
import { charge, report, setup, type Answer } from './scene.ts';

interface Bulk {
  readonly id: number;
  readonly state: string;
  readonly matched: number;
  readonly moved: number;
}

const start = '/api/v1/jobs/failed/bulk-retry';

describe('bulk retries', () => {
  it('F44: start with a 202 and their resource, and end with a report', async () => {
    const { failed, post, get, redrive, work } = await setup();
    await failed(charge, 3);
    await failed(report);
    const { status, body, headers } = await post(start, { filter: { job: 'cards.charge', since: '1h' }, by: 'alice', note: 'again' });
    expect(status).toBe(202);
    const { id } = body as Bulk;
    expect(body).toMatchObject({ id, by: 'alice', matched: 3, filter: { job: 'cards.charge', since: expect.any(String) } });
    const path = headers.get('location')!;
    expect(path).toBe(`/api/v1/bulk-retries/${id}`);
    await (await redrive.failedJobs.findBulkRetry(id))!.done;
    expect((await get(path)).body).toMatchObject({ state: 'done', matched: 3, moved: 3, skipped: 0, underWay: 3 });
    await work();
    expect((await get(path)).body).toMatchObject({ failedAgain: 3, underWay: 0 });
    expect((await get('/api/v1/bulk-retries')).body).toMatchObject([{ id, state: 'done' }]);
    expect(((await get('/api/v1/audit')).body as { items: { by: string; action: string }[] }).items).toEqual(
      expect.arrayContaining([expect.objectContaining({ action: 'bulk-retry-started', by: 'alice' })]),
    );
  });

  it('are paused, resumed and cancelled', async () => {
    const { failed, post, redrive } = await setup();
    await failed(charge, 3);
    const { body, headers } = await post(start, { filter: {}, rate: '1/h' });
    const path = headers.get('location')!;
    const steer = async (verb: string): Promise<Answer> => post(`${path}/${verb}`, { by: 'bob' });
    expect((await steer('pause')).body).toMatchObject({ state: 'paused' });
    expect(await steer('pause')).toMatchObject({ status: 409, body: { code: 'NOT_STEERABLE' } });
    expect((await steer('resume')).body).toMatchObject({ state: 'running' });
    expect((await steer('cancel')).body).toMatchObject({ state: 'cancelled' });
    for (const verb of ['pause', 'resume', 'cancel']) expect((await steer(verb)).status).toBe(409);
    const ended = (await redrive.failedJobs.findBulkRetry((body as Bulk).id))!;
    expect(await redrive.failedJobs.count()).toBe(3 - ended.moved);
    expect(ended.moved).toBeLessThan(3);
  });

  it('change nothing with dry_run', async () => {
    const { failed, post, get } = await setup();
    await failed(charge, 3);
    expect(await post(start, { filter: { job: 'cards.charge' }, dry_run: true, canary: 1 })).toMatchObject({
      status: 200,
      body: { matched: 3 },
    });
    expect((await get('/api/v1/bulk-retries')).body).toEqual([]);
  });

  it('want a filter, so that nobody retries everything by a slip', async () => {
    const { failed, post, redrive } = await setup();
    await failed(charge);
    expect(await post(start)).toMatchObject({ status: 400 });
    expect(await post(start, { rate: '1/s' })).toMatchObject({
      status: 400,
      body: { detail: 'The body is not valid: filter: is missing' },
    });
    for (const wrong of [{ rate: '0/s' }, { rate: 'fast' }, { canary: 0 }, { stop_after: -1 }, { canary: 1.5 }, { filter: { quue: 'x' } }])
      expect((await post(start, { filter: {}, ...wrong })).status, JSON.stringify(wrong)).toBe(400);
    expect(await redrive.failedJobs.count()).toBe(1);
  });

  it('are what a retry-all with a rate comes to', async () => {
    const { failed, post } = await setup();
    await failed(charge, 2);
    const { status, body, headers } = await post('/api/v1/jobs/failed/retry-all', { rate: '1/h' });
    expect({ status, body }).toMatchObject({ status: 202, body: { matched: 2 } });
    expect(headers.get('location')).toBe(`/api/v1/bulk-retries/${(body as Bulk).id}`);
    expect((await post('/api/v1/jobs/failed/retry-all', { rate: '1/h', dry_run: true })).status).toBe(200);
  });

  it('page, newest first', async () => {
    const { failed, post, get } = await setup();
    await failed(charge);
    for (let index = 0; index < 5; index += 1) await post(start, { filter: { job: 'nothing' } });
    const seen: number[] = [];
    let path: string | undefined = '/api/v1/bulk-retries?limit=2';
    while (path !== undefined) {
      const { body, headers } = await get(path);
      seen.push(...(body as Bulk[]).map(({ id }) => id));
      path = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual([...seen].toSorted((a, b) => b - a));
    expect(seen).toHaveLength(5);
  });

  it.each(['999', 'x', '0', '-1', '99999999999999999999', '%00', "'"])('of the id %s are a 404', async (id) => {
    const { get, post } = await setup();
    expect(await get(`/api/v1/bulk-retries/${id}`)).toMatchObject({ status: 404, body: { code: 'BULK_RETRY_UNKNOWN' } });
    expect((await post(`/api/v1/bulk-retries/${id}/pause`)).status).toBe(404);
  });
});
