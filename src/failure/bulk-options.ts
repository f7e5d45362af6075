import { checkOptions } from '../config/call-options.ts';
import { RedriveError } from '../errors.ts';
import type { JsonObject } from '../job/json.ts';
import type { BulkRetryPlan } from '../record/bulk-retry-log.ts';
import type { RetryOptions } from './failed-job.ts';
import { auditDetail, resolveRetry, type ResolvedRetry } from './retry-options.ts';

export interface BulkRetryOptions extends Omit<RetryOptions, 'dryRun' | 'onProgress'> {
  /** No faster than that: `'10/s'`, `'600/m'`, `'1000/h'`. Default: as fast as it goes. */
  readonly rate?: string;
  /** So many are moved first and have to succeed before the others are; if one of them fails again, it stops. */
  readonly canary?: number;
  /** It stops once so many have failed again. At most 100 are under way at a time then. */
  readonly stopAfter?: number;
}

// The options of a retry are checked where those are.
const kinds: Readonly<Record<keyof BulkRetryOptions, undefined>> = {
  rate: undefined,
  canary: undefined,
  stopAfter: undefined,
  delay: undefined,
  queue: undefined,
  atFront: undefined,
  properties: undefined,
  by: undefined,
  note: undefined,
};

/** Throws `OPTIONS_INVALID`, `DURATION_INVALID`, `PROPERTIES_INVALID`. */
export function resolveBulkRetry(options: BulkRetryOptions): { readonly by: string; readonly plan: BulkRetryPlan } {
  checkOptions('bulkRetry', options, kinds);
  const { rate, canary, stopAfter, ...rest } = options;
  const { by, delayMs, queue, atFront, patch, note } = resolveRetry(rest);
  const plan = {
    delayMs,
    atFront,
    ...(rate === undefined ? {} : { rate: parseRate(rate) }),
    ...(canary === undefined ? {} : { canary: checkCount(canary, 'canary') }),
    ...(stopAfter === undefined ? {} : { stopAfter: checkCount(stopAfter, 'stopAfter') }),
    ...(queue === undefined ? {} : { queue }),
    ...(patch === undefined ? {} : { patch }),
    ...(note === undefined ? {} : { note }),
  };
  return { by, plan };
}

/** How its jobs are put back, for the one who moves them. */
export function retryOf({ delayMs, queue, atFront, patch, note }: BulkRetryPlan, by: string): ResolvedRetry {
  return { by, delayMs, queue, atFront, patch, note };
}

/** What the audit says of its start. */
export function startDetail(plan: BulkRetryPlan, by: string): JsonObject {
  const { rate, canary, stopAfter } = plan;
  return {
    ...auditDetail(retryOf(plan, by)),
    ...(rate === undefined ? {} : { rate: formatRate(rate) }),
    ...(canary === undefined ? {} : { canary }),
    ...(stopAfter === undefined ? {} : { stopAfter }),
  };
}

/** Which of the bulk retries. */
export interface BulkRetriesPage {
  /** 1 to 200; default 25. */
  readonly limit?: number;
  /** Only older ones than the one with this id. */
  readonly before?: number;
}

const largestPage = 200;
const defaultPage = 25;

/** Throws `OPTIONS_INVALID`. */
export function checkBulkPage(options: BulkRetriesPage): { readonly limit: number; readonly before?: number } {
  checkOptions('bulkRetries', options, { limit: undefined, before: undefined } satisfies Record<keyof BulkRetriesPage, undefined>);
  const { limit = defaultPage, before } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > largestPage) throw invalid(`limit: must be an integer from 1 to ${largestPage}`);
  if (before !== undefined && !Number.isSafeInteger(before)) throw invalid('before: must be the id of a bulk retry');
  return { limit, ...(before === undefined ? {} : { before }) };
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const form = /^\s*(\d+(?:\.\d+)?)\s*\/\s*(s|m|h|d)\s*$/;

/** Reads `'10/s'`. Throws `OPTIONS_INVALID`. */
export function parseRate(value: unknown): { readonly jobs: number; readonly perMs: number } {
  const [, count = '', unit = ''] = (typeof value === 'string' ? form.exec(value) : null) ?? [];
  const jobs = Number(count);
  const perMs = units[unit];
  if (perMs === undefined) throw invalid(`rate: ${shown(value)} is no rate; give jobs per time, such as "10/s", "600/m" or "1000/h"`);
  if (!(jobs > 0)) throw invalid('rate: 0 would never move anything; leave it out for no limit, or give one such as "10/s"');
  return { jobs, perMs };
}

/** A rate as it was written. */
export function formatRate({ jobs, perMs }: { readonly jobs: number; readonly perMs: number }): string {
  return `${jobs}/${Object.entries(units).find(([, ms]) => ms === perMs)?.[0] ?? `${perMs}ms`}`;
}

function checkCount(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw invalid(`${what}: must be a whole number of at least 1`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function invalid(fault: string): RedriveError {
  return new RedriveError('OPTIONS_INVALID', fault);
}
