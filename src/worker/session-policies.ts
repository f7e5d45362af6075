import type { ResolvedPool } from '../config/resolved.ts';
import type { PlainBackoff } from '../job/backoff.ts';
import type { JobPolicy, JobRegistry } from '../job/registry.ts';
import type { PoolPolicy } from './policy.ts';

/** The plain part of a policy: what can be stored for a rescuer that lacks the class. */
interface StoredPolicy {
  readonly maxAttempts?: number;
  readonly backoff?: PlainBackoff;
  readonly retryUntilMs?: number;
  readonly markAsFailed?: boolean;
}

interface StoredPolicies {
  readonly pool: StoredPolicy;
  readonly jobs: Readonly<Record<string, StoredPolicy>>;
}

/** What a worker leaves in its session row, so that whoever has to clean up after it decides as it would have. */
export function describePolicies(registry: JobRegistry, pool: ResolvedPool): string {
  const jobs: Record<string, StoredPolicy> = {};
  for (const { name, policy } of registry.all()) {
    const stored = plain(policy);
    if (Object.keys(stored).length > 0) jobs[name] = stored;
  }
  return JSON.stringify({ pool: plain(pool), jobs } satisfies StoredPolicies);
}

/** The policies that a dead worker went by for one job; what its row does not say is taken from the rescuer's pool. */
export function readPolicies(text: string, jobName: string, own: PoolPolicy): { readonly pool: PoolPolicy; readonly job: JobPolicy } {
  const stored = parse(text);
  const job = stored.jobs[jobName] ?? {};
  return {
    pool: {
      maxAttempts: stored.pool.maxAttempts ?? own.maxAttempts,
      backoff: stored.pool.backoff ?? own.backoff,
      timeoutMs: own.timeoutMs,
    },
    job: {
      ...(job.maxAttempts === undefined ? {} : { maxAttempts: job.maxAttempts }),
      ...(job.backoff === undefined ? {} : { backoff: job.backoff }),
      ...(job.retryUntilMs === undefined ? {} : { retryUntilMs: job.retryUntilMs }),
      failOn: [],
      markAsFailed: job.markAsFailed ?? false,
    },
  };
}

function plain(policy: Partial<JobPolicy & PoolPolicy>): StoredPolicy {
  return {
    ...(policy.maxAttempts === undefined ? {} : { maxAttempts: policy.maxAttempts }),
    ...(policy.backoff === undefined || typeof policy.backoff === 'function' ? {} : { backoff: policy.backoff }),
    ...(policy.retryUntilMs === undefined ? {} : { retryUntilMs: policy.retryUntilMs }),
    ...(policy.markAsFailed === true ? { markAsFailed: true } : {}),
  };
}

function parse(text: string): StoredPolicies {
  try {
    const { pool = {}, jobs = {} } = JSON.parse(text) as Partial<StoredPolicies>;
    return { pool, jobs };
  } catch {
    return { pool: {}, jobs: {} };
  }
}
