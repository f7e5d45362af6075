import type { JobStatus } from '../job-desk.ts';
import { pad, printableJson, utc } from './text.ts';

export interface DescribeJobOptions {
  /** The flags that lead a command to the job's store. */
  readonly store: string;
  /** The pools are known, and with them how many attempts there may be. */
  readonly poolsKnown: boolean;
}

/** What became of a job, as lines for people. */
export function describeJob(job: JobStatus, options: DescribeJobOptions): string[] {
  return [`Job ${job.id}: ${job.name}`, ...facts(job, options), ...result(job), ...next(job, options.store)];
}

function facts(job: JobStatus, { poolsKnown }: DescribeJobOptions): string[] {
  const limit = job.maxAttempts === 0 ? ', without limit' : ` of ${job.maxAttempts}`;
  const known: readonly [name: string, value: string | null][] = [
    ['status', job.status],
    ['queue', job.queue],
    ['attempt', `${job.attempt}${poolsKnown ? limit : ''}`],
    ['dispatched at', utc(job.createdAt)],
    ['started at', job.startedAt === null ? null : utc(job.startedAt)],
    ['ended at', job.endedAt === null ? null : utc(job.endedAt)],
    ['exception', job.exception === undefined ? null : `${job.exception.type}: ${job.exception.message}`],
  ];
  return known.flatMap(([name, value]) => (value === null ? [] : [`  ${pad(name, 13)}  ${value}`]));
}

function result(job: JobStatus): string[] {
  if (job.result === undefined) return [];
  return [
    '',
    'Result',
    ...printableJson(job.result)
      .split('\n')
      .map((line) => `  ${line}`),
  ];
}

function next(job: JobStatus, store: string): string[] {
  if (job.status !== 'failed') return [];
  return ['', 'Next', `  redrive failed show${store} ${job.id}`, `  redrive retry${store} ${job.id}`];
}
