import { didYouMean } from '../config/nearest.ts';
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

const known = ['delay', 'queue', 'atFront', 'properties', 'dryRun', 'by', 'note'] as const satisfies readonly (keyof RetryOptions)[];

/** Throws `OPTIONS_INVALID`, `DURATION_INVALID`, `PROPERTIES_INVALID`. */
export function resolveRetry(options: RetryOptions): ResolvedRetry {
  checkKeys(options, known, 'retry');
  const { delay, queue, atFront = false, properties, dryRun = false, by, note } = options;
  if (queue !== undefined && (typeof queue !== 'string' || queue.trim() === '' || queue.length > 255))
    throw invalid('queue: must be a name');
  if (typeof atFront !== 'boolean') throw invalid('atFront: must be true or false');
  if (typeof dryRun !== 'boolean') throw invalid('dryRun: must be true or false');
  if (note !== undefined && typeof note !== 'string') throw invalid('note: must be a text');
  return {
    delayMs: delay === undefined ? 0 : durationMs(delay, 'delay'),
    queue,
    atFront,
    patch: properties === undefined ? undefined : parsePatch(properties),
    by: checkBy(by),
    note,
  };
}

/** Throws `OPTIONS_INVALID` for a key that there is not, naming the nearest one. */
export function checkKeys(options: object, keys: readonly string[], of: string): void {
  for (const key of Object.keys(options)) if (!keys.includes(key)) throw invalid(`${key}: no such option of ${of}${didYouMean(key, keys)}`);
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

function invalid(fault: string): RedriveError {
  return new RedriveError('OPTIONS_INVALID', fault);
}
