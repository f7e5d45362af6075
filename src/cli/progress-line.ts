import { formatDuration } from '../duration.ts';
import { displayWidth, oneLine, truncate } from './text.ts';

/** How far a long command is. */
export interface Figures {
  /** What it does: `Removing failed jobs`. */
  readonly what: string;
  /** Undefined where what it does is not counted. */
  readonly done: number | undefined;
  readonly total: number | undefined;
  /** 0 to 1; undefined where nobody knows. */
  readonly part: number | undefined;
  /** Each second; undefined until it can be told. */
  readonly rate: number | undefined;
  /** Undefined until it can be told. */
  readonly leftMs: number | undefined;
  readonly elapsedMs: number;
  /** What else is of interest. */
  readonly note: string | undefined;
}

const leastBar = 10;
const longestBar = 40;
const gap = '  ';

/**
 * The line of a terminal, in fewer cells than `columns`: `Removing failed jobs  [####......]  40%  400 of 1000  95/s  ETA 6s`.
 * Where it is narrow, the bar goes first, then the note, the rate, the time left and the count.
 */
export function progressLine(figures: Figures, columns: number): string {
  const width = Math.max(1, columns - 1);
  const { note, rate, time, count, percent } = partsOf(figures);
  const what = oneLine(figures.what);
  const optional = [count, time, rate, note];
  for (let kept = optional.length; kept >= 0; kept -= 1) {
    // In the order they are read in, whatever goes first.
    const [shownCount, shownTime, shownRate, shownNote] = optional.map((part, index) => (index < kept ? part : ''));
    const texts = [what, percent, shownCount, shownRate, shownTime, shownNote].filter((text) => text !== undefined && text !== '');
    const line = texts.join(gap);
    if (displayWidth(line) > width) continue;
    const room = Math.min(longestBar, width - displayWidth(line) - displayWidth(`${gap}[]`));
    if (figures.part === undefined || kept < optional.length || room < leastBar) return line;
    return [what, bar(figures.part, room), ...texts.slice(1)].join(gap);
  }
  return truncate([what, percent].filter((text) => text !== '').join(gap), width);
}

/** The same for a log that keeps every line: `Removing failed jobs: 40%, 400 of 1000, 95/s, ETA 6s`. */
export function progressText(figures: Figures): string {
  const { note, rate, time, count, percent } = partsOf(figures);
  const parts = [percent.trim(), count, rate, time, note].filter((text) => text !== '');
  return `${oneLine(figures.what)}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}

function partsOf({
  done,
  total,
  part,
  rate,
  leftMs,
  elapsedMs,
  note,
}: Figures): Readonly<Record<'note' | 'rate' | 'time' | 'count' | 'percent', string>> {
  const isOver = part !== undefined && part >= 1;
  const elapsed = elapsedMs < 1_000 ? '' : formatDuration(Math.floor(elapsedMs / 1_000) * 1_000);
  return {
    // Never 100 before the last one.
    percent: part === undefined ? '' : `${String(isOver ? 100 : Math.min(99, Math.floor(part * 100))).padStart(3)}%`,
    count: done === undefined ? '' : total === undefined ? String(done) : `${done} of ${total}`,
    rate: rate === undefined ? '' : `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`,
    time: isOver || leftMs === undefined ? elapsed : `ETA ${formatDuration(Math.max(1, Math.round(leftMs / 1_000)) * 1_000)}`,
    note: note === undefined ? '' : oneLine(note),
  };
}

function bar(part: number, room: number): string {
  const full = Math.min(room, Math.floor(Math.max(0, part) * room));
  return `[${'#'.repeat(full)}${'.'.repeat(room - full)}]`;
}
