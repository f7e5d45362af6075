import type { Command } from 'commander';
import type { MarkFailedOutcome } from '../../failure/failed-job.ts';
import { jobIds, noSuchJob, notEmpty } from '../arguments.ts';
import { addByFlag, byOf, type ByFlag } from '../by-flag.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { UsageError, type ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { nameLeft, outcomeLines, type Outcome } from '../outcomes.ts';

export interface MarkFailedFlags extends CommonFlags, ByFlag {
  readonly jobIds?: string;
  readonly reason?: string;
}

export function markFailedCommand(cli: Cli): Command {
  const command = newCommand('mark-failed', cli)
    .summary('make a failed job of one that has not started')
    .description('make failed jobs, held for a person, of jobs that have not started')
    .argument('[id...]', 'job ids')
    .option('--job-ids <ids>', 'the same as arguments, with commas between them')
    .option('--reason <text>', 'why: the message of the failed job (default: Marked as failed by hand)', notEmpty);
  return complete(addByFlag(command), cli, { run: (ids: string[], flags: MarkFailedFlags) => markFailed(ids, flags, cli) });
}

/** Makes failed jobs, kind `manual`, of queued ones. Exit 1 where one was not moved, with its id: a running one is refused. */
export async function markFailed(texts: readonly string[], flags: MarkFailedFlags, cli: Cli): Promise<ExitCode> {
  const ids = jobIds(texts, flags.jobIds);
  if (ids.length === 0) throw new UsageError('say which jobs: mark-failed --job-ids "ID,ID"');
  const { reason } = flags;
  const options = { by: byOf(flags, cli.io.env), ...(reason === undefined ? {} : { reason }) };
  const result = await withRedrive(cli, { flags, access: 'change' }, ({ redrive }) => redrive.failedJobs.markFailed(ids, options));
  const outcomes = result.outcomes.map(told);
  if (flags.json === true) cli.out.json({ moved: result.moved, outcomes: result.outcomes });
  else cli.out.lines([...outcomeLines(outcomes, { byFilter: false }), `Marked ${result.moved.length} job(s) as failed.`]);
  return nameLeft(cli.out, outcomes, 'not marked as failed');
}

const details: Readonly<Record<Exclude<MarkFailedOutcome['status'], 'not_found'>, string | undefined>> = {
  failed: undefined,
  running: 'it has started; cancel it, or wait for its end',
  not_queued: 'it has ended already',
};

function told({ id, status }: MarkFailedOutcome): Outcome {
  return { id, status, done: status === 'failed', detail: status === 'not_found' ? noSuchJob(id) : details[status] };
}
