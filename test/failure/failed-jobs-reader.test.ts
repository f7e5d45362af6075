import { describe, expect, it, onTestFinished } from 'vitest';
import { FailedJobsReader } from '../../interceptors/log-failed-jobs/failed-jobs-reader.ts';
import { SqlFailureLog } from '../../interceptors/log-failed-jobs/index.ts';
import { failedJobsMigrations } from '../../migrations/index.ts';
import { Stores } from '../../providers/database/store-source.ts';
import type { FailedJobFilter, FailedJobPage, Place } from '../../src/record/failure-log.ts';
import type { FailureRecord } from '../../src/record/types.ts';
import { failureRecord } from '../providers/memory/records.ts';

const table = 'cbq_failed_jobs';
const always = (): boolean => true;
const never = (): boolean => false;

/** A reader that takes small steps. */
async function setup(
  records: readonly (Partial<FailureRecord> & { readonly jobId: string })[],
): Promise<{ reader: FailedJobsReader; statements: () => number }> {
  const stores = new Stores();
  onTestFinished(() => stores.close());
  const store = await stores.open({ client: 'better-sqlite3', connection: { filename: ':memory:' } }, 'create');
  await store.migrate(failedJobsMigrations(table));
  await new SqlFailureLog(store, { tableName: table }).append(records.map(failureRecord));
  let reads = 0;
  const counting = Object.create(store, {
    read: { value: (script: Parameters<typeof store.read>[0]) => ((reads += 1), store.read(script)) },
  }) as typeof store;
  const reader = new FailedJobsReader(
    counting,
    { sql: store.sql, name: store.sql.table(table), from: () => store.builder(table) },
    { first: 3, longest: 5 },
  );
  return { reader, statements: () => reads };
}

/** Jobs 1 to 60, by rising time; each fourth one's message has the word. */
const some = Array.from({ length: 60 }, (_, index) => ({
  jobId: `job ${index + 1}`,
  endedAt: 1_000 + index,
  message: index % 4 === 0 ? 'a needle' : 'hay',
  release: index < 30 ? 'v1' : 'v2',
  queue: index % 2 === 0 ? 'even' : 'odd',
}));

async function everyPage(
  reader: FailedJobsReader,
  filter: FailedJobFilter,
  page: Pick<FailedJobPage, 'limit' | 'order'>,
): Promise<readonly (readonly number[])[]> {
  const pages: (readonly number[])[] = [];
  for (let after: Place | undefined; ;) {
    const { rows, stoppedAt } = await reader.search(filter, { ...page, ...(after === undefined ? {} : { after }) }, never);
    pages.push(rows.map(({ id }) => id));
    after = stoppedAt ?? (rows.length === page.limit ? rows.at(-1)!.place : undefined);
    if (after === undefined) return pages;
  }
}

describe('a search that no index answers', () => {
  it.each([
    ['newest', { text: 'NEEDLE' }],
    ['oldest', { text: 'needle' }],
    ['newest', { text: 'needle', queue: 'even' }],
    ['oldest', { release: 'v1', queue: 'even' }],
    ['newest', { release: 'v2', queue: 'even', text: 'needle', until: new Date(1_050) }],
  ] as const)('F34 %s first for %j, goes on where it was stopped and finds all, none twice', async (order, filter) => {
    const { reader } = await setup(some);
    const { rows } = await reader.search(filter, { limit: 100, order }, always);
    const expected = rows.map(({ id }) => id);
    expect(expected.length).toBeGreaterThan(2);
    const pages = await everyPage(reader, filter, { limit: 4, order });
    expect(pages.flat()).toEqual(expected);
    expect(pages.length).toBeGreaterThan(3);
    expect(await reader.count(filter)).toBe(expected.length);
  });

  it('F34 stops after one step where it may not go on, with what it found', async () => {
    const { reader, statements } = await setup(some);
    const { rows, stoppedAt } = await reader.search({ text: 'needle' }, { limit: 10, order: 'newest' }, never);
    expect(rows).toEqual([]);
    expect(stoppedAt).toEqual({ at: 1_057, id: 58 });
    expect(statements()).toBe(1);
  });

  it('F36 counts the newest only where it may not go on, and says so', async () => {
    const { reader } = await setup(some);
    const spans = { from: 0, ms: 10_000, count: 1 };
    const whole = await reader.tally({ text: 'needle' }, { spans, mayGoOn: always });
    expect(whole.partial).toBe(false);
    expect(whole.series.map(({ count }) => count)).toEqual([15]);
    expect(await reader.tally({ text: 'hay' }, { spans, mayGoOn: never })).toMatchObject({
      partial: true,
      series: [{ count: 2 }, { count: 1 }],
    });
    expect(await reader.histogram({ text: 'hay' }, { spans, mayGoOn: never })).toEqual({ partial: true, spans: [3] });
  });
});

describe('many series', () => {
  /** 120 of them, three failures each, whose times are entangled. */
  const many = Array.from({ length: 360 }, (_, index) => ({
    jobId: `job ${index}`,
    job: index % 2 === 0 ? 'even' : 'odd',
    fingerprint: `f${String(index % 120).padStart(15, '0')}`,
    endedAt: 1_000 + ((index * 7) % 180),
  }));
  const expected = (order: 'newest' | 'oldest'): readonly string[] => {
    const sign = order === 'oldest' ? 1 : -1;
    return many
      .map((record, index) => ({ ...record, id: index + 1 }))
      .filter(({ job }) => job === 'even')
      .toSorted((a, b) => sign * (a.endedAt - b.endedAt || a.id - b.id))
      .map(({ jobId }) => jobId);
  };

  it.each([
    ['newest', 1],
    ['oldest', 1],
    ['newest', 7],
    ['oldest', 200],
  ] as const)('F34 are merged into one list, %s first, %i at a time', async (order, limit) => {
    const { reader } = await setup(many);
    const found: (string | null)[] = [];
    for (let after: Place | undefined; ;) {
      const { rows } = await reader.search({ job: 'even' }, { limit, order, ...(after === undefined ? {} : { after }) }, always);
      found.push(...rows.map(({ jobId }) => jobId));
      if (rows.length < limit) break;
      after = rows.at(-1)!.place;
    }
    expect(found).toEqual(expected(order));
  });

  it('F35 are counted, those of the largest groups looked into', async () => {
    const { reader } = await setup([...many, { jobId: 'one more', fingerprint: 'f000000000000007', job: 'odd', endedAt: 5 }]);
    expect(await reader.count({ job: 'even' })).toBe(180);
    const { series } = await reader.tally({}, { spans: { from: 0, ms: 2_000, count: 1 }, samples: 1, largest: 1, mayGoOn: always });
    expect(series).toHaveLength(120);
    expect(series.filter(({ spans }) => spans.length > 0)).toMatchObject([
      { fingerprint: 'f000000000000007', count: 4, spans: [4], samples: [{ at: 1_169 }, { at: 5 }] },
    ]);
  });

  it('F36 are counted in part where it may not go on, and that is said', async () => {
    const { reader } = await setup(many);
    const { series, partial } = await reader.tally({}, { mayGoOn: never });
    expect(partial).toBe(true);
    expect(series.length).toBeLessThan(120);
    expect(
      (await reader.histogram({ job: 'even', status: 'any' }, { spans: { from: 0, ms: 2_000, count: 1 }, mayGoOn: never })).partial,
    ).toBe(true);
  });
});
