import { describe, expect, it } from 'vitest';
import { renderTable, type Table } from '../../src/cli/table.ts';
import { displayWidth } from '../../src/cli/text.ts';

interface Row {
  readonly id: string;
  readonly job: string;
  readonly message: string;
}

const table: Table<Row> = {
  columns: [
    { header: 'ID', cell: (row) => row.id },
    { header: 'JOB', cell: (row) => row.job, narrowMin: 8, drop: 1 },
    { header: 'MESSAGE', cell: (row) => row.message, min: 12, max: 40 },
  ],
  below: { replaces: ['MESSAGE'], lines: [{ header: 'MESSAGE', cell: (row) => row.message }] },
};
const rows: readonly Row[] = [
  { id: '1', job: 'emails.welcome', message: 'The mailbox of this person is full and has been so for a month' },
  { id: '12', job: 'ping', message: 'no' },
];

describe('a table', () => {
  it('cuts nothing to fit where there is no terminal, but keeps a long cell in bounds', () => {
    expect(renderTable(table, rows, undefined)).toEqual([
      'ID  JOB             MESSAGE',
      '1   emails.welcome  The mailbox of this person is full and…',
      '12  ping            no',
    ]);
  });

  it('cuts the column that may be cut to what is left', () => {
    expect(renderTable(table, rows, 36)).toEqual([
      'ID  JOB             MESSAGE',
      '1   emails.welcome  The mailbox of…',
      '12  ping            no',
    ]);
  });

  it('gives the message a line of its own where too little is left for it', () => {
    expect(renderTable(table, rows, 30)).toEqual([
      'ID  JOB',
      '    MESSAGE',
      '1   emails.welcome',
      '    The mailbox of this perso…',
      '12  ping',
      '    no',
    ]);
  });

  it('shortens, and then drops, columns of a very narrow terminal', () => {
    expect(renderTable(table, rows, 14)[2]).toBe('1   emails.we…');
    expect(renderTable(table, rows, 8)[0]).toBe('ID');
  });

  it('stays within the width, whatever it is', () => {
    for (let width = 6; width < 100; width += 1)
      for (const line of renderTable(table, rows, width)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  it('keeps a row on its line when a cell holds line ends or control characters', () => {
    const [, row] = renderTable(table, [{ id: '1', job: 'a\nb', message: 'x\u001b[31m\ry' }], undefined);
    expect(row).toBe('1   a b  x\\x1b[31m y');
  });
});
