import type { Command } from 'commander';
import { notEmpty } from '../arguments.ts';
import { addByFlag, byOf, type ByFlag } from '../by-flag.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import type { ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { warnOfUnknownQueue } from '../unknown-queue.ts';

export interface ResumeFlags extends CommonFlags, ByFlag {}

export function resumeCommand(cli: Cli): Command {
  const command = newCommand('resume', cli)
    .description('hand out the jobs of a paused queue again')
    .argument('<queue>', 'the queue', notEmpty);
  return complete(addByFlag(command), cli, { run: (queue: string, flags: ResumeFlags) => resume(queue, flags, cli) });
}

/** Resumes a queue for every process. Resuming one that is not paused is no fault. */
export async function resume(queue: string, flags: ResumeFlags, cli: Cli): Promise<ExitCode> {
  return withRedrive<ExitCode>(cli, { flags, access: 'change' }, async ({ redrive, config }) => {
    const changed = await redrive.resume(queue, { by: byOf(flags, cli.io.env) });
    if (flags.json === true) cli.out.json({ queue, paused: false, changed });
    else cli.out.line(changed ? `Resumed queue ${queue}.` : `Queue ${queue} was not paused.`);
    if (!changed) warnOfUnknownQueue(queue, config, cli.out);
    return 0;
  });
}
