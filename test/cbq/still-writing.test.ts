import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FailedJobFilter } from '../../src/index.ts';
import type { StoreAccess } from '../../src/store/sql-store.ts';
import { defineJob, Unrecoverable } from '../../src/index.ts';
import { sqliteRedrive } from '../support/sqlite-redrive.ts';
import { rows } from '../support/tables.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { cbqRow, firstFailedAt, lastShape, makeCbqTable, shapeNames, writeAsCbq, type CbqRow, type Shape } from './published-table.ts';

const failing = defineJob({
  name: 'failing',
  handle: () => {
    throw new Unrecoverable('no');
  },
});

/** A failed job of ours, the newest of all, one that was migrated, and what an old cbq has written since. */
async function setup(
  since: readonly CbqRow[],
  shape: Shape = lastShape,
): Promise<{
  filename: string;
  look: () => ReturnType<typeof sqliteRedrive>;
  open: (access: StoreAccess) => ReturnType<typeof sqliteRedrive>;
}> {
  const filename = join(temporaryFolder(), 'app.db');
  makeCbqTable(filename, shape, [cbqRow({ mapping: 'MigratedJob' })]);
  const redrive = await sqliteRedrive(filename, { jobs: [failing] });
  await redrive.dispatch(failing);
  expect(await redrive.workOnce()).toBe(true);
  await redrive.stop();
  writeAsCbq(filename, shape, since);
  const open = (access: StoreAccess): ReturnType<typeof sqliteRedrive> => sqliteRedrive(filename, { access });
  return { filename, open, look: () => open('look') };
}

const later = (index: number): CbqRow =>
  cbqRow(
    {
      mapping: index % 2 === 0 ? 'EvenJob' : 'OddJob',
      queue: index < 3 ? 'few' : 'many',
      properties: { index },
      currentAttempt: 2,
      maxAttempts: 2,
    },
    { failedAt: firstFailedAt + 1_000 + index, exceptionType: index === 1 ? 'Rare' : 'MailServer.Unreachable' },
  );

const unnumbered = (filename: string): number =>
  rows<{ n: number }>(filename, 'SELECT count(*) AS n FROM cbq_failed_jobs WHERE status IS NULL')[0]!.n;

describe.each(shapeNames)('an old cbq that goes on writing (%s)', (shape) => {
  it('has its failures listed at once, by the time of each, without anything being written', async () => {
    const { filename, look } = await setup([later(0), later(1)], shape);
    const before = rows(filename, 'SELECT * FROM cbq_failed_jobs ORDER BY id');
    const redrive = await look();
    const { items, cursor } = await redrive.failedJobs.list();
    expect(items.map(({ job }) => job)).toEqual(['failing', 'OddJob', 'EvenJob', 'MigratedJob']);
    expect(cursor).toBeUndefined();
    expect(items[1]).toMatchObject({
      id: 4,
      jobId: null,
      status: 'failed',
      kind: 'exception',
      run: 1,
      attempts: 2,
      maxAttempts: 2,
      fingerprint: '',
      failedAt: new Date((firstFailedAt + 1_001) * 1_000),
      properties: { index: 1 },
    });
    expect(await redrive.failedJobs.find(4)).toMatchObject({ id: 4, job: 'OddJob', history: [] });
    expect(await redrive.failedJobs.count()).toBe(4);
    expect(await redrive.failedJobs.count({ status: 'any' })).toBe(4);
    expect(rows(filename, 'SELECT * FROM cbq_failed_jobs ORDER BY id')).toEqual(before);
  });
});

describe('rows that nobody has numbered yet', () => {
  const written = Array.from({ length: 7 }, (_, index) => later(index));

  it.each<[what: string, filter: FailedJobFilter, jobs: readonly number[]]>([
    ['queue', { queue: 'few' }, [5, 4, 3]],
    ['job', { job: 'EvenJob' }, [9, 7, 5, 3]],
    ['type', { type: 'Rare' }, [4]],
    ['text of the properties', { text: '"INDEX":6' }, [9]],
    ['text of the message', { text: 'MAIL server', queue: 'few' }, [5, 4, 3]],
    ['since', { since: new Date((firstFailedAt + 1_004) * 1_000) }, [2, 9, 8, 7]],
    ['until', { until: new Date((firstFailedAt + 1_002) * 1_000) }, [4, 3, 1]],
    ['a span of time', { since: new Date((firstFailedAt + 1_001) * 1_000), until: new Date((firstFailedAt + 1_003) * 1_000) }, [5, 4]],
    ['number', { ids: [8, 2, 4] }, [2, 8, 4]],
    ['kind', { kind: 'exception', connection: 'main' }, [2, 9, 8, 7, 6, 5, 4, 3, 1]],
    ['another kind', { kind: 'timeout' }, []],
    ['another connection', { connection: 'elsewhere' }, []],
    ['status', { status: 'failed', queue: 'many' }, [9, 8, 7, 6]],
    ['another status', { status: 'resolved' }, []],
    ['release', { release: 'v1' }, []],
    ['fingerprint', { fingerprint: '0000000000000000' }, []],
  ])('are found by %s, and counted by it', async (_, filter, expected) => {
    const { look } = await setup(written);
    const redrive = await look();
    expect((await redrive.failedJobs.list(filter)).items.map(({ id }) => id)).toEqual(expected);
    expect((await redrive.failedJobs.list(filter, { order: 'oldest' })).items.map(({ id }) => id)).toEqual(expected.toReversed());
    expect(await redrive.failedJobs.count(filter)).toBe(expected.length);
  });

  it.each([1, 2, 3, 200])('are paged through with all others, %i at a time, forwards and backwards', async (limit) => {
    const { look } = await setup(written);
    const redrive = await look();
    for (const order of ['newest', 'oldest'] as const) {
      const seen: number[] = [];
      for (let cursor: string | undefined; ;) {
        const page = await redrive.failedJobs.list({ status: 'any' }, { limit, order, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.cursor;
        if (cursor === undefined) break;
      }
      expect(seen).toEqual(order === 'newest' ? [2, 9, 8, 7, 6, 5, 4, 3, 1] : [1, 3, 4, 5, 6, 7, 8, 9, 2]);
    }
  });

  it('keep their place in a list that goes on after they were numbered, and after more were written', async () => {
    const { filename, look } = await setup(written);
    const redrive = await look();
    const newest = await redrive.failedJobs.list({}, { limit: 3 });
    const oldest = await redrive.failedJobs.list({}, { limit: 5, order: 'oldest' });
    expect(newest.items.map(({ id }) => id)).toEqual([2, 9, 8]);
    expect(oldest.items.map(({ id }) => id)).toEqual([1, 3, 4, 5, 6]);
    await (await sqliteRedrive(filename)).migrate();
    expect(unnumbered(filename)).toBe(0);
    writeAsCbq(filename, lastShape, [later(7)]);
    expect((await redrive.failedJobs.list({}, { cursor: newest.cursor! })).items.map(({ id }) => id)).toEqual([7, 6, 5, 4, 3, 1]);
    expect((await redrive.failedJobs.list({}, { cursor: oldest.cursor!, order: 'oldest' })).items.map(({ id }) => id)).toEqual([
      7, 8, 9, 10, 2,
    ]);
  });

  it('are found by time however many there are', async () => {
    const { look } = await setup(Array.from({ length: 650 }, (_, index) => later(index)));
    const redrive = await look();
    const filter = { since: new Date((firstFailedAt + 1_100) * 1_000), until: new Date((firstFailedAt + 1_500) * 1_000) };
    expect(await redrive.failedJobs.count(filter)).toBe(400);
    expect((await redrive.failedJobs.list(filter, { limit: 200 })).items.map(({ properties }) => properties)).toEqual(
      Array.from({ length: 200 }, (_, index) => ({ index: 499 - index })),
    );
  });

  it('can be read on a read-only file', async () => {
    const { filename, look } = await setup(written);
    chmodSync(filename, 0o444);
    const redrive = await look();
    expect(await redrive.failedJobs.count({ queue: 'many' })).toBe(4);
    expect((await redrive.failedJobs.list({ job: 'OddJob' })).items).toHaveLength(3);
  });

  it('are numbered by migrate, by start, and by a retry of a filter, behind all that were there', async () => {
    const numberedBy = {
      migrate: async (filename: string) => (await sqliteRedrive(filename)).migrate(),
      start: async (filename: string) => (await sqliteRedrive(filename)).start(),
      retry: async (filename: string) =>
        (await sqliteRedrive(filename, { access: 'change' })).failedJobs.retry({ job: 'nothing of this name' }),
    };
    for (const number of Object.values(numberedBy)) {
      const { filename } = await setup([later(5), later(4)]);
      await number(filename);
      expect(rows(filename, 'SELECT id, failure_seq, status FROM cbq_failed_jobs ORDER BY id')).toEqual([
        { id: 1, failure_seq: 1, status: 'failed' },
        { id: 2, failure_seq: 2, status: 'failed' },
        { id: 3, failure_seq: 4, status: 'failed' },
        { id: 4, failure_seq: 3, status: 'failed' },
      ]);
    }
  });

  it('cost the list of all others one look into an index', async () => {
    const { filename } = await setup(written);
    const plan = rows<{ detail: string }>(
      filename,
      'EXPLAIN QUERY PLAN SELECT id, "failedDate" FROM cbq_failed_jobs WHERE status IS NULL AND failed_at IS NULL AND mapping = 7',
    ).map(({ detail }) => detail);
    expect(plan).toEqual(['SEARCH cbq_failed_jobs USING INDEX cbq_failed_jobs_time (status=? AND failed_at=?)']);
  });
});

describe('what cbq wrote, under rules of redaction younger than it', () => {
  it('is shown without what they name, also where a text repeats it', async () => {
    const filename = join(temporaryFolder(), 'app.db');
    const properties = { card: '4111-1111', user: 7 };
    makeCbqTable(filename, lastShape, [
      cbqRow(
        { properties },
        {
          exceptionMessage: 'Card 4111-1111 was declined',
          exceptionDetail: 'for 4111-1111',
          exception: JSON.stringify({ Message: 'Card 4111-1111 was declined', number: '4111-1111' }),
        },
      ),
    ]);
    const redrive = await sqliteRedrive(filename, { config: { redact: ['properties.card'] } });
    await redrive.migrate();
    expect(JSON.stringify([await redrive.failedJobs.list(), await redrive.failedJobs.find(1)])).not.toContain('4111-1111');
    expect(await redrive.failedJobs.find(1)).toMatchObject({ properties: { user: 7 } });
  });
});
