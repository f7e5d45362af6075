import type { Command } from 'commander';
import type { BulkRetry } from '../../failure/bulk-retry.ts';
import { addByFlag, byOf, type ByFlag } from '../by-flag.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { UsageError, type ExitCode } from '../faults.ts';
import { bulkLine, followBulkRetry, patientLogger } from '../follow-bulk-retry.ts';
import { withRedrive } from '../open.ts';

export interface BulkRetryFlags extends CommonFlags, ByFlag {
  readonly pause?: boolean;
  readonly resume?: boolean;
  readonly cancel?: boolean;
  readonly watch?: boolean;
}

export function bulkRetryCommand(cli: Cli): Command {
  const command = newCommand('bulk-retry', cli)
    .description('list the bulk retries, or show and steer one')
    .argument('[id]', 'the number of a bulk retry')
    .option('--pause', 'move nothing more until it is resumed')
    .option('--resume', 'go on with it')
    .option('--cancel', 'end it; what was moved stays moved')
    .option('--watch', 'follow it to its end');
  return complete(addByFlag(command), cli, { run: (id: string | undefined, flags: BulkRetryFlags) => bulkRetry(id, flags, cli) });
}

/** Lists bulk retries, or shows and steers one. Exit 1 where it is not there, or could not be steered. */
export async function bulkRetry(id: string | undefined, flags: BulkRetryFlags, cli: Cli): Promise<ExitCode> {
  const verbs = (['pause', 'resume', 'cancel'] as const).filter((verb) => flags[verb] === true);
  const [verb] = verbs;
  if (verbs.length > 1) throw new UsageError('give one of --pause, --resume and --cancel');
  if (id === undefined && (verb !== undefined || flags.watch === true)) throw new UsageError('say which bulk retry: redrive bulk-retry ID');
  if (id !== undefined && !/^\d+$/.test(id)) throw new UsageError(`"${id}" is no number of a bulk retry`);
  const access = verb === undefined && flags.watch !== true ? 'look' : 'change';
  const logged = flags.watch === true ? { logger: () => patientLogger(cli, flags) } : {};
  return withRedrive<ExitCode>(cli, { flags, access, ...logged }, async ({ redrive, logger, flags: store }) => {
    if (id === undefined) return list(await redrive.failedJobs.bulkRetries(), flags, cli);
    const bulk = await redrive.failedJobs.findBulkRetry(id);
    if (bulk === undefined) {
      cli.out.fault(`redrive: there is no bulk retry ${id}`);
      return 1;
    }
    const by = byOf(flags, cli.io.env);
    const changed = verb === undefined || (await bulk[verb]({ by }));
    if (!changed) cli.out.fault(`redrive: bulk retry ${id} is ${bulk.state}: ${verb} changes nothing`);
    if (flags.watch === true) redrive.failedJobs.driveBulkRetries();
    const code = flags.watch === true ? await followBulkRetry(bulk, { by, store, logger, pauses: false }, cli) : 0;
    if (flags.json === true) cli.out.json(bulk);
    else cli.out.line(bulkLine(bulk));
    return changed ? code : 1;
  });
}

function list(bulks: readonly BulkRetry[], flags: BulkRetryFlags, cli: Cli): ExitCode {
  if (flags.json === true) cli.out.json({ items: bulks });
  else if (bulks.length === 0) cli.out.line('No bulk retries.');
  else for (const bulk of bulks) cli.out.line(bulkLine(bulk));
  return 0;
}
