import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DatabaseProvider } from '../../providers/database/index.ts';
import { defineJob, isRedriveError, type RedriveConfig } from '../../src/index.ts';
import { using, World } from '../../src/testing/conformance/world.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const seen: unknown[] = [];
const job = defineJob({
  name: 'charge',
  unique: (properties: { card: string; amount: number }) => properties.card,
  handle: (self) => {
    seen.push(self.properties);
    if ((self.properties as { amount: number }).amount > 100) throw new Error(`too much`);
  },
});

async function inWorld(test: (world: World, filename: string) => Promise<void>, config: Partial<RedriveConfig> = {}): Promise<void> {
  seen.length = 0;
  const filename = join(temporaryFolder(), 'jobs.db');
  const connection = { provider: DatabaseProvider, properties: { client: 'better-sqlite3', connection: { filename } } };
  const subject = { connection, dispose: async () => undefined };
  await using(await World.make(async () => subject, { jobs: [job], config }), (world) => test(world, filename));
}

async function failed(world: World, card: string, amount = 1_000): Promise<string> {
  const before = await world.redrive.failedJobs.count();
  const id = await world.redrive.dispatch(job, { card, amount });
  await world.redrive.start();
  await world.until('it to have failed', async () => (await world.redrive.failedJobs.count()) === before + 1);
  return id;
}

describe('F46: retrying with edited properties', () => {
  it('works on the real values where what is shown is redacted, and the audit shows the patch redacted', async () => {
    await inWorld(
      async (world) => {
        const id = await failed(world, '4242');
        expect((await world.failedJob()).properties).toEqual({ card: '[redacted]', amount: 1_000 });
        await world.redrive.failedJobs.retry(id, { properties: { amount: 10 }, by: 'ann' });
        await world.failedJob('resolved');
        expect(seen.at(-1)).toEqual({ card: '4242', amount: 10 });
        await world.redrive.pause('default');
        const other = await world.redrive.dispatch(job, { card: '1', amount: 1 });
        await world.redrive.failedJobs.markFailed(other);
        await world.redrive.failedJobs.retry(other, { properties: { card: '4343' }, by: 'bob' });
        const { items } = await world.redrive.audit();
        expect(items[0]).toMatchObject({ action: 'edited', by: 'bob', detail: { properties: { card: '[redacted]' } } });
        expect(JSON.stringify(items)).not.toContain('4343');
      },
      { redact: ['properties.card'] },
    );
  });

  it('asks for the unique key of what the job has become', async () => {
    await inWorld(async (world) => {
      const { redrive } = world;
      const first = await failed(world, 'a');
      await redrive.pause('default');
      await redrive.dispatch(job, { card: 'b', amount: 1 });
      const { outcomes } = await redrive.failedJobs.retry(first, { properties: { card: 'b' } });
      expect(outcomes).toEqual([{ id: first, status: 'duplicate', detail: 'another job holds its unique key' }]);
      expect((await redrive.failedJobs.retry(first, { properties: { card: 'c' } })).requeued).toBe(1);
      expect(await redrive.dispatch(job, { card: 'c', amount: 1 })).toBe(first);
      expect(await redrive.dispatch(job, { card: 'a', amount: 1 })).not.toBe(first);
    });
  });

  it('has an outcome of its own for a job whose payload cannot be read, and moves the others', async () => {
    await inWorld(async (world, filename) => {
      const ids = [await failed(world, 'a'), await failed(world, 'b')];
      rows(filename, `UPDATE cbq_failed_jobs SET memento = '{"id":' WHERE job_id = ? RETURNING id`, ids[0]);
      const { requeued, outcomes } = await world.redrive.failedJobs.retry(ids, { properties: { amount: 1 } });
      expect(requeued).toBe(1);
      expect(outcomes).toMatchObject([{ status: 'error', detail: expect.stringContaining('no JSON') }, { status: 'requeued' }]);
    });
  });

  it('changes nothing in a dry run, and foresees what does not fit', async () => {
    await inWorld(async (world, filename) => {
      const id = await failed(world, 'a');
      const before = rows(filename, 'SELECT * FROM redrive_jobs');
      const { outcomes } = await world.redrive.failedJobs.retry(id, { properties: { amount: 1 }, dryRun: true });
      expect(outcomes).toEqual([{ id, status: 'would_requeue' }]);
      expect(rows(filename, 'SELECT * FROM redrive_jobs')).toEqual(before);
      expect((await world.redrive.audit()).items).toEqual([]);
    });
  });

  it.each([
    [{ card: 'x [redacted] y' }, /stands for a value that is not shown/],
    [{ '[redacted]': 1 }, /stands for a value that is not shown/],
    [[1], /pass a plain object/],
    ['{"amount":1}', /pass a plain object/],
    [{ at: new Date() }, /properties\.at/],
    [null, /pass a plain object/],
  ])('refuses %j as a patch', async (patch, reason) => {
    await inWorld(async (world) => {
      const id = await failed(world, 'a');
      const refused = world.redrive.failedJobs.retry(id, { properties: patch as object });
      await expect(refused).rejects.toThrow(reason);
      await expect(refused).rejects.toSatisfy((error) => isRedriveError(error, 'PROPERTIES_INVALID'));
      expect(await world.redrive.failedJobs.count()).toBe(1);
    });
  });

  it('keeps a job that was edited as it became when its row is lost, and nothing shows a memento', async () => {
    await inWorld(async (world, filename) => {
      const { redrive } = world;
      const id = await failed(world, 'a');
      await redrive.failedJobs.retry(id, { properties: { amount: 500 } });
      await world.until('it to fail again', () => world.at('onJobFailed').length === 2);
      expect(JSON.stringify(await redrive.failedJobs.find(id))).not.toMatch(/memento/i);
      rows(filename, 'DELETE FROM redrive_jobs RETURNING id');
      await redrive.failedJobs.retry(id);
      await world.until('it to fail again', () => world.at('onJobFailed').length === 3);
      expect(seen).toEqual([1_000, 500, 500].map((amount) => ({ card: 'a', amount })));
    });
  });
});

describe('failedJobs.forecast', () => {
  /** The same job as another release has it: its cards have to be of the bank that it knows. */
  const strict = (validate: (value: unknown) => { value: unknown } | { issues: { message: string; path: string[] }[] } | Promise<never>) =>
    defineJob({
      name: 'charge',
      maxAttempts: 4,
      backoff: ['1s', '1m'],
      schema: { '~standard': { version: 1, vendor: 'test', validate } },
      handle: () => 1,
    });

  it('says what does not fit the schema, with nothing in it that is redacted, and which job says how often it is tried', async () => {
    await inWorld(
      async (world) => {
        const id = await failed(world, 'secret-card-4242');
        const { card } = { card: 'secret-card-4242' };
        const release = strict(() => ({ issues: [{ message: `${card} is of no bank`, path: ['card'] }] }));
        const other = await world.another({ jobs: [release] });
        expect(await other.failedJobs.forecast(id)).toEqual({
          outcome: 'would_requeue',
          connection: 'main',
          queue: 'default',
          pool: 'pool',
          maxAttempts: 4,
          backoff: '1s, then 1m each time',
          from: { maxAttempts: 'job', backoff: 'job' },
          uniqueKey: { heldBy: null },
          registered: true,
          schema: 'misfit',
          faults: ['properties.card: [redacted] is of no bank'],
        });
        // It would fail again, but it would move, and nothing was changed by asking.
        expect((await other.failedJobs.retry(id, { dryRun: true })).outcomes).toEqual([{ id, status: 'would_requeue' }]);
        expect((await other.failedJobs.find(id))?.status).toBe('failed');
        expect(await other.failedJobs.forecast(999)).toBeUndefined();
      },
      { redact: ['properties.card'] },
    );
  });

  it('waits two seconds for a schema, and knows nothing then, nor of a job that is not registered', async () => {
    await inWorld(async (world) => {
      const id = await failed(world, '4242');
      const hanging = await world.another({ jobs: [strict(() => new Promise<never>(() => undefined))] });
      const forecast = hanging.failedJobs.forecast(id);
      await world.clock.advance('2s');
      expect(await forecast).toMatchObject({ registered: true, schema: 'unknown' });
      const empty = await world.another({ jobs: [] });
      expect(await empty.failedJobs.forecast(id)).toMatchObject({
        registered: false,
        schema: 'unknown',
        maxAttempts: 1,
        from: { maxAttempts: 'pool' },
      });
    });
  });

  it('says that one that was dealt with would stay', async () => {
    await inWorld(async (world) => {
      const id = await failed(world, '4242');
      await world.redrive.failedJobs.resolve(id);
      expect(await world.redrive.failedJobs.forecast(id)).toMatchObject({ outcome: 'not_failed', detail: 'it is resolved' });
    });
  });
});
