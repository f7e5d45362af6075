import type { Command } from 'commander';
import type { AuditRecord } from '../../failure/audit.ts';
import { notEmpty, pointInTime, wholeNumber } from '../arguments.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import type { ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { renderTable, type Table } from '../table.ts';
import { shellWord, utc } from '../text.ts';

export interface AuditFlags extends CommonFlags {
  readonly limit?: number;
  readonly since?: Date;
  readonly by?: string;
  readonly cursor?: string;
}

export function auditCommand(cli: Cli): Command {
  const command = newCommand('audit', cli)
    .description('list who did what to jobs and queues, newest first')
    .option('--limit <n>', 'how many to show, 1 to 200 (default: 25)', wholeNumber(1, 200))
    .option('--since <time>', 'only at or after this time: 24h (ago), or 2026-11-22T12:30:00Z', pointInTime(cli.services.clock))
    .option('--by <name>', 'only what this one did', notEmpty)
    .option('--cursor <cursor>', 'go on where an earlier list ended', notEmpty);
  return complete(command, cli, { run: (flags: AuditFlags) => audit(flags, cli) });
}

/** Prints one page of the audit. */
export async function audit(flags: AuditFlags, cli: Cli): Promise<ExitCode> {
  const { limit, since, by, cursor } = flags;
  const options = Object.fromEntries(Object.entries({ limit, since, by, cursor }).filter(([, value]) => value !== undefined));
  return withRedrive<ExitCode>(cli, { flags, access: 'look' }, async ({ redrive, flags: store }) => {
    const { items, cursor: next } = await redrive.audit(options);
    if (flags.json === true) {
      cli.out.json({ items, cursor: next });
      return 0;
    }
    if (items.length === 0) cli.out.line(cursor === undefined ? 'Nothing was done by hand.' : 'Nothing more was done by hand.');
    else cli.out.lines(renderTable(auditTable, items, cli.io.columns));
    if (next !== undefined) {
      cli.out.line();
      cli.out.line(`${items.length} shown. More: redrive audit${store}${wordsOf(flags)} --cursor ${shellWord(next)}`);
    }
    return 0;
  });
}

function wordsOf({ limit, since, by }: AuditFlags): string {
  const words: readonly [flag: string, value: string | undefined][] = [
    ['--limit', limit?.toString()],
    ['--since', since?.toISOString()],
    ['--by', by],
  ];
  return words.map(([flag, value]) => (value === undefined ? '' : ` ${flag} ${shellWord(value)}`)).join('');
}

const auditTable: Table<AuditRecord> = {
  columns: [
    { header: 'AT', cell: (one) => utc(one.at) },
    { header: 'BY', cell: (one) => one.by, min: 8, max: 30 },
    { header: 'ACTION', cell: (one) => one.action },
    { header: 'COUNT', cell: (one) => String(one.count) },
    { header: 'WHAT', cell: whatOf, min: 24, max: 200 },
  ],
  below: { replaces: ['WHAT'], lines: [{ header: 'WHAT', cell: whatOf }] },
};

const shownIds = 3;

/** What chose them, or the first of them, and what was said of it. */
function whatOf({ ids, count, filter, detail }: AuditRecord): string {
  const more = count > shownIds ? ` and ${count - shownIds} more` : '';
  const chosen = filter === undefined ? `${ids.slice(0, shownIds).join(', ')}${more}` : pairs(filter) || 'all';
  return [chosen, detail === undefined ? '' : pairs(detail)].filter((part) => part !== '').join('; ');
}

function pairs(values: object): string {
  return Object.entries(values)
    .map(([key, value]: [string, unknown]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
