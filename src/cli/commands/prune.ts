import type { Command } from 'commander';
import { durationMs, type Duration } from '../../duration.ts';
import type { FailedJobFilter } from '../../record/failure-log.ts';
import type { Redrive } from '../../redrive.ts';
import { duration, notEmpty, wholeNumber } from '../arguments.ts';
import { addByFlag, byOf, type ByFlag } from '../by-flag.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { confirm, yesOption, type YesFlag } from '../confirm.ts';
import { UsageError, type ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { Progress } from '../progress.ts';

export interface PruneFlags extends CommonFlags, YesFlag, ByFlag {
  readonly olderThan?: Duration;
  readonly keep?: number;
  readonly queue?: string;
}

export function pruneCommand(cli: Cli): Command {
  const command = newCommand('prune', cli)
    .summary('remove old failed jobs for good')
    .description('remove old failed jobs for good, resolved ones too; those that are being retried stay')
    .option('--older-than <duration>', 'those that failed longer ago than this: 30d; 0 for all', duration)
    .option('--keep <n>', 'not the newest n: of the queue where one is named, else of all', wholeNumber(0))
    .option('--queue <queue>', 'only of this queue', notEmpty)
    .option(...yesOption);
  addByFlag(command);
  return complete(command, cli, { run: (flags: PruneFlags) => prune(flags, cli) });
}

/** Removes old failed jobs, and prints how many really went. Asks first. Exit 1 where the answer was no. */
export async function prune(flags: PruneFlags, cli: Cli): Promise<ExitCode> {
  const { olderThan, keep, queue } = flags;
  if (olderThan === undefined && keep === undefined)
    throw new UsageError('say which are old: --older-than 30d, --keep 1000, or both; flush removes all');
  return withRedrive<ExitCode>(cli, { flags, access: 'change' }, async ({ redrive }) => {
    // Only a terminal is told how many: counting costs queries that a script has no use for.
    const total = cli.io.isTty.stderr ? await countOld(redrive, flags, cli.services.clock.now()) : undefined;
    if (!(await confirm(cli, flags, `This removes ${total === undefined ? '' : `${total} `}${which(flags)} for good`))) {
      if (flags.json === true) cli.out.json({ removed: 0 });
      else cli.out.line('Nothing was removed.');
      return 1;
    }
    const progress = new Progress(cli, 'Removing failed jobs');
    const { removed } = await redrive.failedJobs.prune({
      by: byOf(flags, cli.io.env),
      onProgress: (done) => progress.update({ done, total }),
      ...(olderThan === undefined ? {} : { olderThan }),
      ...(keep === undefined ? {} : { keep }),
      ...(queue === undefined ? {} : { queue }),
    });
    if (flags.json === true) cli.out.json({ removed });
    else cli.out.line(`Removed ${removed} job(s).`);
    return 0;
  });
}

/** How many will go, as far as can be told beforehand: of both rules the one that leaves more. */
async function countOld(redrive: Redrive, { olderThan, keep = 0, queue }: PruneFlags, now: number): Promise<number> {
  const of: FailedJobFilter = queue === undefined ? {} : { queue };
  const counted = async (filter: FailedJobFilter): Promise<number> => {
    const counts = await Promise.all((['failed', 'resolved'] as const).map((status) => redrive.failedJobs.count({ ...filter, status })));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const old = olderThan === undefined ? Number.POSITIVE_INFINITY : await counted({ ...of, until: new Date(now - durationMs(olderThan)) });
  return Math.min(old, olderThan !== undefined && keep === 0 ? old : Math.max(0, (await counted(of)) - keep));
}

function which({ olderThan, keep, queue }: PruneFlags): string {
  const age = olderThan === undefined ? '' : ` older than ${typeof olderThan === 'number' ? `${olderThan}s` : olderThan}`;
  return `failed job(s)${queue === undefined ? '' : ` of queue ${queue}`}${age}${keep === undefined ? '' : ` but the newest ${keep}`}`;
}
