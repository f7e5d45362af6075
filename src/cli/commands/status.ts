import type { Command } from 'commander';
import type { JobStatus } from '../../job-desk.ts';
import type { Redrive } from '../../redrive.ts';
import { failedJobId } from '../arguments.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { describeJob } from '../describe-job.ts';
import { JobNotFoundError, type ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';

export function statusCommand(cli: Cli): Command {
  const command = newCommand('status', cli)
    .summary('what became of a job')
    .description('what became of a job: queued, picked, successful, failed or canceled')
    .argument('<id>', 'a job id, or the number of a failed job');
  return complete(command, cli, { run: (id: string, flags: CommonFlags) => status(id, flags, cli) });
}

/** Prints what became of a job. Exit 1 where nobody knows it, or no more. */
export async function status(text: string, flags: CommonFlags, cli: Cli): Promise<ExitCode> {
  const id = failedJobId(text);
  return withRedrive<ExitCode>(cli, { flags, access: 'look' }, async ({ redrive, flags: store }) => {
    const job = await statusOf(redrive, id);
    if (job === undefined) throw new JobNotFoundError(`there is no job ${text}, or it is not kept any more`);
    if (flags.json === true) cli.out.json(job);
    else cli.out.lines(describeJob(job, { store, poolsKnown: flags.database === undefined }));
    return 0;
  });
}

async function statusOf(redrive: Redrive, id: string | number): Promise<JobStatus | undefined> {
  if (typeof id === 'string') return redrive.status(id);
  const jobId = (await redrive.failedJobs.find(id))?.jobId ?? null;
  return jobId === null ? undefined : redrive.status(jobId);
}
