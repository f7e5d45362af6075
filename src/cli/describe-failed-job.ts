import type { AttemptHistory, FailedJob } from '../failure/failed-job.ts';
import type { RetryForecast } from '../failure/forecast.ts';
import type { WorkerIdentity } from '../record/types.ts';
import { formatDuration } from '../duration.ts';
import { describeException } from './describe-exception.ts';
import { describeForecast } from './describe-forecast.ts';
import { renderTable, type Table } from './table.ts';
import { pad, printableJson, utc } from './text.ts';

export interface DescribeFailedJobOptions {
  /** What a retry would do. */
  readonly forecast: RetryForecast | undefined;
  /** The flags that lead a command to the job's store. */
  readonly store: string;
  /** There is a config, and with it the pools and the jobs. */
  readonly configKnown: boolean;
  readonly columns: number | undefined;
}

/** A failed job whole, as lines for people. */
export function describeFailedJob(job: FailedJob, { forecast, store, configKnown, columns }: DescribeFailedJobOptions): string[] {
  return [
    `Failed job ${job.id}: ${job.job}`,
    ...facts(job),
    ...section('Properties', printableJson(job.properties).split('\n')),
    ...section('Exception', describeException(job)),
    ...attempts(job.history ?? [], columns),
    ...(forecast === undefined || job.status !== 'failed' ? [] : section('Retry', describeForecast(forecast, { configKnown }))),
    ...section('Next', nextSteps(job, store)),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return ['', title, ...lines.map((line) => `  ${line}`.trimEnd())];
}

function facts(job: FailedJob): string[] {
  const limit = job.maxAttempts === 0 ? 'without limit' : `of ${job.maxAttempts}`;
  const known: readonly [name: string, value: string | null | undefined][] = [
    ['status', job.status],
    ['kind', job.kind],
    ['failed at', utc(job.failedAt)],
    ['attempts', `${job.attempts} ${limit}${job.run > 1 ? `, in run ${job.run}` : ''}`],
    ['queue', job.queue],
    ['connection', job.connection],
    ['job id', job.jobId],
    ['dispatched at', job.createdAt === null ? null : utc(job.createdAt)],
    ['worker', job.worker === null ? null : workerName(job.worker)],
    ['release', job.release],
    ['group', job.fingerprint],
    ['note', job.note],
  ];
  return known.flatMap(([name, value]) => (value === null || value === undefined || value === '' ? [] : [`  ${pad(name, 13)}  ${value}`]));
}

function workerName(worker: WorkerIdentity): string {
  return `${worker.pool} (${worker.host}, process ${worker.pid})`;
}

function attempts(history: readonly AttemptHistory[], columns: number | undefined): string[] {
  if (history.length === 0) return [];
  return section('Attempts', renderTable(attemptsTable, history, columns === undefined ? undefined : columns - 2));
}

const attemptsTable: Table<AttemptHistory> = {
  columns: [
    { header: 'RUN', cell: (attempt) => String(attempt.run) },
    { header: 'ATTEMPT', cell: (attempt) => (attempt.attempt === null ? '-' : String(attempt.attempt)) },
    { header: 'KIND', cell: (attempt) => attempt.kind },
    { header: 'TYPE', cell: (attempt) => attempt.type, max: 40 },
    { header: 'MESSAGE', cell: (attempt) => attempt.message, min: 32, max: 120 },
    { header: 'ENDED', cell: (attempt) => utc(attempt.endedAt) },
    { header: 'DELAY', cell: delay },
    { header: 'NEXT AT', cell: nextAt, drop: 2 },
    { header: 'RULE', cell: (attempt) => attempt.rule, drop: 3 },
    { header: 'RELEASE', cell: release, max: 40 },
    { header: 'WORKER', cell: (attempt) => workerName(attempt.worker) },
  ],
  below: {
    replaces: ['TYPE', 'MESSAGE', 'RELEASE', 'WORKER'],
    lines: [
      { header: 'TYPE: MESSAGE', cell: (attempt) => `${attempt.type}: ${attempt.message}` },
      {
        header: 'WORKER, RELEASE',
        cell: (attempt) => `${workerName(attempt.worker)}, ${attempt.release === undefined ? 'no release' : `release ${attempt.release}`}`,
      },
    ],
  },
};

/** How long it was to wait before the next attempt. */
function delay({ delay: seconds }: AttemptHistory): string {
  if (seconds === undefined) return '-';
  return seconds === 0 ? 'none' : formatDuration(seconds * 1_000);
}

function release({ release: name }: AttemptHistory): string {
  return name ?? '-';
}

/** The date is left out where it is the day on which the attempt ended. */
function nextAt(attempt: AttemptHistory): string {
  if (attempt.retryAt === undefined) return '-';
  const [day = '', time = ''] = utc(attempt.retryAt).split(' ');
  return utc(attempt.endedAt).startsWith(day) ? time : `${day} ${time}`;
}

function nextSteps(job: FailedJob, store: string): string[] {
  switch (job.status) {
    case 'retrying':
      return ['It is being retried, and comes back to this list if it fails again.'];
    case 'resolved':
      return ['Nothing: it is resolved.'];
    case 'failed': {
      const before =
        job.kind === 'unprocessable' ? ['First register a job that can read it; the message above says what was missing.'] : [];
      return [...before, `redrive retry${store} ${job.id}`];
    }
  }
}
