import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryFailureLog } from '../../../providers/memory/memory-failure-log.ts';
import type { FailedJobFilter, Place } from '../../../src/record/failure-log.ts';
import { failureRecord } from './records.ts';

const all = { limit: 100, order: 'oldest' } as const;

async function setup(...records: readonly Parameters<typeof failureRecord>[0][]): Promise<MemoryFailureLog> {
  const log = new MemoryFailureLog();
  await log.append(records.map(failureRecord));
  return log;
}

async function found(log: MemoryFailureLog, filter: FailedJobFilter): Promise<readonly (string | null)[]> {
  const rows = await log.list(filter, all);
  expect(await log.count(filter)).toBe(rows.length);
  return rows.map(({ jobId }) => jobId);
}

describe('MemoryFailureLog', () => {
  it('finds a failed job by its id and by its number, whole', async () => {
    const log = await setup({ jobId: 'a', release: 'v1', extendedInfo: { status: 503 }, detail: 'said so' });
    const {
      eventId: _eventId,
      startedAt: _startedAt,
      retryAt: _retryAt,
      endedAt,
      attempt,
      ...record
    } = failureRecord({ jobId: 'a', release: 'v1', extendedInfo: { status: 503 }, detail: 'said so' });
    const expected = {
      ...record,
      editedMemento: null,
      id: 1,
      seq: 1,
      place: { at: 3_000, id: 1 },
      status: 'failed',
      note: null,
      attempts: attempt,
      failedAt: endedAt,
    };
    expect(await log.find('a')).toEqual(expected);
    expect(await log.find(1)).toEqual(expected);
    expect(await log.find('nobody')).toBeUndefined();
    expect(await log.find(2)).toBeUndefined();
  });

  it('narrows by every key of a filter', async () => {
    const log = await setup(
      { jobId: 'a', message: 'Gateway ÄRGER 503', endedAt: 5_000 },
      {
        jobId: 'b',
        connection: 'other',
        queue: 'mail',
        job: 'send',
        type: 'RangeError',
        kind: 'timeout',
        fingerprint: 'fedcba9876543210',
        release: 'v2',
        endedAt: 6_000,
      },
      { jobId: 'c', properties: { to: 'Anna@Example.com' }, endedAt: 7_000 },
    );
    expect(await found(log, {})).toEqual(['a', 'b', 'c']);
    for (const filter of [
      { connection: 'other' },
      { queue: 'mail' },
      { job: 'send' },
      { type: 'RangeError' },
      { kind: 'timeout' },
      { fingerprint: 'fedcba9876543210' },
      { release: 'v2' },
    ] as const) {
      expect(await found(log, filter)).toEqual(['b']);
    }
    expect(await found(log, { ids: ['c', 1, 'nobody'] })).toEqual(['a', 'c']);
    expect(await found(log, { ids: [] })).toEqual([]);
    expect(await found(log, { text: 'gateway ärger' })).toEqual(['a']);
    expect(await found(log, { text: 'anna@EXAMPLE' })).toEqual(['c']);
    expect(await found(log, { text: '%' })).toEqual([]);
    expect(await found(log, { since: new Date(6_000) })).toEqual(['b', 'c']);
    expect(await found(log, { until: new Date(6_000) })).toEqual(['a']);
    expect(await found(log, { queue: 'mail', kind: 'exception' })).toEqual([]);
  });

  it('moves a row forward only: a step that is late, or told twice, changes nothing', async () => {
    const log = await setup({ jobId: 'a' });
    const at = 0;
    const seen = async (): Promise<unknown> => {
      const row = await log.find('a');
      return [row?.status, row?.run, row?.note];
    };
    await log.retrying([{ jobId: 'a', run: 2, at, note: 'try' }]);
    await log.retrying([{ jobId: 'a', run: 2, at, note: 'twice' }]);
    expect(await seen()).toEqual(['retrying', 2, 'try']);
    expect(await log.append([failureRecord({ jobId: 'a' })])).toEqual([{ jobId: 'a', id: 1 }]);
    expect(await seen()).toEqual(['retrying', 2, 'try']);
    await log.resolved([{ jobId: 'a', run: 1, at }]);
    expect(await seen()).toEqual(['retrying', 2, 'try']);
    expect(await log.forget([1])).toEqual([]);
    await log.append([failureRecord({ jobId: 'a', run: 2, message: 'again' })]);
    expect(await seen()).toEqual(['failed', 2, 'try']);
    expect(await log.lastSeq()).toBe(2);
    await log.append([failureRecord({ jobId: 'a', run: 2, message: 'told twice' })]);
    expect((await log.find('a'))?.message).toBe('again');
    await log.retrying([{ jobId: 'a', run: 3, at }]);
    await log.resolved([{ jobId: 'a', run: 3, at, note: 'mended' }]);
    await log.append([failureRecord({ jobId: 'a', run: 3 })]);
    expect(await seen()).toEqual(['resolved', 3, 'mended']);
    expect(await log.forget([1, 2])).toEqual([1]);
    expect([await log.find('a'), await log.find(1), await log.count({ status: 'any' })]).toEqual([undefined, undefined, 0]);
  });

  it('gives no number twice, also after one was forgotten', async () => {
    const log = await setup({ jobId: 'a' }, { jobId: 'b' });
    await log.forget([2]);
    expect(await log.append([failureRecord({ jobId: 'c' })])).toEqual([{ jobId: 'c', id: 3 }]);
  });

  it('F34: pages through in the order of failures, while jobs fail again and are forgotten', async () => {
    const steps = fc.array(
      fc.oneof(fc.record({ fail: fc.nat({ max: 15 }), at: fc.nat({ max: 20 }) }), fc.record({ forget: fc.nat({ max: 15 }) })),
      { maxLength: 120 },
    );
    const order = fc.constantFrom('newest' as const, 'oldest' as const);
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), order, async (given, limit, direction) => {
        const log = new MemoryFailureLog();
        const expected = new Map<string, Place>();
        const runs = new Map<string, number>();
        for (const step of given) {
          const jobId = `job ${'fail' in step ? step.fail : step.forget}`;
          if ('fail' in step) {
            const run = (runs.get(jobId) ?? 0) + 1;
            runs.set(jobId, run);
            const [{ id } = { id: 0 }] = await log.append([failureRecord({ jobId, run, endedAt: step.at })]);
            expected.set(jobId, { at: step.at, id });
          } else {
            await log.forget([(await log.find(jobId))?.id ?? 0]);
            expected.delete(jobId);
          }
        }
        const through = await log.lastSeq();
        await log.append([failureRecord({ jobId: 'later', endedAt: 10 })]);
        const pages: (string | null)[] = [];
        for (let after: Place | undefined; ;) {
          const page = await log.list({}, { limit, order: direction, through, ...(after === undefined ? {} : { after }) });
          if (page.length === 0) break;
          pages.push(...page.map(({ jobId }) => jobId));
          after = page.at(-1)?.place;
        }
        const oldest = [...expected].toSorted(([, a], [, b]) => a.at - b.at || a.id - b.id).map(([jobId]) => jobId);
        expect(pages).toEqual(direction === 'oldest' ? oldest : oldest.toReversed());
      }),
    );
  });
});
