import type { Command } from 'commander';
import type { ResolveOutcome } from '../../failure/failed-job.ts';
import { failedJobIds, notEmpty } from '../arguments.ts';
import { addByFlag, byOf, type ByFlag } from '../by-flag.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import type { ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { nameLeft, outcomeLines, type Outcome } from '../outcomes.ts';

export interface ResolveFlags extends CommonFlags, ByFlag {
  readonly note?: string;
}

export function resolveCommand(cli: Cli): Command {
  const command = newCommand('resolve', cli)
    .summary('take off the list what was dealt with otherwise')
    .description('take failed jobs off the list that were dealt with otherwise; they stay on record')
    .argument('<id...>', 'numbers of failed jobs, or job ids')
    .option('--note <text>', 'what was done, for the record', notEmpty);
  return complete(addByFlag(command), cli, { run: (ids: string[], flags: ResolveFlags) => resolve(ids, flags, cli) });
}

/** Resolves failed jobs by hand and prints an outcome for each. Exit 1 where one was not failed. */
export async function resolve(texts: readonly string[], flags: ResolveFlags, cli: Cli): Promise<ExitCode> {
  const ids = failedJobIds(texts, undefined);
  const { note } = flags;
  const options = { by: byOf(flags, cli.io.env), ...(note === undefined ? {} : { note }) };
  const result = await withRedrive(cli, { flags, access: 'change' }, ({ redrive }) => redrive.failedJobs.resolve(ids, options));
  const outcomes = result.outcomes.map(told);
  if (flags.json === true) cli.out.json({ resolved: result.resolved, outcomes: result.outcomes });
  else cli.out.lines([...outcomeLines(outcomes, { byFilter: false }), `Resolved ${result.resolved} job(s).`]);
  return nameLeft(cli.out, outcomes, 'not resolved');
}

const details: Readonly<Record<ResolveOutcome['status'], string | undefined>> = {
  resolved: undefined,
  not_failed: 'it is being retried, or resolved already',
  not_found: 'there is no failed job of this id',
};

function told({ id, status }: ResolveOutcome): Outcome {
  return { id, status, done: status === 'resolved', detail: details[status] };
}
