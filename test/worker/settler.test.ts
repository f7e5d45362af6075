import { expect, it } from 'vitest';
import { RedriveError, type ErrorCode } from '../../src/errors.ts';
import type { PullProvider, SettleBatch, Settlement } from '../../src/provider/pull-provider.ts';
import type { FailureRecord } from '../../src/record/types.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Settler } from '../../src/worker/settler.ts';

const record = {
  message: 'the whole story',
  stack: 'at here',
  detail: 'more',
  extendedInfo: { a: 1 },
  exception: { type: 'E', message: 'the whole story', stack: 'at here' },
};

/** A failed attempt; only what the settler looks at. */
const failure = (id: string): Settlement =>
  ({ job: { id }, transition: { to: 'failed' }, record: record as unknown as FailureRecord }) as unknown as Settlement;

/** A settler on a store that throws these errors, one a call, and then holds. */
function setup(errors: unknown[]): { settler: Settler; clock: VirtualClock; written: SettleBatch[] } {
  const written: SettleBatch[] = [];
  const settle = async (_session: unknown, batch: SettleBatch): Promise<unknown> => {
    if (errors.length > 0) throw errors.shift();
    written.push(batch);
    return { failedJobIds: new Map(), late: new Set(), resolved: [] };
  };
  const clock = new VirtualClock();
  const provider = { settle } as unknown as PullProvider;
  const session = { id: 1, leaseMs: 1_000, lastSeq: 0 };
  const settler = new Settler(provider, session, { clock, logger: new RecordingLogger() }, new AbortController().signal, () => undefined);
  return { settler, clock, written };
}

it.each([
  'STORE_UNREACHABLE',
  'STORE_DENIED',
  'STORE_LOCKED',
  'STORE_BROKEN',
  'STORE_READ_ONLY',
  'STORE_MISSING',
  'STORE_UNMIGRATED',
] satisfies ErrorCode[])('keeps the whole record, and its neighbours with it, however long the store fails with %s', async (code) => {
  const { settler, clock, written } = setup(Array.from({ length: 10 }, () => new RedriveError(code, 'not now')));
  const settled = Promise.all([settler.settle(failure('a')), settler.settle(failure('b'))]);
  await clock.advance('10m');
  await settled;
  expect(written).toEqual([{ settlements: [failure('a'), failure('b')], announced: [] }]);
});

it('writes a plain record where the store refuses the whole one again and again, and its neighbours apart from it', async () => {
  const refused = (): Error => new Error('invalid byte sequence');
  const { settler, clock, written } = setup([refused(), refused(), refused()]);
  const settled = Promise.all([settler.settle(failure('a')), settler.settle(failure('b'))]);
  await clock.advance('1m');
  await settled;
  expect(written.map(({ settlements }) => settlements.map(({ job, record }) => [job.id, record?.message]))).toEqual([
    [['a', 'the whole story [the store refused the full record]']],
    [['b', 'the whole story']],
  ]);
});
