import { checkOptions, type OptionKind } from '../config/call-options.ts';
import { durationMs } from '../duration.ts';
import { RedriveError } from '../errors.ts';
import type { JsonObject } from '../job/json.ts';
import { checkBy } from './audit.ts';
import { parsePatch } from './edit.ts';
import type { RetryOptions } from './failed-job.ts';

/** How failed jobs are put back, checked and complete. */
export interface ResolvedRetry {
  readonly delayMs: number;
  /** Undefined: the queue that each came from. */
  readonly queue: string | undefined;
  readonly atFront: boolean;
  /** A JSON merge patch. */
  readonly patch: JsonObject | undefined;
  readonly by: string;
  readonly note: string | undefined;
}

const kinds = {
  delay: undefined,
  queue: 'text',
  atFront: 'boolean',
  properties: undefined,
  dryRun: 'boolean',
  by: undefined,
  note: 'text',
  onProgress: 'function',
} as const satisfies Record<keyof RetryOptions, OptionKind | undefined>;

/** Throws `OPTIONS_INVALID`, `DURATION_INVALID`, `PROPERTIES_INVALID`. */
export function resolveRetry(options: RetryOptions): ResolvedRetry {
  checkOptions('retry', options, kinds);
  const { delay, queue, atFront = false, properties, by, note } = options;
  if (queue !== undefined && queue.length > 255) throw new RedriveError('OPTIONS_INVALID', 'queue: must be a name of 1 to 255 characters');
  return {
    delayMs: delay === undefined ? 0 : durationMs(delay, 'delay'),
    queue,
    atFront,
    patch: properties === undefined ? undefined : parsePatch(properties),
    by: checkBy(by),
    note,
  };
}

/** What an entry of the audit says of the options. */
export function auditDetail({ delayMs, queue, atFront, patch, note }: ResolvedRetry): JsonObject | undefined {
  const detail = {
    ...(patch === undefined ? {} : { properties: patch }),
    ...(queue === undefined ? {} : { queue }),
    ...(delayMs === 0 ? {} : { delaySeconds: delayMs / 1_000 }),
    ...(atFront ? { atFront } : {}),
    ...(note === undefined ? {} : { note }),
  };
  return Object.keys(detail).length === 0 ? undefined : detail;
}
