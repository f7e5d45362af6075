import { Counter, Histogram, type Registry } from 'prom-client';
import type {
  Interceptor,
  JobCompleteEvent,
  JobExceptionEvent,
  JobFailedEvent,
  JobReleasedEvent,
  JobRetriedEvent,
} from '../../src/interceptor/points.ts';
import type { JobLabelling } from './job-labels.ts';

const place = ['connection', 'pool', 'queue', 'job'] as const;
/** Seconds: from what a job in memory takes to half an hour. */
const durations = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800];
/** Dead workers remembered, so that each counts once however many of its jobs were rescued. */
const mostDeadWorkers = 1_000;

/** Counts what this process was told of its jobs. */
export class JobMetrics implements Interceptor {
  private readonly attempts: Counter<(typeof place)[number] | 'outcome'>;
  private readonly failedAttempts: Counter<(typeof place)[number] | 'kind'>;
  private readonly retries: Counter<(typeof place)[number]>;
  private readonly failedJobs: Counter<(typeof place)[number] | 'kind'>;
  private readonly retriedJobs: Counter<'connection' | 'queue' | 'job'>;
  private readonly duration: Histogram<(typeof place)[number] | 'outcome'>;
  private readonly lostWorkers: Counter<'connection'>;
  /** The latest, oldest first. */
  private readonly deadWorkers = new Set<string>();

  constructor(
    registry: Registry,
    private readonly labelling: JobLabelling,
  ) {
    const registers = [registry];
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]): Counter<L> =>
      new Counter({ name, help, labelNames, registers });
    this.attempts = counter('redrive_attempts_total', 'Attempts that ended: completed, failed or released.', [...place, 'outcome']);
    this.failedAttempts = counter('redrive_failed_attempts_total', 'Failed attempts by kind.', [...place, 'kind']);
    this.retries = counter('redrive_retries_total', 'Failed attempts that are followed by another.', place);
    this.failedJobs = counter('redrive_failed_jobs_total', 'Jobs whose run ended in failure, by kind.', [...place, 'kind']);
    this.retriedJobs = counter('redrive_retried_jobs_total', 'Failed jobs put back by a person or a bulk retry.', [
      'connection',
      'queue',
      'job',
    ]);
    this.duration = new Histogram({
      name: 'redrive_attempt_duration_seconds',
      help: 'How long attempts took.',
      labelNames: [...place, 'outcome'],
      buckets: durations,
      registers,
    });
    this.lostWorkers = counter('redrive_lost_workers_total', 'Dead workers whose started jobs were rescued here.', ['connection']);
  }

  onJobComplete({ job, pool, duration }: JobCompleteEvent): void {
    const labels = this.labelling.labels(job, pool.name);
    this.attempts.inc({ ...labels, outcome: 'completed' });
    this.duration.observe({ ...labels, outcome: 'completed' }, duration / 1_000);
  }

  onJobException({ job, pool, kind, willRetry, failure }: JobExceptionEvent): void {
    const labels = this.labelling.labels(job, pool.name);
    this.attempts.inc({ ...labels, outcome: 'failed' });
    this.failedAttempts.inc({ ...labels, kind });
    if (willRetry) this.retries.inc(labels);
    const { startedAt, endedAt, worker } = failure;
    // Of a lost attempt nobody knows how long it ran.
    if (kind !== 'lost' && startedAt !== null) this.duration.observe({ ...labels, outcome: 'failed' }, (endedAt - startedAt) / 1_000);
    if (kind === 'lost') this.countDeadWorker(JSON.stringify([worker.host, worker.pid, worker.pool]), labels.connection);
  }

  onJobReleased({ job, pool, reason }: JobReleasedEvent): void {
    // Retries are released, too, and were counted as failed; a shutdown costs no attempt.
    if (reason === 'released') this.attempts.inc({ ...this.labelling.labels(job, pool.name), outcome: 'released' });
  }

  onJobFailed({ job, pool, kind }: JobFailedEvent): void {
    this.failedJobs.inc({ ...this.labelling.labels(job, pool.name), kind });
  }

  onJobRetried({ job }: JobRetriedEvent): void {
    const { connection, queue, job: name } = this.labelling.labels(job, '');
    this.retriedJobs.inc({ connection, queue, job: name });
  }

  private countDeadWorker(worker: string, connection: string): void {
    if (this.deadWorkers.has(worker)) return;
    const [oldest] = this.deadWorkers;
    if (this.deadWorkers.size >= mostDeadWorkers && oldest !== undefined) this.deadWorkers.delete(oldest);
    this.deadWorkers.add(worker);
    this.lostWorkers.inc({ connection });
  }
}
