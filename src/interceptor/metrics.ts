import type { Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import type { QueueStats } from '../provider/queue-provider.ts';
import type { Redactor } from '../record/redaction.ts';
import type { Interceptor } from './points.ts';

/** What a scrape asks of one connection. */
export interface ConnectionDepth {
  readonly queues: readonly QueueStats[];
  /** Recorded facts that nobody has told yet. */
  readonly untold: number;
}

/** What metrics are made from. */
export interface MetricsSource {
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** Jobs that keep their name as a label; all others are `other`. */
  readonly jobNames: readonly string[];
  /** Queues that are told apart first. */
  readonly queues: readonly string[];
  readonly connections: readonly string[];
  /** Reads the numbers of a connection; rejects where its store cannot be reached. */
  readonly depth: (connection: string) => Promise<ConnectionDepth>;
}

/** The metrics of one Redrive, in a registry of their own: the process's default one is left alone. */
export interface Metrics {
  readonly registry: Registry;
  /** Counts from the moment on when it is registered. */
  readonly interceptor: Interceptor;
}
