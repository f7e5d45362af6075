import { formatDuration } from '../duration.ts';
import type { BackoffFunction, BackoffPolicy, PlainBackoff } from './backoff.ts';

/** A backoff for people: `10s`, `10s, 30s, then 1m each time`, `1s, doubled each time, up to 10m, less up to 20% at random`, `a function`. */
export function describeBackoff(backoff: PlainBackoff | BackoffFunction): string {
  if (typeof backoff === 'function') return 'a function';
  if ('policy' in backoff) return describePolicy(backoff);
  const delays = backoff.map(formatDelay);
  const last = delays.pop() ?? formatDelay(0);
  return delays.length === 0 ? last : `${delays.join(', ')}, then ${last} each time`;
}

function describePolicy(policy: BackoffPolicy): string {
  const jitter = policy.jitter > 0 ? `, less up to ${Math.round(policy.jitter * 100)}% at random` : '';
  return `${growth(policy)}${jitter}`;
}

function growth(policy: BackoffPolicy): string {
  const base = formatDelay(policy.baseMs);
  const limit = `up to ${formatDelay(policy.maxMs)}`;
  switch (policy.policy) {
    case 'constant':
      return base;
    case 'linear':
      return `${base}, ${base} more each time, ${limit}`;
    case 'exponential':
      return `${base}, ${policy.factor === 2 ? 'doubled' : `times ${policy.factor}`} each time, ${limit}`;
  }
}

const formatDelay = (ms: number): string => (ms === 0 ? 'none' : formatDuration(ms));
