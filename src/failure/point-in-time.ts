import { tryDurationMs } from '../duration.ts';

const dateForm = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/i;

/**
 * A point in time as people write it: how long before `now` (epoch ms) it was (`24h`), or an ISO date with or without a time,
 * UTC where it names no zone. Undefined for what is neither.
 */
export function readPointInTime(text: string, now: number): Date | undefined {
  const ago = tryDurationMs(text);
  const date = ago === undefined ? dateOf(text.trim()) : new Date(now - ago);
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}

/** What {@link readPointInTime} reads, for a message. */
export const pointInTimeForms = 'how long ago (24h, 7d) or a date (2026-11-22, 2026-11-22T12:30:00Z)';

function dateOf(text: string): Date | undefined {
  const [, day, time = '00:00', zone = 'Z'] = dateForm.exec(text) ?? [];
  if (day === undefined) return undefined;
  // Date rolls February 30 over to March 2 without a word.
  const midnight = new Date(`${day}T00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(day)) return undefined;
  return new Date(`${day}T${time}${zone.toUpperCase()}`);
}
