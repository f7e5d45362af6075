import { z } from 'zod';
import type { Memory } from '../memory/memory.ts';
import { duration, memoryShape, parseProperties } from '../memory/properties.ts';

/** Shortest lease: less would be lost to an ordinary pause of the event loop. */
const shortestLeaseMs = 1_000;

const shape = {
  ...memoryShape,
  lease: duration.default(30_000).refine((ms) => ms >= shortestLeaseMs, 'must be at least 1 second'),
  pollInterval: duration.default(1_000).refine((ms) => ms >= 10, 'must be at least 10ms'),
  prefetch: z.int().min(0).max(10_000).default(0),
};

export interface AsyncProperties {
  /** Undefined: one of its own. */
  readonly memory: Memory | undefined;
  readonly leaseMs: number;
  readonly pollIntervalMs: number;
  readonly prefetch: number;
  /** 0: removed at once. */
  readonly keepCompletedMs: number;
}

export function readProperties(connection: string, properties: Readonly<Record<string, unknown>>): AsyncProperties {
  const { memory, lease: leaseMs, pollInterval: pollIntervalMs, prefetch, keepCompleted: keepCompletedMs } = parseProperties(shape, connection, properties);
  return { memory, leaseMs, pollIntervalMs, prefetch, keepCompletedMs };
}
