import type { Command } from 'commander';
import { failedJobId } from '../arguments.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { describeFailedJob } from '../describe-failed-job.ts';
import { NotFoundError, type ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';

export function failedShowCommand(cli: Cli): Command {
  const command = newCommand('show', cli)
    .description('everything about one failed job: properties, exception with causes and stack, attempts, and what a retry would do')
    .argument('<id>', 'the number of a failed job, or a job id');
  // With those of `failed` itself: `redrive failed --json show 12` means the same.
  return complete(command, cli, {
    run: (id: string, _own: CommonFlags, self: Command) => failedShow(id, self.optsWithGlobals<CommonFlags>(), cli),
  });
}

/** Prints one failed job whole. Exit 1 where there is none of this id. */
export async function failedShow(text: string, flags: CommonFlags, cli: Cli): Promise<ExitCode> {
  const id = failedJobId(text);
  return withRedrive<ExitCode>(cli, { flags, access: 'look' }, async ({ redrive, flags: store }) => {
    const job = await redrive.failedJobs.find(id);
    if (job === undefined) throw new NotFoundError(`there is no failed job ${text}`);
    const forecast = await redrive.failedJobs.forecast(job.id);
    if (flags.json === true) cli.out.json({ ...job, forecast });
    else cli.out.lines(describeFailedJob(job, { forecast, store, configKnown: flags.database === undefined, columns: cli.io.columns }));
    return 0;
  });
}
