import { RedriveError } from './errors.ts';

/** A number of seconds, or a string with a unit: `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'7d'`. */
export type Duration = number | string;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const pattern = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/;

// A thousand years. Much longer waits, added to the present, are beyond what a Date can hold.
const longestMs = 365_250 * 86_400_000;

/** Milliseconds of a duration, or undefined for what is none: NaN, negative, an unknown unit, more than a thousand years. */
export function tryDurationMs(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= 0 ? withinReach(value * 1_000) : undefined;
  if (typeof value !== 'string') return undefined;
  const match = pattern.exec(value.trim());
  if (match === null) return undefined;
  return withinReach(Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN));
}

function withinReach(ms: number): number | undefined {
  return ms <= longestMs ? Math.round(ms) : undefined;
}

/** Milliseconds of a duration. Throws `DURATION_INVALID`, naming `what`, for what is none. */
export function durationMs(value: unknown, what = 'duration'): number {
  const ms = tryDurationMs(value);
  if (ms !== undefined) return ms;
  const shown = typeof value === 'string' ? `"${value}"` : String(value);
  throw new RedriveError(
    'DURATION_INVALID',
    `${what}: ${shown} is no duration; give seconds as a number, or a string such as "250ms", "30s", "5m", "2h" or "7d"`,
  );
}

/** A duration for people: `90000` is `1m 30s`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 10_000 && ms % 1_000 !== 0) return `${(ms / 1_000).toFixed(1)}s`;
  const parts: string[] = [];
  let left = Math.round(ms / 1_000) * 1_000;
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = unitMs[unit] ?? 1;
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
