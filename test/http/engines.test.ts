import { expect, it } from 'vitest';
import { redriveHttp } from '../../src/http/index.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
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

  it('measures the same: jobs by queue and state, the age of the oldest, what happened to them', async () => {
    const { properties } = await engine.makeGround();
    const clock = new VirtualClock();
    const redrive = await databaseRedrive(properties, {
      jobs: [charge, report, ping],
      config: { workerPools: { pool: { connection: 'main', queues: ['default', 'slow'], maxAttempts: 2, backoff: '1h' } } },
      clock,
    });
    await redrive.migrate();
    const http = redriveHttp(redrive);
    const metrics = async (): Promise<ReadonlyMap<string, number>> => {
      const { body } = await answerOf(await http.fetch(requestOf('GET', '/metrics')));
      const lines = (body as string)
        .split('\n')
        .filter((line) => /^redrive_(?:queue|attempts|failed|retr|connection_up|untold)/.test(line));
      return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
    };
    const queue = (name: string, state: string): string => `redrive_queue_jobs{connection="main",queue="${name}",state="${state}"}`;
    const age = (name: string): string => `redrive_queue_oldest_ready_age_seconds{connection="main",queue="${name}"}`;
    // From the first scrape on it is counted what happens.
    expect((await metrics()).get('redrive_connection_up{connection="main"}')).toBe(1);
    const failing = await redrive.dispatch(report);
    await redrive.dispatch(charge);
    await redrive.dispatch(ping);
    while (await redrive.workOnce()) {
      // report fails for good, charge waits for its next attempt, ping is done.
    }
    await redrive.dispatch(ping, {}, { queue: 'slow' });
    await clock.advance('60s');
    await redrive.dispatch(ping, {}, { queue: 'slow' });
    await redrive.dispatch(ping, {}, { queue: 'slow', delay: '1h' });
    await clock.advance('30s');
    const found = await metrics();
    const expected: Readonly<Record<string, number>> = {
      [queue('default', 'ready')]: 0,
      [queue('default', 'delayed')]: 1,
      [queue('default', 'reserved')]: 0,
      [queue('default', 'failed')]: 1,
      [age('default')]: 0,
      [queue('slow', 'ready')]: 2,
      [queue('slow', 'delayed')]: 1,
      [queue('slow', 'failed')]: 0,
      [age('slow')]: 90,
      'redrive_untold_announcements{connection="main"}': 0,
      'redrive_failed_jobs_total{connection="main",pool="pool",queue="default",job="reports.nightly",kind="exception"}': 1,
      'redrive_retries_total{connection="main",pool="pool",queue="default",job="cards.charge"}': 1,
      'redrive_attempts_total{connection="main",pool="pool",queue="default",job="ping",outcome="completed"}': 1,
    };
    expect(Object.fromEntries(Object.keys(expected).map((key) => [key, found.get(key)]))).toEqual(expected);

    expect((await redrive.failedJobs.retry(failing)).requeued).toBe(1);
    await redrive.failedJobs.retry(failing);
    await clock.advance('10s');
    const retried = await metrics();
    expect([queue('default', 'ready'), queue('default', 'failed'), age('default'), age('slow')].map((key) => retried.get(key))).toEqual([
      1, 0, 10, 100,
    ]);
    expect(retried.get('redrive_retried_jobs_total{connection="main",queue="default",job="reports.nightly"}')).toBe(1);
  });
});
