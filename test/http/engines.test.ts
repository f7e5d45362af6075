import { expect, it } from 'vitest';
import { redriveHttp } from '../../src/http/index.ts';
import { databaseRedrive } from '../support/database-redrive.ts';
import { onEachEngine } from '../support/engines.ts';
import { answerOf, charge, ping, report, requestOf, type Answer } from './scene.ts';

await onEachEngine((engine) => {
  it('answers the same on every engine', async () => {
    const { properties } = await engine.makeGround();
    const redrive = await databaseRedrive(properties, {
      jobs: [charge, report, ping],
      config: { workerPools: { pool: { connection: 'main', queues: '*' } } },
    });
    await redrive.migrate();
    const http = redriveHttp(redrive);
    const call = async (method: string, path: string, body?: unknown): Promise<Answer> =>
      answerOf(await http.fetch(requestOf(method, `/api/v1/${path}`, body)));
    const work = async (): Promise<void> => {
      while (await redrive.workOnce()) {
        // Until nothing is ready.
      }
    };
    const ids = [];
    for (let index = 0; index < 3; index += 1) ids.push(await redrive.dispatch(charge, { card: `card_${index}` }));
    await redrive.dispatch(report, {}, { queue: 'slow' });
    await work();

    const first = await call('GET', 'jobs/failed?limit=2&job=cards.charge');
    expect(first).toMatchObject({ status: 200, body: [{ job_id: ids[2], kwargs: { card: 'card_2' } }, { job_id: ids[1] }] });
    const next = /^<\/api\/v1\/([^>]+)>/.exec(first.headers.get('link')!)![1]!;
    expect((await call('GET', next)).body).toMatchObject([{ job_id: ids[0] }]);
    expect((await call('GET', 'jobs/failed/groups')).body).toMatchObject([{ count: 3 }, { count: 1 }]);
    expect((await call('GET', 'jobs/failed/stats')).body).toMatchObject({
      byQueue: [
        { queue: 'default', count: 3 },
        { queue: 'slow', count: 1 },
      ],
    });
    expect((await call('GET', `jobs/failed/${ids[0]}`)).body).toMatchObject({ history: [{ attempt: 1 }] });
    expect((await call('GET', 'jobs/stats?queue=default')).body).toMatchObject({ failed_count: 3, queued_count: 0 });

    expect((await call('POST', `jobs/failed/${ids[0]}/retry`)).status).toBe(200);
    expect((await call('POST', `jobs/failed/${ids[0]}/retry`)).status).toBe(409);
    expect((await call('POST', `jobs/failed/${ids[1]}/edit-and-retry`, { properties: { card: 'other' } })).status).toBe(200);
    expect((await call('GET', `jobs/status/${ids[1]}`)).body).toMatchObject({ status: 'queued', kwargs: { card: 'other' } });
    expect((await call('POST', 'jobs/failed/retry-all', { filter: { queue: 'slow' } })).body).toMatchObject({ requeued_count: 1 });
    expect((await call('POST', 'queues/slow/pause')).body).toMatchObject({ changed: true });
    expect((await call('POST', `jobs/failed/${ids[2]}/resolve`, { note: 'paid' })).status).toBe(200);
    expect((await call('DELETE', 'jobs/failed/clear?status=any')).body).toMatchObject({ deleted_count: 1, error_count: 3 });
    expect((await call('GET', 'audit')).body).toMatchObject({
      items: [
        { action: 'deleted' },
        { action: 'resolved' },
        { action: 'paused' },
        { action: 'retried' },
        { action: 'edited' },
        { action: 'retried' },
      ],
    });
    expect((await call('GET', 'workers')).body).toEqual([]);
    await redrive.start();
    expect((await call('GET', 'workers')).body).toMatchObject([
      { connection: 'main', pool: 'pool', pid: process.pid, startedAt: expect.stringMatching(/Z$/), reserved: expect.any(Number) },
    ]);
    for (const id of ['\0', '%00', "' OR 1=1", '\ud800', 'x'.repeat(300), '99999999999999999999'])
      expect((await call('GET', `jobs/failed/${/\p{Cs}/u.test(id) ? id : encodeURIComponent(id)}`)).status).toBe(404);
    for (const query of [
      'text=%00',
      'job=%00',
      'queue=%F0%9F%92%A5',
      'text=%25_%5C',
      'ids=9007199254740993',
      'ids=4294967296',
      'since=0001-01-01',
    ])
      expect((await call('GET', `jobs/failed?${query}`)).status, query).toBeLessThan(500);
  });
});
