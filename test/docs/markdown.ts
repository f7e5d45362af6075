import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scaffold/packed-package.ts';

/** The text of a page, by its path from the root of the repository. */
export function page(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** The text below a heading, up to the next one that is as high. Throws where there is no such heading. */
export function section(text: string, heading: string): string {
  const lines = text.split('\n');
  const start = lines.indexOf(heading);
  if (start < 0) throw new Error(`there is no heading "${heading}"`);
  const level = /^#+/.exec(heading)![0].length;
  const end = lines.findIndex((line, index) => index > start && /^#+ /.test(line) && /^#+/.exec(line)![0].length <= level);
  return lines.slice(start + 1, end < 0 ? undefined : end).join('\n');
}

/** The rows of every table in a text, without heads, each a list of cells. A `\|` in a cell is a `|`. */
export function tableRows(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const isRow = line.startsWith('|') && !isRule(line) && !isRule(lines[index + 1] ?? '');
    return isRow ? [cells(line)] : [];
  });
}

function isRule(line: string): boolean {
  return /^\|(?:[-: ]+\|)+$/.test(line);
}

function cells(line: string): readonly string[] {
  return line
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.replaceAll('\\|', '|').trim());
}

/** What stands between the first backticks of a cell. Throws where there are none. */
export function code(cell: string | undefined): string {
  const found = /`([^`]+)`/.exec(cell ?? '')?.[1];
  if (found === undefined) throw new Error(`no code in the cell "${cell}"`);
  return found;
}

/** Everything between backticks in a text. */
export function codes(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, found]) => found!);
}
