import type { Command } from 'commander';
import type { HourCount, QueueSummary, TypeCount } from '../../failure/figures.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import type { ExitCode } from '../faults.ts';
import { addFilterFlags, filterOf, type FilterFlags } from '../filter-flags.ts';
import { withRedrive } from '../open.ts';
import { bar, sparkline } from '../spark.ts';
import { renderTable, type Table } from '../table.ts';
import { utc } from '../text.ts';
import { tellPartial } from './failed-groups.ts';

export interface FailedStatsFlags extends CommonFlags, FilterFlags {}

export function failedStatsCommand(cli: Cli): Command {
  const command = newCommand('stats', cli).description('failures by type, by hour and by queue');
  addFilterFlags(command, cli);
  return complete(command, cli, {
    run: (_own: CommonFlags, self: Command) => failedStats(self.optsWithGlobals<FailedStatsFlags>(), cli),
  });
}

/** Prints the failures in figures. */
export async function failedStats(flags: FailedStatsFlags, cli: Cli): Promise<ExitCode> {
  const filter = filterOf(flags);
  return withRedrive<ExitCode>(cli, { flags, access: 'look' }, async ({ redrive: { failedJobs } }) => {
    const byType = await failedJobs.byType(filter);
    const byHour = await failedJobs.byHour(filter);
    const byQueue = await failedJobs.summary(filter);
    tellPartial([byType, byHour, byQueue].find(({ partial }) => partial === true) ?? {}, cli);
    if (flags.json === true) cli.out.json({ byType, byHour, byQueue });
    else if (byType.length === 0) cli.out.line('No failed jobs.');
    else cli.out.lines(describeFigures({ byType, byHour, byQueue }, cli.io.columns));
    return 0;
  });
}

interface AllFigures {
  readonly byType: readonly TypeCount[];
  readonly byHour: readonly HourCount[];
  readonly byQueue: readonly QueueSummary[];
}

function describeFigures({ byType, byHour, byQueue }: AllFigures, columns: number | undefined): string[] {
  return [
    'By type',
    ...renderTable(typesTable, byType, columns),
    '',
    byHour.length > mostBars ? 'By day, UTC' : 'By hour, UTC',
    ...bars(byHour, columns ?? 80),
    '',
    'By queue; the last seven days',
    ...renderTable(queuesTable, byQueue, columns),
  ];
}

/** More hours than this are shown by day. */
const mostBars = 48;

function bars(byHour: readonly HourCount[], columns: number): string[] {
  const byDay = byHour.length > mostBars;
  const counts = new Map<string, number>();
  for (const { hour, count } of byHour) {
    const label = byDay ? utc(hour).slice(0, 10) : utc(hour).slice(0, 16);
    counts.set(label, (counts.get(label) ?? 0) + count);
  }
  const most = Math.max(...counts.values(), 0);
  const width = String(most).length;
  return [...counts].map(([label, count]) => {
    const head = `${label}  ${String(count).padStart(width)}`;
    return `${head}  ${bar(count, most, Math.max(1, columns - head.length - 2))}`.trimEnd();
  });
}

const typesTable: Table<TypeCount> = {
  columns: [
    { header: 'COUNT', cell: ({ count }) => String(count) },
    { header: 'TYPE', cell: ({ type }) => type, narrowMin: 12, max: 60 },
  ],
  below: { replaces: [], lines: [] },
};

const queuesTable: Table<QueueSummary> = {
  columns: [
    { header: 'COUNT', cell: ({ total }) => String(total) },
    { header: 'QUEUE', cell: ({ queue }) => queue, min: 8, max: 40 },
    { header: 'CONNECTION', cell: ({ connection }) => connection, narrowMin: 8, max: 30, drop: 2 },
    { header: 'FIRST', cell: ({ first }) => utc(first), drop: 1 },
    { header: 'LAST', cell: ({ last }) => utc(last), drop: 3 },
    { header: 'DAYS', cell: ({ days }) => sparkline(days) },
  ],
  below: { replaces: [], lines: [] },
};
