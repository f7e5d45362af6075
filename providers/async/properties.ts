import { z } from 'zod';
import { duration, memoryShape, parseProperties, type MemoryProperties } from '../memory/properties.ts';

/** Shortest lease: less would be lost to an ordinary pause of the event loop. */
const shortestLeaseMs = 1_000;

const shape = {
  ...memoryShape,
  lease: duration.default(30_000).refine((ms) => ms >= shortestLeaseMs, 'must be at least 1 second'),
  pollInterval: duration.default(1_000).refine((ms) => ms >= 10, 'must be at least 10ms'),
  prefetch: z.int().min(0).max(10_000).default(0),
};

/** Reads a connection's `properties`. Throws `CONFIG_INVALID` with all faults. */
export function readProperties(connection: string, properties: Readonly<Record<string, unknown>>): MemoryProperties {
  const {
    memory,
    lease: leaseMs,
    pollInterval: pollIntervalMs,
    prefetch,
    keepCompleted: keepCompletedMs,
  } = parseProperties(shape, connection, properties);
  return { memory, leaseMs, pollIntervalMs, prefetch, keepCompletedMs };
}
