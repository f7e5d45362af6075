import type { JobInfo } from '../../src/interceptor/points.ts';
import type { Redactor } from '../../src/record/redaction.ts';
import { BoundedNames, otherName } from './bounded-names.ts';

/** Where an attempt ran, as labels. A type, not an interface: the metrics take it for a record of strings. */
export type JobLabels = {
  readonly connection: string;
  readonly pool: string;
  readonly queue: string;
  readonly job: string;
};

/** Queues told apart; those that the pools name come first. */
export const mostQueues = 100;
/** Combinations of connection, pool, queue and job told apart: a histogram keeps fourteen series for each. */
export const mostPlaces = 500;

/**
 * Labels of jobs: bounded, and redacted. A job keeps its name where this process has its class, a queue while there are not
 * too many of them, and both while their combinations are not too many.
 */
export class JobLabelling {
  private readonly queues = new BoundedNames(mostQueues);
  private readonly places = new BoundedNames(mostPlaces);

  constructor(
    private readonly jobNames: ReadonlySet<string>,
    knownQueues: readonly string[],
    private readonly redactor: Redactor,
  ) {
    for (const queue of knownQueues) this.queues.admits(queue);
  }

  /** The label of a queue. */
  queue(name: string): string {
    return this.redactor.text(this.queues.of(name));
  }

  /** `pool` is empty where no pool was asked: a job marked as failed by hand. */
  labels({ name, queue, connection }: Pick<JobInfo, 'name' | 'queue' | 'connection'>, pool: string): JobLabels {
    const place = { connection, pool, queue: this.queues.of(queue), job: this.jobNames.has(name) ? name : otherName };
    if (this.places.admits(JSON.stringify(Object.values(place)))) return this.redacted(place);
    return this.redacted({ ...place, queue: otherName, job: otherName });
  }

  private redacted(labels: JobLabels): JobLabels {
    if (!this.redactor.active) return labels;
    const text = (value: string): string => this.redactor.text(value);
    return { connection: text(labels.connection), pool: text(labels.pool), queue: text(labels.queue), job: text(labels.job) };
  }
}
