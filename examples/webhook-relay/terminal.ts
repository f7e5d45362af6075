import { styleText } from 'node:util';

/** What the relay has to say while it works. */
export interface Progress {
  readonly total: number;
  readonly delivered: number;
  readonly failed: number;
  readonly attempts: number;
}

const live = process.stdout.isTTY && process.env['TERM'] !== 'dumb';
const coloured = live && process.env['NO_COLOR'] === undefined;

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

export function paint(style: Style, text: string): string {
  return coloured ? styleText(style, text) : text;
}

export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Shows progress until it is stopped: one line that changes on a terminal, a plain line every few seconds elsewhere. */
export function showProgress(read: () => Progress): () => void {
  const started = performance.now();
  const draw = (): void => {
    const line = progressLine(read(), (performance.now() - started) / 1_000);
    process.stdout.write(live ? `\r${line}\u001b[K` : `${line}\n`);
  };
  if (live) draw();
  const timer = setInterval(draw, live ? 100 : 3_000);
  return () => {
    clearInterval(timer);
    draw();
    if (live) say();
  };
}

function progressLine({ total, delivered, failed, attempts }: Progress, seconds: number): string {
  const width = 24;
  const cells = (count: number): number => Math.round((count / Math.max(total, 1)) * width);
  const good = cells(delivered);
  const bad = Math.min(cells(delivered + failed) - good, width - good);
  const bar = paint('green', '#'.repeat(good)) + paint('red', 'x'.repeat(bad)) + paint('dim', '.'.repeat(width - good - bad));
  const share = `${delivered + failed}/${total}`.padStart(`${total}`.length * 2 + 1);
  return `  [${bar}] ${share}  ${failed} failed  ${attempts} attempts  ${seconds.toFixed(0).padStart(2)} s`;
}

/** A table whose last column is cut so that no line is wider than the terminal. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  const room = process.stdout.columns ?? 80;
  const line = (row: readonly string[]): string => {
    const text = `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd();
    return text.length > room ? `${text.slice(0, room - 1)}…` : text;
  };
  say(paint('dim', line(head)));
  for (const row of rows) say(line(row));
}
