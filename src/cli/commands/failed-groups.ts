import type { Command } from 'commander';
import type { FailureGroup } from '../../failure/figures.ts';
import { wholeNumber } from '../arguments.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import type { ExitCode } from '../faults.ts';
import { addFilterFlags, filterOf, type FilterFlags } from '../filter-flags.ts';
import { suspectJob } from '../job-names.ts';
import { withRedrive } from '../open.ts';
import { sparkline } from '../spark.ts';
import { renderTable, type Table } from '../table.ts';
import { utc } from '../text.ts';

export interface FailedGroupsFlags extends CommonFlags, FilterFlags {
  readonly limit?: number;
}

export function failedGroupsCommand(cli: Cli): Command {
  const command = newCommand('groups', cli)
    .description('the failures that share a cause, a row a group, the largest first')
    .option('--limit <n>', 'how many groups to show, 1 to 1000 (default: 100)', wholeNumber(1, 1_000));
  addFilterFlags(command, cli);
  return complete(command, cli, {
    run: (_own: CommonFlags, self: Command) => failedGroups(self.optsWithGlobals<FailedGroupsFlags>(), cli),
  });
}

/** Prints the largest groups. */
export async function failedGroups(flags: FailedGroupsFlags, cli: Cli): Promise<ExitCode> {
  const { limit } = flags;
  return withRedrive<ExitCode>(cli, { flags, access: 'look' }, async ({ redrive, config, flags: store }) => {
    const groups = await redrive.failedJobs.groups(filterOf(flags), limit === undefined ? {} : { limit });
    tellPartial(groups, cli);
    if (flags.json === true) cli.out.json(groups);
    else if (groups.length === 0) cli.out.line(`No failed jobs${suspectJob(flags.job, config)}.`);
    else {
      cli.out.lines(renderTable(groupsTable, groups, cli.io.columns));
      cli.out.line();
      cli.out.line('The trend is of 24 hours, the last of them this one.');
      cli.out.line(`One group: redrive failed${store} --group ${groups[0]?.fingerprint}`);
    }
    return 0;
  });
}

/** Says where an answer is not of all failed jobs. */
export function tellPartial(figures: { readonly partial?: true }, cli: Cli): void {
  if (figures.partial === true) cli.out.fault('redrive: only the newest were looked at: all would have taken longer than a second');
}

const groupsTable: Table<FailureGroup> = {
  columns: [
    { header: 'COUNT', cell: (group) => String(group.count) },
    { header: 'JOB', cell: (group) => group.job, narrowMin: 12, max: 40 },
    { header: 'TYPE', cell: (group) => group.type, max: 30 },
    { header: 'MESSAGE', cell: (group) => group.message, min: 32, max: 120 },
    { header: 'FIRST', cell: (group) => utc(group.firstFailedAt), drop: 1 },
    { header: 'LAST', cell: (group) => utc(group.lastFailedAt), drop: 2 },
    { header: 'TREND', cell: (group) => sparkline(group.trend), drop: 3 },
    { header: 'GROUP', cell: (group) => group.fingerprint },
  ],
  below: {
    replaces: ['TYPE', 'MESSAGE', 'GROUP'],
    lines: [
      { header: 'TYPE: MESSAGE', cell: (group) => `${group.type}: ${group.message}` },
      { header: 'GROUP', cell: (group) => group.fingerprint },
    ],
  },
};
