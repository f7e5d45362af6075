import { Registry } from 'prom-client';
import type { Metrics, MetricsSource } from '../../src/interceptor/metrics.ts';
import { JobLabelling } from './job-labels.ts';
import { JobMetrics } from './job-metrics.ts';
import { addQueueMetrics } from './queue-metrics.ts';

/** Metrics with nothing counted yet. */
export function makeMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  const labelling = new JobLabelling(new Set(source.jobNames), source.queues, source.redactor);
  const interceptor = new JobMetrics(registry, labelling);
  addQueueMetrics(registry, source, labelling);
  return { registry, interceptor };
}
