import type { Command } from 'commander';
import type { ForgetOutcome, ForgetResult } from '../../failure/failed-job.ts';
import type { FailedJobFilter, FailedJobStatus } from '../../record/failure-log.ts';
import type { Redrive } from '../../redrive.ts';
import { failedJobIds, notEmpty } from '../arguments.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { confirm, yesOption, type YesFlag } from '../confirm.ts';
import { UsageError, type ExitCode } from '../faults.ts';
import { addFilterFlags, filterOf, statusOption, type FilterFlags } from '../filter-flags.ts';
import { withRedrive } from '../open.ts';
import { nameLeft, outcomeLines, type Outcome } from '../outcomes.ts';

export interface ForgetFlags extends CommonFlags, FilterFlags, YesFlag {
  readonly queue?: string;
  readonly status?: FailedJobStatus | 'any';
}

export function forgetCommand(cli: Cli): Command {
  const command = newCommand('forget', cli)
    .summary('remove failed jobs for good')
    .description('remove failed jobs for good, with their attempts; those that are being retried stay')
    .argument('[id...]', 'numbers of failed jobs, or job ids')
    .option('--queue <queue>', 'only of this queue', notEmpty);
  addFilterFlags(command, cli)
    .option(...statusOption)
    .option(...yesOption);
  return complete(command, cli, { run: (ids: string[], flags: ForgetFlags) => forget(ids, flags, cli) });
}

/** Removes failed jobs and prints how many really went. Flags that choose them ask first. Exit 1 where one stayed, or the answer was no. */
export async function forget(texts: readonly string[], flags: ForgetFlags, cli: Cli): Promise<ExitCode> {
  const target = targetOf(texts, flags);
  const result = await withRedrive(cli, { flags, access: 'change' }, async ({ redrive }) =>
    Array.isArray(target) ? redrive.failedJobs.forget(target) : forgetMatching(redrive, target as FailedJobFilter, { flags, cli }),
  );
  if (result === undefined) {
    if (flags.json === true) cli.out.json({ removed: 0, outcomes: [] });
    else cli.out.line('Nothing was removed.');
    return 1;
  }
  const outcomes = result.outcomes.map(told);
  if (flags.json === true) cli.out.json({ removed: result.removed, outcomes: result.outcomes });
  else cli.out.lines([...outcomeLines(outcomes, { byFilter: !Array.isArray(target) }), `Removed ${result.removed} job(s).`]);
  return nameLeft(cli.out, outcomes, 'not removed');
}

type Target = readonly (string | number)[] | FailedJobFilter;

function targetOf(texts: readonly string[], flags: ForgetFlags): Target {
  const ids = failedJobIds(texts, undefined);
  const filter = filterOf(flags, flags.queue);
  const narrowed = Object.keys(filter).length > 0;
  if (ids.length > 0 && narrowed) throw new UsageError('give either ids, or flags such as --job and --type that choose failed jobs');
  if (ids.length === 0 && !narrowed) throw new UsageError('say which failed jobs: ids, or flags such as --job and --type');
  return narrowed ? filter : ids;
}

/** Undefined where the answer was no. */
async function forgetMatching(
  redrive: Redrive,
  filter: FailedJobFilter,
  { flags, cli }: { readonly flags: ForgetFlags; readonly cli: Cli },
): Promise<ForgetResult | undefined> {
  if (flags.yes !== true) {
    const count = await redrive.failedJobs.count(filter);
    if (count > 0 && !(await confirm(cli, flags, `This removes ${count} failed job(s) for good`))) return undefined;
  }
  return redrive.failedJobs.forget(filter);
}

const details: Readonly<Record<ForgetOutcome['status'], string | undefined>> = {
  removed: undefined,
  retrying: 'it is being retried; forget it when that has ended',
  not_found: 'there is no failed job of this id',
};

function told({ id, status }: ForgetOutcome): Outcome {
  return { id, status, done: status === 'removed', detail: details[status] };
}
