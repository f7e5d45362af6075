import { rowOf } from '../../interceptors/log-failed-jobs/rows.ts';
import { insertSeries } from '../../interceptors/log-failed-jobs/series.ts';
import type { FailureRecord } from '../../src/record/types.ts';
import type { SqlStore } from '../../src/store/sql-store.ts';

export const hourMs = 3_600_000;
/** The newest failure is this old or younger, so that "the last 24 hours" hold some. */
export const newestAt = Math.floor(Date.now() / 1_000) * 1_000;
const days = Number(process.env['BENCH_DAYS'] ?? 14);

const groups = 200;
const jobs = Array.from({ length: 12 }, (_, index) => `shop.job-${index}`);
const types = ['TypeError', 'PaymentRefused', 'HttpError', 'MailboxFull', 'SQLITE_BUSY', 'AxiosError', 'RangeError', 'Unrecoverable'];
const queues = ['default', 'default', 'default', 'default', 'mail', 'mail', 'mail', 'bills', 'labels', 'reports'];

/** A number from 0 to 1 that is the same for the same index. */
function random(index: number): number {
  let mixed = (index ^ 0x9e3779b9) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) >>> 0;
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}

const frames = Array.from({ length: 9 }, (_, index) => `    at step${index} (/srv/shop/src/jobs/step-${index}.ts:${index * 17}:11)`);

/** The failure of this index of so many: few groups have most of them, and they are spread over two weeks. */
export function failureOf(index: number, of: number): FailureRecord {
  const group = Math.min(groups - 1, Math.floor(-Math.log(1 - random(index) * 0.9999) * 22));
  const job = jobs[group % jobs.length] ?? '';
  const type = types[group % types.length] ?? '';
  const message = `Order ${index} of customer ${(index * 7919) % 100_003} was refused by upstream ${group}`;
  const stack = [`${type}: ${message}`, ...frames].join('\n');
  const endedAt = newestAt - Math.round(((of - index) / of) * days * 24 * hourMs);
  const jobId = `01a0b1c2-d3e4-7${String(index % 1_000).padStart(3, '0')}-8000-${String(index).padStart(12, '0')}`;
  const kind = group % 25 === 24 ? 'lost' : group % 12 === 11 ? 'timeout' : 'exception';
  const properties = {
    orderId: index,
    customer: `customer-${(index * 7919) % 100_003}`,
    lines: [1, 2, 3].map((line) => ({ line, sku: `SKU-${line}-${index}` })),
  };
  return {
    eventId: jobId,
    jobId,
    connection: group % 13 === 12 ? 'audit' : 'main',
    queue: queues[group % queues.length] ?? '',
    job,
    memento: JSON.stringify({ v: 1, id: jobId, name: job, properties, options: {} }),
    properties,
    createdAt: endedAt - 5_000,
    kind,
    rule: 'max-attempts',
    type,
    message,
    detail: null,
    extendedInfo: { status: 503 },
    stack,
    exception: { type, message, stack, fields: { status: 503 } },
    fingerprint: `f${String(group).padStart(15, '0')}`,
    run: 1,
    attempt: 3,
    maxAttempts: 3,
    startedAt: endedAt - 40,
    endedAt,
    retryAt: null,
    worker: { host: `worker-${index % 8}`, pid: 4_000 + (index % 8), pool: 'shop' },
    release: `v${Math.floor((index / of) * 20)}`,
  };
}

const statusOf = (index: number): string => (index % 100 === 0 ? 'retrying' : index % 50 === 1 ? 'resolved' : 'failed');

/** Writes so many failed jobs, past the log. */
export async function fill(
  store: SqlStore,
  { table, count, onProgress }: { readonly table: string; readonly count: number; readonly onProgress: (done: number) => void },
): Promise<void> {
  const atOnce = 500;
  const name = store.sql.table(table);
  for (let from = 0; from < count; from += atOnce) {
    const records = Array.from({ length: Math.min(atOnce, count - from) }, (_, index) => failureOf(from + index, count));
    const rows = records.map((record, index) => ({ ...rowOf(record, from + index + 1), status: statusOf(from + index) }));
    await store.write(function* () {
      yield* store.sql.insertAll(name, rows);
      yield* insertSeries(
        store.sql,
        records.map((record) => ({ ...record, failedAt: record.endedAt })),
      );
    });
    if (from % (atOnce * 100) === 0) onProgress(from);
  }
}
