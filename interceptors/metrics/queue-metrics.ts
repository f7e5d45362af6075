import { Gauge, type Registry } from 'prom-client';
import type { ConnectionDepth, MetricsSource } from '../../src/interceptor/metrics.ts';
import { DepthReader } from './depth-reader.ts';
import type { JobLabelling } from './job-labels.ts';

const states = ['ready', 'delayed', 'reserved', 'failed'] as const;

interface GaugeSpec<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
  /** Sets what one connection says; undefined where it could not be read in time. */
  readonly set: (gauge: Gauge<Label>, connection: string, depth: ConnectionDepth | undefined) => void;
}

/**
 * Adds gauges of what stands in the stores, read when somebody scrapes. A connection that cannot be read in time has no
 * numbers, and `redrive_connection_up` 0: old ones would look like news.
 */
export function addQueueMetrics(registry: Registry, source: MetricsSource, labelling: JobLabelling): void {
  const reader = new DepthReader(source);
  const add = <Label extends string>(spec: GaugeSpec<Label>): void => addGauge(registry, reader, spec);
  add({
    name: 'redrive_queue_jobs',
    help: 'Jobs on a queue by state.',
    labelNames: ['connection', 'queue', 'state'],
    set: (gauge, connection, depth) => {
      // Added up: beyond the bound several queues share one label.
      for (const queue of depth?.queues ?? [])
        for (const state of states) gauge.inc({ connection, queue: labelling.queue(queue.queue), state }, queue[state]);
    },
  });
  add({
    name: 'redrive_queue_oldest_ready_age_seconds',
    help: 'How long the longest waiting ready job has been ready; 0 where none is.',
    labelNames: ['connection', 'queue'],
    set: (gauge, connection, depth) => {
      for (const [queue, age] of agesOf(depth, labelling)) gauge.set({ connection, queue }, age);
    },
  });
  add({
    name: 'redrive_untold_announcements',
    help: 'Recorded failures and successes that were not told to everybody yet.',
    labelNames: ['connection'],
    set: (gauge, connection, depth) => {
      if (depth !== undefined) gauge.set({ connection }, depth.untold);
    },
  });
  add({
    name: 'redrive_connection_up',
    help: 'Whether the connection could be read in time: 1 or 0.',
    labelNames: ['connection'],
    set: (gauge, connection, depth) => gauge.set({ connection }, depth === undefined ? 0 : 1),
  });
}

function addGauge<Label extends string>(registry: Registry, reader: DepthReader, { name, help, labelNames, set }: GaugeSpec<Label>): void {
  const gauge: Gauge<Label> = new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      const depths = await reader.depths();
      gauge.reset();
      for (const [connection, depth] of depths) set(gauge, connection, depth);
    },
  });
}

/** The oldest of each label. */
function agesOf(depth: ConnectionDepth | undefined, labelling: JobLabelling): ReadonlyMap<string, number> {
  const ages = new Map<string, number>();
  for (const { queue, oldestReadyAge } of depth?.queues ?? []) {
    const label = labelling.queue(queue);
    ages.set(label, Math.max(ages.get(label) ?? 0, oldestReadyAge ?? 0));
  }
  return ages;
}
