import type { Command } from 'commander';
import { notEmpty } from '../arguments.ts';
import { addByFlag, byOf, type ByFlag } from '../by-flag.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { confirm, yesOption, type YesFlag } from '../confirm.ts';
import type { ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { Progress } from '../progress.ts';

export interface FlushFlags extends CommonFlags, YesFlag, ByFlag {
  readonly queue?: string;
}

export function flushCommand(cli: Cli): Command {
  const command = newCommand('flush', cli)
    .summary('remove all failed jobs for good')
    .description('remove all failed jobs for good, or all of one queue; those that are being retried, and resolved ones, stay')
    .option('--queue <queue>', 'only of this queue', notEmpty)
    .option(...yesOption);
  addByFlag(command);
  return complete(command, cli, { run: (flags: FlushFlags) => flush(flags, cli) });
}

/** Removes every failed job, and prints how many really went. Asks first. Exit 1 where the answer was no. */
export async function flush(flags: FlushFlags, cli: Cli): Promise<ExitCode> {
  const { queue } = flags;
  const filter = queue === undefined ? {} : { queue };
  return withRedrive<ExitCode>(cli, { flags, access: 'change' }, async ({ redrive }) => {
    const count = await redrive.failedJobs.count(filter);
    if (count > 0 && !(await confirm(cli, flags, `This removes ${count} failed job(s) for good`))) {
      if (flags.json === true) cli.out.json({ removed: 0, outcomes: [] });
      else cli.out.line('Nothing was removed.');
      return 1;
    }
    const progress = new Progress(cli, 'Removing failed jobs');
    const onProgress = (done: number): void => progress.update({ done, total: count });
    const { removed, outcomes } = await redrive.failedJobs.forget(filter, { by: byOf(flags, cli.io.env), onProgress });
    if (flags.json === true) cli.out.json({ removed, outcomes });
    else cli.out.line(`Removed ${removed} job(s).`);
    return 0;
  });
}
