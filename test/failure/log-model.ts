import fc from 'fast-check';
import type { FailedJobFilter, FailedJobStatus, FailureLog, Place } from '../../src/record/failure-log.ts';
import { failureKinds, type FailureRecord } from '../../src/record/types.ts';
import { failureRecord } from '../providers/memory/records.ts';

/** What happens to a log in a random test. Jobs are few, so that they fail again. */
export type LogStep =
  | { readonly kind: 'fail'; readonly job: number; readonly record: RandomFailure }
  | { readonly kind: 'retry' | 'resolve' | 'forget'; readonly job: number };

export interface RandomFailure {
  readonly connection: string;
  readonly queue: string;
  readonly cause: number;
  readonly failureKind: FailureRecord['kind'];
  readonly release: string | null;
  readonly endedAt: number;
  readonly word: string;
}

export const hour = 3_600_000;
const causes = [
  { job: 'mail', type: 'Timeout' },
  { job: 'mail', type: 'Refused' },
  { job: 'mail', type: 'Refused' },
  { job: 'bill', type: 'Refused' },
  { job: 'bill', type: 'Full' },
] as const;
const fingerprintOf = (cause: number): string => `f00000000000000${cause}`;

const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const time = fc.oneof(
  fc.integer({ min: 0, max: 50 * hour }),
  fc.integer({ min: 0, max: 50 }).map((hours) => hours * hour),
  pick(7 * hour),
);

const failure: fc.Arbitrary<RandomFailure> = fc.record({
  connection: pick('one', 'two'),
  queue: pick('default', 'slow'),
  cause: fc.nat({ max: causes.length - 1 }),
  failureKind: pick(...failureKinds.slice(0, 3)),
  release: pick(null, 'v1', 'v2'),
  endedAt: time,
  word: pick('Grüße', 'grüSSe', '100%', 'a_b', 'plain'),
});

export const steps: fc.Arbitrary<readonly LogStep[]> = fc.array(
  fc.oneof(
    { arbitrary: fc.record({ kind: fc.constant('fail' as const), job: fc.nat({ max: 40 }), record: failure }), weight: 4 },
    { arbitrary: fc.record({ kind: pick('retry' as const, 'resolve' as const, 'forget' as const), job: fc.nat({ max: 40 }) }), weight: 1 },
  ),
  { maxLength: 60 },
);

export const filters: fc.Arbitrary<FailedJobFilter> = fc.record(
  {
    ids: fc.array(
      fc.oneof(
        fc.nat({ max: 40 }).map((job) => `job ${job}`),
        fc.integer({ min: 1, max: 60 }),
      ),
      { maxLength: 20 },
    ),
    connection: pick('one', 'two', 'three'),
    queue: pick('default', 'slow', 'DEFAULT'),
    job: pick('mail', 'bill', 'Mail'),
    type: pick('Timeout', 'Refused', 'Full', 'Full '),
    kind: pick(...failureKinds.slice(0, 4)),
    fingerprint: fc.nat({ max: causes.length }).map(fingerprintOf),
    text: pick('GRÜSSE', 'grüße', '0%', 'a_b', 'PLAIN', 'word', 'nowhere'),
    since: time.map((at) => new Date(at)),
    until: time.map((at) => new Date(at)),
    status: pick('failed' as const, 'retrying' as const, 'resolved' as const, 'any' as const),
    release: pick('v1', 'v2', 'v3'),
  },
  { requiredKeys: [] },
);

export interface ModelRow {
  readonly id: number;
  readonly jobId: string;
  status: FailedJobStatus;
  run: number;
  record: FailureRecord;
}

/** What a log should hold, in the plainest way. */
export class LogModel {
  readonly rows = new Map<string, ModelRow>();

  constructor(private readonly log: FailureLog) {}

  async take(step: LogStep): Promise<void> {
    const jobId = `job ${step.job}`;
    const row = this.rows.get(jobId);
    if (step.kind === 'fail') return this.fail(jobId, step.record);
    if (row === undefined) return;
    if (step.kind === 'retry') {
      await this.log.retrying([{ jobId, run: row.run + 1, at: 0 }]);
      Object.assign(row, { status: 'retrying', run: row.run + 1 });
    } else if (step.kind === 'resolve') {
      await this.log.resolved([{ jobId, run: row.run, at: 0 }]);
      row.status = 'resolved';
    } else {
      await this.log.forget([row.id]);
      if (row.status !== 'retrying') this.rows.delete(jobId);
    }
  }

  /** Those that a filter means, newest first. */
  meant(filter: FailedJobFilter): readonly ModelRow[] {
    const given = Object.entries(filter).filter(
      ([key, value]) => value !== undefined && !['ids', 'text', 'since', 'until', 'status'].includes(key),
    );
    return [...this.rows.values()]
      .filter(({ id, jobId, status, record }) => {
        const found = record as unknown as Readonly<Record<string, unknown>>;
        const texts = [record.message, JSON.stringify(record.properties)].map((text) => text.toLowerCase());
        return (
          (filter.status === 'any' || status === (filter.status ?? 'failed')) &&
          (filter.ids === undefined || filter.ids.includes(id) || filter.ids.includes(jobId)) &&
          (filter.text === undefined || texts.some((text) => text.includes(filter.text!.toLowerCase()))) &&
          (filter.since === undefined || record.endedAt >= filter.since.getTime()) &&
          (filter.until === undefined || record.endedAt < filter.until.getTime()) &&
          given.every(([key, value]) => found[key] === value)
        );
      })
      .toSorted((a, b) => b.record.endedAt - a.record.endedAt || b.id - a.id);
  }

  private async fail(jobId: string, random: RandomFailure): Promise<void> {
    const row = this.rows.get(jobId);
    const run = row === undefined ? 1 : row.status === 'retrying' ? row.run : row.run + 1;
    const { cause, failureKind: kind, word, ...rest } = random;
    const record = failureRecord({
      ...rest,
      ...causes[cause]!,
      kind,
      jobId,
      run,
      fingerprint: fingerprintOf(cause),
      message: `${word} was refused`,
      properties: { word: word === 'plain' ? 'a word' : 'other' },
    });
    const [{ id } = { id: 0 }] = await this.log.append([record]);
    this.rows.set(jobId, { id, jobId, status: 'failed', run, record });
  }
}

export const placeOf = ({ id, record }: ModelRow): Place => ({ at: record.endedAt, id });
