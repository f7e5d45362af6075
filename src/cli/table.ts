import { displayWidth, oneLine, pad, truncate } from './text.ts';

export interface Column<Row> {
  readonly header: string;
  readonly cell: (row: Row) => string;
  /** May be cut down to this many cells; left out: shown whole. */
  readonly min?: number;
  /** The same, but only once `below` is in use. */
  readonly narrowMin?: number;
  /** Cut to this many cells even where there is room for all of it. */
  readonly max?: number;
  /** Left out of a terminal that is too narrow, the lowest first; left out here: always shown. */
  readonly drop?: number;
}

export interface Table<Row> {
  readonly columns: readonly Column<Row>[];
  /** Where one line a row is too little, `lines` go below it and stand for the columns that `replaces` names by header. */
  readonly below: { readonly replaces: readonly string[]; readonly lines: readonly Column<Row>[] };
}

interface Laid {
  readonly header: string;
  readonly cells: readonly string[];
  readonly width: number;
  readonly min: number;
  readonly drop: number | undefined;
}

const gap = 2;

/** The lines of a table: a header, then each row. `width` undefined: nothing is cut to fit. Everything in it is escaped. */
export function renderTable<Row>(table: Table<Row>, rows: readonly Row[], width: number | undefined): string[] {
  const whole = table.columns.map((column) => lay(column, rows, column.min));
  if (width === undefined || shrunkTotal(whole) <= width) return print(shrink(whole, width ?? Number.POSITIVE_INFINITY));
  const { replaces, lines } = table.below;
  const kept = table.columns
    .filter((column) => !replaces.includes(column.header))
    .map((column) => lay(column, rows, column.narrowMin ?? column.min));
  return print(
    narrow(kept, width),
    lines.map((column) => lay(column, rows, undefined)),
    width,
  );
}

function lay<Row>(column: Column<Row>, rows: readonly Row[], min: number | undefined): Laid {
  const cells = rows.map((row) => truncate(oneLine(column.cell(row)) || '-', column.max ?? 1_000));
  const width = cells.reduce((widest, cell) => Math.max(widest, displayWidth(cell)), displayWidth(column.header));
  return { header: column.header, cells, width, min: Math.min(width, min ?? width), drop: column.drop };
}

const total = (columns: readonly Laid[]): number => columns.reduce((sum, column) => sum + column.width + gap, -gap);
const shrunkTotal = (columns: readonly Laid[]): number => columns.reduce((sum, column) => sum + column.min + gap, -gap);

/** Takes what is too much from the columns that may be cut, the widest first. */
function shrink(columns: readonly Laid[], width: number): Laid[] {
  const shrunk = [...columns];
  for (let excess = total(shrunk) - width; excess > 0; excess = total(shrunk) - width) {
    const elastic = shrunk.filter((column) => column.width > column.min);
    const widest = elastic.reduce<Laid | undefined>(
      (best, column) => (best === undefined || column.width > best.width ? column : best),
      undefined,
    );
    if (widest === undefined) break;
    shrunk[shrunk.indexOf(widest)] = { ...widest, width: widest.width - 1 };
  }
  return shrunk;
}

function narrow(columns: readonly Laid[], width: number): Laid[] {
  let kept = [...columns];
  while (shrunkTotal(kept) > width) {
    const next = kept.filter((column) => column.drop !== undefined).toSorted((a, b) => (a.drop ?? 0) - (b.drop ?? 0))[0];
    if (next === undefined) break;
    kept = kept.filter((column) => column !== next);
  }
  return shrink(kept, width);
}

function print(columns: readonly Laid[], below: readonly Laid[] = [], width = Number.POSITIVE_INFINITY): string[] {
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) => pad(truncate(text, columns[index]?.width ?? 0), columns[index]?.width ?? 0))
      .join(' '.repeat(gap))
      .trimEnd();
  const indent = ' '.repeat(Math.min((columns[0]?.width ?? 0) + gap, 8));
  const lower = (text: string): string => truncate(`${indent}${text}`, width);
  const rows = columns[0]?.cells.length ?? 0;
  const printed = [line(columns.map((column) => column.header)), ...below.map((column) => lower(column.header))];
  for (let row = 0; row < rows; row += 1) {
    printed.push(line(columns.map((column) => column.cells[row] ?? '')), ...below.map((column) => lower(column.cells[row] ?? '')));
  }
  return printed.map((text) => (Number.isFinite(width) ? truncate(text, width) : text));
}
