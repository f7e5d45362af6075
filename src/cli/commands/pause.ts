import type { Command } from 'commander';
import { notEmpty } from '../arguments.ts';
import { addByFlag, byOf, type ByFlag } from '../by-flag.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import type { ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { shellWord } from '../text.ts';
import { warnOfUnknownQueue } from '../unknown-queue.ts';

export interface PauseFlags extends CommonFlags, ByFlag {}

export function pauseCommand(cli: Cli): Command {
  const command = newCommand('pause', cli)
    .summary('hand out nothing of a queue')
    .description('hand out nothing of a queue until it is resumed; what runs goes on')
    .argument('<queue>', 'the queue', notEmpty);
  return complete(addByFlag(command), cli, { run: (queue: string, flags: PauseFlags) => pause(queue, flags, cli) });
}

/** Pauses a queue for every process. Pausing it twice is no fault. */
export async function pause(queue: string, flags: PauseFlags, cli: Cli): Promise<ExitCode> {
  return withRedrive<ExitCode>(cli, { flags, access: 'change' }, async ({ redrive, config, flags: store }) => {
    const changed = await redrive.pause(queue, { by: byOf(flags, cli.io.env) });
    if (flags.json === true) cli.out.json({ queue, paused: true, changed });
    else
      cli.out.line(
        changed
          ? `Paused queue ${queue}. It goes on with: redrive resume${store} ${shellWord(queue)}`
          : `Queue ${queue} was paused already.`,
      );
    if (changed) warnOfUnknownQueue(queue, config, cli.out);
    return 0;
  });
}
