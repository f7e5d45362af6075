const levels = '▁▂▃▄▅▆▇█';

/** Counts as one character each, the largest highest; a dot for none. */
export function sparkline(counts: readonly number[]): string {
  const most = Math.max(...counts, 1);
  return counts.map((count) => (count === 0 ? '.' : levels.charAt(Math.ceil((count / most) * levels.length) - 1))).join('');
}

/** A bar of at most `width` cells; one cell at least for what is not nothing. */
export function bar(count: number, most: number, width: number): string {
  return count === 0 ? '' : '█'.repeat(Math.max(1, Math.round((count / Math.max(most, 1)) * width)));
}
