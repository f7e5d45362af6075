import { memoryShape, parseProperties, type MemoryProperties } from '../memory/properties.ts';

/** A job that runs where it was dispatched needs no lease of a length of one's own: nobody else would take it over. */
const leaseMs = 30_000;
const pollIntervalMs = 1_000;

/** Reads a connection's `properties`. Throws `CONFIG_INVALID` with all faults. */
export function readProperties(connection: string, properties: Readonly<Record<string, unknown>>): MemoryProperties {
  const { memory, keepCompleted: keepCompletedMs } = parseProperties(memoryShape, connection, properties);
  return { memory, leaseMs, pollIntervalMs, prefetch: 0, keepCompletedMs };
}
