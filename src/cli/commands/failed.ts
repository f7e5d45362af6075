import type { Command } from 'commander';
import { didYouMean } from '../../config/nearest.ts';
import type { FailedJob } from '../../failure/failed-job.ts';
import { notEmpty, oneOf, wholeNumber } from '../arguments.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { UsageError, type ExitCode } from '../faults.ts';
import { addFilterFlags, filterOf, filterWords, type FilterFlags } from '../filter-flags.ts';
import { suspectJob } from '../job-names.ts';
import { withRedrive } from '../open.ts';
import { renderTable, type Table } from '../table.ts';
import { shellWord, utc } from '../text.ts';
import { failedGroupsCommand } from './failed-groups.ts';
import { failedShowCommand } from './failed-show.ts';
import { failedStatsCommand } from './failed-stats.ts';

export interface FailedFlags extends CommonFlags, FilterFlags {
  readonly limit?: number;
  readonly cursor?: string;
  readonly order?: 'newest' | 'oldest';
}

export function failedCommand(cli: Cli): Command {
  const command = newCommand('failed', cli)
    .alias('list-failed')
    .summary('list the failed jobs; failed show ID, groups, stats')
    .description('list the failed jobs, newest first')
    .option('--limit <n>', 'how many to show, 1 to 200 (default: 25)', wholeNumber(1, 200))
    .option('--cursor <cursor>', 'go on where an earlier list ended', notEmpty)
    .option('--order <order>', 'newest or oldest first (default: newest)', oneOf(['newest', 'oldest']))
    .allowExcessArguments()
    .addCommand(failedShowCommand(cli))
    .addCommand(failedGroupsCommand(cli))
    .addCommand(failedStatsCommand(cli));
  addFilterFlags(command, cli);
  const run = (flags: FailedFlags, self: Command): Promise<ExitCode> => {
    refuseArguments(self);
    return failed(flags, cli);
  };
  return complete(command, cli, { run });
}

// `failed` lists when it stands alone, so Commander takes a misspelt subcommand for an argument.
function refuseArguments(command: Command): void {
  const [word] = command.args;
  if (word === undefined) return;
  throw new UsageError(
    `unknown command "failed ${word}"${didYouMean(
      word,
      command.commands.map((known) => known.name()),
    )}`,
  );
}

/** Prints one page of the list. */
export async function failed(flags: FailedFlags, cli: Cli): Promise<ExitCode> {
  const filter = filterOf(flags);
  const { limit, cursor: after, order } = flags;
  const paging = {
    ...(limit === undefined ? {} : { limit }),
    ...(after === undefined ? {} : { cursor: after }),
    ...(order === undefined ? {} : { order }),
  };
  return withRedrive<ExitCode>(cli, { flags, access: 'look' }, async ({ redrive, config, flags: store }) => {
    const { items, cursor, partial } = await redrive.failedJobs.list(filter, paging);
    if (partial === true) cli.out.fault('redrive: not all was searched within a second; the cursor goes on from there');
    if (flags.json === true) {
      cli.out.json({ items, cursor, partial });
      return 0;
    }
    if (items.length === 0 && partial === true) cli.out.line('None found so far.');
    else if (items.length === 0)
      cli.out.line(flags.cursor === undefined ? `No failed jobs${suspectJob(flags.job, config)}.` : 'No more failed jobs.');
    else cli.out.lines(renderTable(flags.status === 'any' ? tableWithStatus : failedJobsTable, items, cli.io.columns));
    if (cursor !== undefined) {
      const same = `${order === undefined ? '' : ` --order ${order}`}${limit === undefined ? '' : ` --limit ${limit}`}`;
      cli.out.line();
      cli.out.line(`${items.length} shown. More: redrive failed${store}${filterWords(filter)}${same} --cursor ${shellWord(cursor)}`);
    }
    return 0;
  });
}

/** What was spent of what was allowed; `3/-` where there is no limit. */
export function spent(job: Pick<FailedJob, 'attempts' | 'maxAttempts'>): string {
  return `${job.attempts}/${job.maxAttempts === 0 ? '-' : job.maxAttempts}`;
}

const failedJobsTable: Table<FailedJob> = {
  columns: [
    { header: 'ID', cell: (job) => String(job.id) },
    { header: 'JOB', cell: (job) => job.job, narrowMin: 12, max: 60 },
    { header: 'QUEUE', cell: (job) => job.queue, narrowMin: 8, max: 30, drop: 2 },
    { header: 'KIND', cell: (job) => job.kind, drop: 3 },
    { header: 'TYPE', cell: (job) => job.type, max: 40 },
    { header: 'MESSAGE', cell: (job) => job.message, min: 32, max: 160 },
    { header: 'ATTEMPTS', cell: spent, drop: 1 },
    { header: 'FAILED AT', cell: (job) => utc(job.failedAt), drop: 4 },
  ],
  below: {
    replaces: ['TYPE', 'MESSAGE'],
    lines: [{ header: 'TYPE: MESSAGE', cell: (job) => `${job.type}: ${job.message}` }],
  },
};

/** Jobs of different status in one list have to be told apart. */
const tableWithStatus: Table<FailedJob> = {
  ...failedJobsTable,
  columns: [...failedJobsTable.columns, { header: 'STATUS', cell: (job) => job.status }],
};
