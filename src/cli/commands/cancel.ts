import type { Command } from 'commander';
import type { CancelOutcome } from '../../provider/queue-provider.ts';
import { jobIds, noSuchJob, notEmpty } from '../arguments.ts';
import { addByFlag, byOf, type ByFlag } from '../by-flag.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import type { ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { nameLeft, outcomeLines, type Outcome } from '../outcomes.ts';

export interface CancelFlags extends CommonFlags, ByFlag {
  readonly reason?: string;
}

export function cancelCommand(cli: Cli): Command {
  const command = newCommand('cancel', cli)
    .summary('end a job, whether it has started or not')
    .description('end jobs: one that has not started never will, one that runs is told to stop')
    .argument('<id...>', 'job ids')
    .option('--reason <text>', 'why, for the record', notEmpty);
  return complete(addByFlag(command), cli, { run: (ids: string[], flags: CancelFlags) => cancel(ids, flags, cli) });
}

interface Cancelled {
  readonly id: string;
  readonly status: CancelOutcome;
}

/** Cancels jobs and prints an outcome for each. Exit 1 where one had ended, or is not there. */
export async function cancel(texts: readonly string[], flags: CancelFlags, cli: Cli): Promise<ExitCode> {
  const ids = jobIds(texts, undefined);
  const by = byOf(flags, cli.io.env);
  const result = await withRedrive(cli, { flags, access: 'change' }, async ({ redrive }) => {
    const done: Cancelled[] = [];
    for (const id of ids) done.push({ id, status: await redrive.cancel(id, flags.reason, { by }) });
    return done;
  });
  const count = (wanted: CancelOutcome): number => result.filter(({ status }) => status === wanted).length;
  const [canceled, cancelling] = [count('canceled'), count('cancelling')];
  const outcomes = result.map(told);
  if (flags.json === true) cli.out.json({ canceled, cancelling, outcomes: result });
  else cli.out.lines([...outcomeLines(outcomes, { byFilter: false }), summary(canceled, cancelling)]);
  return nameLeft(cli.out, outcomes, 'not cancelled');
}

function summary(canceled: number, cancelling: number): string {
  return `Cancelled ${canceled} job(s)${cancelling === 0 ? '' : `, and told ${cancelling} running job(s) to stop`}.`;
}

const details: Readonly<Record<Exclude<CancelOutcome, 'not_found'>, string | undefined>> = {
  canceled: undefined,
  cancelling: 'it runs; its worker stops it when it next renews its lease',
  ended: 'it has ended already',
};

function told({ id, status }: Cancelled): Outcome {
  return {
    id,
    status,
    done: status === 'canceled' || status === 'cancelling',
    detail: status === 'not_found' ? noSuchJob(id) : details[status],
  };
}
