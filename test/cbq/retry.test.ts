import { setImmediate } from 'node:timers/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Connections } from '../../src/connections.ts';
import { defineJob, type FailedJob, type Job, type JobClass, type Redrive } from '../../src/index.ts';
import type { FailureLog } from '../../src/record/failure-log.ts';
import { sqliteRedrive, type SqliteRedriveOptions } from '../support/sqlite-redrive.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { cbqRow, lastShape, makeCbqTable, publishedBytes, writeAsCbq, type CbqRow } from './published-table.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

interface Ran {
  readonly id: string;
  readonly properties: unknown;
  readonly run: number;
  readonly attempt: number;
  readonly maxAttempts: number;
}

interface Scene {
  readonly filename: string;
  readonly redrive: Redrive;
  readonly ran: Ran[];
  readonly options: SqliteRedriveOptions;
  readonly failed: (id: number) => Promise<FailedJob>;
  /** Works until nothing is left to work. */
  readonly work: () => Promise<void>;
}

/** A migrated table of cbq's, and a program that knows SendWelcomeEmailJob, which throws while `fails()` says so. */
async function setup(
  given: readonly CbqRow[],
  { fails = () => false, migrated = true, ...other }: SqliteRedriveOptions & { fails?: () => boolean; migrated?: boolean } = {},
): Promise<Scene> {
  const filename = join(temporaryFolder(), 'app.db');
  const ran: Ran[] = [];
  const handle = ({ id, properties, run, attempt, maxAttempts }: Job): void => {
    ran.push({ id, properties, run, attempt, maxAttempts });
    if (fails()) throw new TypeError('failed here too');
  };
  const jobs: readonly JobClass[] = [defineJob({ name: 'SendWelcomeEmailJob', handle })];
  const options = { jobs, ...other };
  makeCbqTable(filename, lastShape, migrated ? given : []);
  const migrating = await sqliteRedrive(filename, options);
  await migrating.migrate();
  if (!migrated) writeAsCbq(filename, lastShape, given);
  // One that may not create anything numbers no rows when it opens the file.
  const redrive = migrated ? migrating : await sqliteRedrive(filename, { ...options, access: 'change' });
  return {
    filename,
    redrive,
    ran,
    options,
    failed: async (id) => (await redrive.failedJobs.find(id))!,
    work: async () => {
      while (await redrive.workOnce());
    },
  };
}

const jobs = (
  filename: string,
): readonly { uuid: string; mapping: string; queue: string; memento: string; status: string; run: number }[] =>
  rows(filename, 'SELECT uuid, mapping, queue, memento, status, run FROM redrive_jobs ORDER BY id');
const logOf = async (redrive: Redrive): Promise<FailureLog> =>
  (await (redrive as unknown as { works: { connections: Connections } }).works.connections.failureLog())!;

describe.each([true, false])('a retry of what cbq wrote (numbered by then: %s)', (migrated) => {
  it('dispatches a new job of that name from its memento, and says which; success resolves the row', async () => {
    const properties = { userId: 7, name: 'Zoë 🦊', nested: { list: [1, null, 'x'] } };
    const { filename, redrive, ran, failed, work } = await setup(
      [cbqRow({ properties, maxAttempts: 3, currentAttempt: 3, timeout: 20, backoff: 5 })],
      { migrated },
    );
    const before = publishedBytes(filename, lastShape);
    const retried: unknown[] = [];
    redrive.on('onJobRetried', (event) => retried.push(event));
    const { requeued, outcomes } = await redrive.failedJobs.retry(1, { note: 'mail is back', by: 'ann' });
    expect({ requeued, outcomes }).toEqual({
      requeued: 1,
      outcomes: [{ id: 1, status: 'requeued', detail: expect.stringMatching(/^as job [0-9a-f-]{36}$/) }],
    });
    const { jobId } = await failed(1);
    expect(jobId).toMatch(uuid);
    expect(outcomes[0]!.detail).toBe(`as job ${jobId}`);
    expect(await failed(1)).toMatchObject({ status: 'retrying', run: 2, note: 'mail is back' });
    expect(retried).toMatchObject([{ by: 'ann', run: 2, job: { id: jobId, name: 'SendWelcomeEmailJob', properties } }]);
    expect(jobs(filename)).toMatchObject([{ uuid: jobId, mapping: 'SendWelcomeEmailJob', queue: 'default', status: 'ready', run: 2 }]);
    expect(JSON.parse(jobs(filename)[0]!.memento)).toMatchObject({
      id: jobId,
      name: 'SendWelcomeEmailJob',
      properties,
      options: { maxAttempts: 3, timeoutMs: 20_000, backoff: [5_000] },
    });
    await work();
    expect(ran).toEqual([{ id: jobId, properties, run: 2, attempt: 1, maxAttempts: 3 }]);
    expect(await failed(1)).toMatchObject({ status: 'resolved', jobId });
    expect(await redrive.status(jobId!)).toMatchObject({ status: 'successful' });
    expect(await redrive.failedJobs.count()).toBe(0);
    // What cbq wrote is still on record.
    expect(publishedBytes(filename, lastShape)).toEqual(before);
  });

  it('that fails again reopens the same row, which is then a failed job like any other', async () => {
    let fails = true;
    const { filename, redrive, ran, failed, work } = await setup([cbqRow({ maxAttempts: 2 })], { fails: () => fails, migrated });
    await redrive.failedJobs.retry(1);
    await work();
    const again = await failed(1);
    expect(again).toMatchObject({
      id: 1,
      status: 'failed',
      run: 2,
      attempts: 2,
      maxAttempts: 2,
      type: 'TypeError',
      message: 'failed here too',
      history: [
        { run: 2, attempt: 1 },
        { run: 2, attempt: 2 },
      ],
    });
    expect(rows(filename, 'SELECT originalId, typeof(failedDate) AS form FROM cbq_failed_jobs')).toEqual([
      { originalId: again.jobId, form: 'integer' },
    ]);
    fails = false;
    expect((await redrive.failedJobs.retry(again.jobId!)).outcomes).toEqual([{ id: again.jobId, status: 'requeued' }]);
    await work();
    expect(await failed(1)).toMatchObject({ status: 'resolved', run: 3, jobId: again.jobId });
    expect(new Set(ran.map(({ id }) => id))).toEqual(new Set([again.jobId]));
    expect(rows(filename, 'SELECT count(*) AS n FROM cbq_failed_jobs')).toEqual([{ n: 1 }]);
  });

  it('twice at once is won by one', async () => {
    const { filename, redrive, options, ran, work } = await setup([cbqRow()], { migrated });
    const another = await sqliteRedrive(filename, { ...options, access: 'change' });
    const results = await Promise.all([redrive, another, redrive, another].map((one) => one.failedJobs.retry(1)));
    expect(results.map(({ requeued }) => requeued).filter((one) => one > 0)).toEqual([1]);
    expect(new Set(results.flatMap(({ outcomes }) => outcomes).map(({ status }) => status))).toEqual(new Set(['requeued', 'not_failed']));
    await work();
    expect(ran).toHaveLength(1);
  });

  it('by a filter moves each once, also when they fail again meanwhile', async () => {
    const { redrive, ran, work } = await setup(
      [cbqRow({ properties: { n: 1 } }), cbqRow({ mapping: 'OtherJob' }), cbqRow({ properties: { n: 2 } })],
      { fails: () => true, migrated },
    );
    const { requeued, outcomes } = await redrive.failedJobs.retry({ job: 'SendWelcomeEmailJob' });
    expect(requeued).toBe(2);
    expect(outcomes.map(({ id, status }) => [id, status])).toEqual([
      [1, 'requeued'],
      [3, 'requeued'],
    ]);
    await work();
    expect(ran.map(({ properties }) => properties)).toEqual([{ n: 1 }, { n: 2 }]);
    expect((await redrive.failedJobs.retry({ job: 'SendWelcomeEmailJob' })).requeued).toBe(2);
  });

  it('that died between taking the row and making the job leaves it to the next one', async () => {
    const { redrive, ran, failed, work } = await setup([cbqRow({ properties: { n: 1 } })], { migrated });
    const taken = '01890000-0000-7000-8000-000000000001';
    expect(await (await logOf(redrive)).claim(1, taken)).toBe(true);
    expect(await (await logOf(redrive)).claim(1, '01890000-0000-7000-8000-000000000002')).toBe(false);
    // A forget that has looked at it before does not take it from under the retry.
    expect(await (await logOf(redrive)).forget([1], { unclaimed: true })).toEqual([]);
    expect(await failed(1)).toMatchObject({ jobId: taken, status: 'failed' });
    expect(await redrive.failedJobs.count()).toBe(1);
    expect((await redrive.failedJobs.retry(1)).outcomes).toEqual([{ id: 1, status: 'requeued', detail: `as job ${taken}` }]);
    await work();
    expect(ran).toMatchObject([{ id: taken, properties: { n: 1 } }]);
    expect(await failed(1)).toMatchObject({ status: 'resolved' });
  });

  it('in a dry run names what would move, and changes nothing that cbq or a person would see', async () => {
    const { filename, redrive } = await setup([cbqRow(), cbqRow({}, { memento: '{"half' })], { migrated });
    const before = publishedBytes(filename, lastShape);
    expect((await redrive.failedJobs.retry([1, 2], { dryRun: true })).outcomes).toEqual([
      { id: 1, status: 'would_requeue' },
      { id: 2, status: 'error', detail: expect.stringContaining('cannot be read') },
    ]);
    expect(await redrive.failedJobs.retry({}, { dryRun: true })).toMatchObject({
      requeued: 0,
      outcomes: [
        { id: 1, status: 'would_requeue' },
        { id: 2, status: 'error' },
      ],
    });
    expect(publishedBytes(filename, lastShape)).toEqual(before);
    expect(jobs(filename)).toEqual([]);
    expect((await redrive.failedJobs.list()).items.map(({ jobId }) => jobId)).toEqual([null, null]);
  });

  it('goes to the queue it came from or the one it is told, after a delay if one is asked for', async () => {
    const { filename, redrive } = await setup([cbqRow({ queue: 'high' }), cbqRow({ queue: 'high' })], { migrated });
    await redrive.failedJobs.retry(1);
    await redrive.failedJobs.retry(2, { queue: 'low', delay: '1h' });
    expect(jobs(filename).map(({ queue, status }) => [queue, status])).toEqual([
      ['high', 'ready'],
      ['low', 'waiting'],
    ]);
  });

  it("keeps a queue's name that looks like a number", async () => {
    const { filename, redrive } = await setup([cbqRow({ queue: '000123' })], { migrated });
    await redrive.failedJobs.retry(1);
    expect(jobs(filename)).toMatchObject([{ queue: '000123' }]);
    expect((await redrive.failedJobs.find(1))!.queue).toBe('000123');
  });

  it('whose connection is not in the config names it', async () => {
    const { filename, redrive } = await setup([cbqRow({ connection: 'rabbit' })], { migrated });
    expect((await redrive.failedJobs.retry(1)).outcomes).toEqual([
      { id: 1, status: 'error', detail: 'its connection "rabbit" is not in this config' },
    ]);
    expect(jobs(filename)).toEqual([]);
    expect((await redrive.failedJobs.find(1))!.jobId).toBeNull();
  });

  it.each([
    ['{"id":1,"mapping":"Send', 'cannot be read'],
    ['', 'cannot be read'],
    ['[]', 'it is no JSON object'],
    ['{"mapping":"SendWelcomeEmailJob","properties":[1]}', 'its properties are no JSON object'],
  ])('whose memento is %j says so and leaves the row as it was', async (memento, detail) => {
    const { filename, redrive } = await setup([cbqRow({}, { memento }), cbqRow()], { migrated });
    expect((await redrive.failedJobs.retry([1, 2])).outcomes).toMatchObject([
      { id: 1, status: 'error', detail: expect.stringContaining(detail) },
      { id: 2, status: 'requeued' },
    ]);
    expect(await redrive.failedJobs.find(1)).toMatchObject({ status: 'failed', jobId: null });
    expect(jobs(filename)).toHaveLength(1);
  });

  it('says what of the job is not taken over', async () => {
    const { redrive } = await setup([cbqRow({ chained: [{ mapping: 'NextJob' }, { mapping: 'LastJob' }], batchId: 'B-1' })], { migrated });
    expect((await redrive.failedJobs.retry(1)).outcomes[0]!.detail).toMatch(
      /^as job \S+, without the 2 job\(s\) chained to it, outside of its batch$/,
    );
  });

  it('runs by the rules of the pool where the memento says nothing', async () => {
    const { ran, redrive, work } = await setup([cbqRow({ maxAttempts: null, timeout: null, backoff: null })], {
      migrated,
      config: { workerPools: { pool: { connection: 'main', maxAttempts: 4 } } },
      fails: () => true,
    });
    await redrive.failedJobs.retry(1);
    await work();
    expect(ran.map(({ attempt, maxAttempts }) => [attempt, maxAttempts])).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ]);
  });
});

describe('a retry of what cbq wrote into a log in another file than the jobs', () => {
  it('is told of success, and of failing again', async () => {
    const folder = temporaryFolder();
    const log = join(folder, 'log.db');
    makeCbqTable(log, lastShape, [cbqRow({ properties: { fails: false } }), cbqRow({ properties: { fails: true } })]);
    const handle = ({ properties }: Job<{ fails: boolean }>): void => {
      if (properties.fails) throw new Error('again');
    };
    const redrive = await sqliteRedrive(join(folder, 'jobs.db'), {
      jobs: [defineJob({ name: 'SendWelcomeEmailJob', handle })],
      config: {
        logFailedJobsProperties: { datasource: { client: 'better-sqlite3', connection: { filename: log }, useNullAsDefault: true } },
      },
    });
    await redrive.start();
    expect((await redrive.failedJobs.retry([1, 2])).requeued).toBe(2);
    while (
      (await redrive.failedJobs.find(1))!.status !== 'resolved' ||
      (await redrive.failedJobs.find(2))!.run !== 2 ||
      (await redrive.failedJobs.find(2))!.status !== 'failed'
    )
      await setImmediate();
    expect(await redrive.failedJobs.find(2)).toMatchObject({ message: 'again', jobId: expect.stringMatching(uuid) });
    expect(rows(log, 'SELECT count(*) AS n FROM cbq_failed_jobs')).toEqual([{ n: 2 }]);
  });
});

describe.each([true, false])('by hand, what cbq wrote (numbered by then: %s)', (migrated) => {
  it('is resolved by its number, with a note', async () => {
    const { filename, redrive, failed } = await setup([cbqRow(), cbqRow()], { migrated });
    const before = publishedBytes(filename, lastShape);
    expect(await redrive.failedJobs.resolve([1, 99], { note: 'sent by hand' })).toEqual({
      resolved: 1,
      outcomes: [
        { id: 1, status: 'resolved' },
        { id: 99, status: 'not_found' },
      ],
    });
    expect(await failed(1)).toMatchObject({ status: 'resolved', note: 'sent by hand', jobId: null });
    expect((await redrive.failedJobs.list()).items.map(({ id }) => id)).toEqual([2]);
    expect((await redrive.failedJobs.list({ status: 'resolved' })).items.map(({ id }) => id)).toEqual([1]);
    expect((await redrive.failedJobs.resolve(1)).outcomes).toEqual([{ id: 1, status: 'not_failed' }]);
    expect((await redrive.failedJobs.retry(1)).outcomes).toMatchObject([{ id: 1, status: 'not_failed', detail: 'it is resolved' }]);
    expect(publishedBytes(filename, lastShape)).toEqual(before);
  });

  it('is forgotten by its number, by a filter, and also after it was taken for a retry that died', async () => {
    const { filename, redrive } = await setup([cbqRow(), cbqRow({ queue: 'slow' }), cbqRow(), cbqRow({ queue: 'slow' })], { migrated });
    expect(await redrive.failedJobs.forget(1)).toEqual({ removed: 1, outcomes: [{ id: 1, status: 'removed' }] });
    expect((await redrive.failedJobs.forget({ queue: 'slow' })).outcomes).toEqual([
      { id: 2, status: 'removed' },
      { id: 4, status: 'removed' },
    ]);
    await (await logOf(redrive)).claim(3, '01890000-0000-7000-8000-000000000001');
    expect((await redrive.failedJobs.forget(3)).outcomes).toEqual([{ id: 3, status: 'removed' }]);
    expect(rows(filename, 'SELECT id FROM cbq_failed_jobs')).toEqual([]);
  });

  it('stays while it is being retried', async () => {
    const { redrive } = await setup([cbqRow()], { migrated });
    await redrive.failedJobs.retry(1);
    expect((await redrive.failedJobs.forget(1)).outcomes).toEqual([{ id: 1, status: 'retrying' }]);
    expect((await redrive.failedJobs.resolve(1)).outcomes).toEqual([{ id: 1, status: 'not_failed' }]);
  });
});
