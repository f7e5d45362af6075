import type { Command } from 'commander';
import type { ForgetOutcome } from '../../failure/failed-job.ts';
import type { FailedJobFilter } from '../../record/failure-log.ts';
import type { Redrive } from '../../redrive.ts';
import { failedJobIds } from '../arguments.ts';
import { addByFlag, byOf, type ByFlag } from '../by-flag.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { confirm, yesOption, type YesFlag } from '../confirm.ts';
import { UsageError, type ExitCode } from '../faults.ts';
import { addFilterFlags, filterOf, type FilterFlags } from '../filter-flags.ts';
import { suspectJob } from '../job-names.ts';
import { withRedrive } from '../open.ts';
import { nameLeft, outcomeLines, type Outcome } from '../outcomes.ts';
import { Progress } from '../progress.ts';

export interface ForgetFlags extends CommonFlags, FilterFlags, YesFlag, ByFlag {}

export function forgetCommand(cli: Cli): Command {
  const command = newCommand('forget', cli)
    .summary('remove failed jobs for good')
    .description('remove failed jobs for good, with their attempts; those that are being retried stay')
    .argument('[id...]', 'numbers of failed jobs, or job ids');
  addFilterFlags(command, cli, { without: ['ids'] }).option(...yesOption);
  addByFlag(command);
  return complete(command, cli, { run: (ids: string[], flags: ForgetFlags) => forget(ids, flags, cli) });
}

/** Removes failed jobs and prints how many really went. Flags that choose them ask first. Exit 1 where one stayed, or the answer was no. */
export async function forget(texts: readonly string[], flags: ForgetFlags, cli: Cli): Promise<ExitCode> {
  const target = targetOf(texts, flags);
  return withRedrive<ExitCode>(cli, { flags, access: 'change' }, async ({ redrive, config }) => {
    if (isFilter(target) && !(await mayRemove(redrive, target, { flags, cli }))) {
      if (flags.json === true) cli.out.json({ removed: 0, outcomes: [] });
      else cli.out.line('Nothing was removed.');
      return 1;
    }
    const progress = new Progress(cli, 'Removing failed jobs');
    const total = isFilter(target) && cli.io.isTty.stderr ? await redrive.failedJobs.count(target) : undefined;
    const onProgress = (done: number): void => progress.update({ done, total });
    const result = await redrive.failedJobs.forget(target, { by: byOf(flags, cli.io.env), onProgress });
    const outcomes = result.outcomes.map(told);
    const suspect = result.outcomes.length === 0 ? suspectJob(flags.job, config) : '';
    if (flags.json === true) cli.out.json({ removed: result.removed, outcomes: result.outcomes });
    else cli.out.lines([...outcomeLines(outcomes, { byFilter: isFilter(target) }), `Removed ${result.removed} job(s)${suspect}.`]);
    return nameLeft(cli.out, outcomes, 'not removed');
  });
}

type Target = readonly (string | number)[] | FailedJobFilter;

function targetOf(texts: readonly string[], flags: ForgetFlags): Target {
  const ids = failedJobIds(texts, undefined);
  const filter = filterOf(flags);
  const narrowed = Object.keys(filter).length > 0;
  if (ids.length > 0 && narrowed) throw new UsageError('give either ids, or flags such as --job and --type that choose failed jobs');
  if (ids.length === 0 && !narrowed) throw new UsageError('say which failed jobs: ids, or flags such as --job and --type');
  return narrowed ? filter : ids;
}

function isFilter(target: Target): target is FailedJobFilter {
  return !Array.isArray(target);
}

async function mayRemove(
  redrive: Redrive,
  filter: FailedJobFilter,
  { flags, cli }: { readonly flags: ForgetFlags; readonly cli: Cli },
): Promise<boolean> {
  if (flags.yes === true) return true;
  const count = await redrive.failedJobs.count(filter);
  return count === 0 || confirm(cli, flags, `This removes ${count} failed job(s) for good`);
}

const details: Readonly<Record<ForgetOutcome['status'], string | undefined>> = {
  removed: undefined,
  retrying: 'it is being retried; forget it when that has ended',
  not_found: 'there is no failed job of this id',
};

function told({ id, status }: ForgetOutcome): Outcome {
  return { id, status, done: status === 'removed', detail: details[status] };
}
