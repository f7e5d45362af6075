import { z } from 'zod';
import { didYouMean } from '../../src/config/nearest.ts';
import { tryDurationMs } from '../../src/duration.ts';
import { RedriveError } from '../../src/errors.ts';
import { Memory } from './memory.ts';

export const duration = z.union([z.number(), z.string()]).transform((value, context) => {
  const ms = tryDurationMs(value);
  if (ms === undefined)
    context.addIssue({ code: 'custom', message: 'is no duration; give seconds as a number, or a string such as "30s"' });
  return ms ?? 0;
});

/** What every provider of jobs in memory takes. */
export const memoryShape = {
  memory: z
    .instanceof(Memory, { error: 'must be a Memory; import it beside the provider, and give the same one to all that share jobs' })
    .optional(),
  keepCompleted: duration.default(600_000),
};

export interface MemoryProperties {
  /** Undefined: one of its own. */
  readonly memory: Memory | undefined;
  readonly leaseMs: number;
  readonly pollIntervalMs: number;
  readonly prefetch: number;
  /** 0: removed at once. */
  readonly keepCompletedMs: number;
}

/** Reads a connection's `properties`. Throws `CONFIG_INVALID` with all faults; an unknown key names the nearest known one. */
export function parseProperties<S extends z.core.$ZodLooseShape>(
  shape: S,
  connection: string,
  properties: Readonly<Record<string, unknown>>,
): z.output<z.ZodObject<S>> {
  const known = Object.keys(shape);
  const unknown = Object.keys(properties).filter((key) => !known.includes(key));
  const faults = unknown.map(
    (key) => `connections.${connection}.properties.${key}: unknown key${didYouMean(key, known) || `; known are ${known.join(', ')}`}`,
  );
  const parsed = z.object(shape).safeParse(properties);
  if (!parsed.success)
    faults.push(...parsed.error.issues.map((issue) => `connections.${connection}.properties.${issue.path.join('.')}: ${issue.message}`));
  if (parsed.success && faults.length === 0) return parsed.data;
  throw new RedriveError('CONFIG_INVALID', `The config has ${faults.length} fault(s):\n  ${faults.join('\n  ')}`, { faults });
}
