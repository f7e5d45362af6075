import type { Command } from 'commander';
import { didYouMean } from '../../config/nearest.ts';
import type { ResolvedConfig } from '../../config/resolved.ts';
import type { DispatchOptions } from '../../dispatch/dispatcher.ts';
import type { Duration } from '../../duration.ts';
import { RedriveError } from '../../errors.ts';
import { duration, notEmpty, wholeNumber } from '../arguments.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { UsageError, type ExitCode } from '../faults.ts';
import { parseProperties } from '../job-line.ts';
import { jobNames } from '../job-names.ts';
import { withRedrive } from '../open.ts';
import { dispatchFile } from './dispatch-file.ts';

export interface DispatchFlags extends CommonFlags {
  readonly file?: string;
  readonly unregistered?: boolean;
  readonly queue?: string;
  readonly connection?: string;
  readonly delay?: Duration;
  readonly priority?: number;
  readonly maxAttempts?: number;
  readonly timeout?: Duration;
}

type Argument = string | undefined;

export function dispatchCommand(cli: Cli): Command {
  const command = newCommand('dispatch', cli)
    .description('put a job, or a file of jobs, on a queue')
    .argument('[name]', 'the name of the job')
    .argument('[json]', 'its properties, a JSON object (default: {})')
    .option('--file <file>', 'dispatch one job a line: {"name": ..., "properties": {...}, "options": {...}}; - reads stdin', notEmpty)
    .option('--queue <queue>', "the queue (default: the connection's); with --file, for lines that name none", notEmpty)
    .option('--connection <name>', 'the connection (default: the default one)', notEmpty)
    .option('--delay <duration>', 'wait this long before the first attempt', duration)
    .option('--priority <n>', 'a whole number, larger first (default: 0)', wholeNumber(-Number.MAX_SAFE_INTEGER))
    .option('--max-attempts <n>', 'executions in total, 0 for no limit', wholeNumber(0))
    .option('--timeout <duration>', 'how long one attempt may take', duration)
    .option('--unregistered', 'also take a job that this config does not register');
  return complete(command, cli, { run: (name: Argument, json: Argument, flags: DispatchFlags) => dispatch({ name, json }, flags, cli) });
}

/** Dispatches one job and prints its id; or, with `--file`, one a line. */
export async function dispatch(
  { name, json }: { readonly name?: Argument; readonly json?: Argument },
  flags: DispatchFlags,
  cli: Cli,
): Promise<ExitCode> {
  const { file } = flags;
  if (file !== undefined && name !== undefined) throw new UsageError('give a job name or --file, not both');
  const defaults = optionsOf(flags);
  if (file !== undefined) return dispatchFile({ file, defaults, nameCheck: (config) => nameCheck(flags, config) }, flags, cli);
  if (name === undefined || name.trim() === '') throw new UsageError('give the name of a job, or --file');
  const properties = json === undefined ? {} : parseProperties(json);
  const check = (config: ResolvedConfig): void => nameCheck(flags, config)(name);
  const id = await withRedrive(cli, { flags, access: 'change', check }, ({ redrive }) => redrive.dispatch(name, properties, defaults));
  if (flags.json === true) cli.out.json({ ids: [id], errors: [] });
  else cli.out.lines([`${id}  ${name}`, 'Dispatched 1 job(s).']);
  return 0;
}

/** Makes a check that throws `JOB_UNKNOWN` for an unregistered name. A config without jobs belongs to a process that only dispatches: any name goes. */
function nameCheck(flags: DispatchFlags, config: ResolvedConfig): (name: string) => void {
  const names = jobNames(config);
  if (names.size === 0 || flags.unregistered === true) return () => undefined;
  return (name) => {
    if (names.has(name)) return;
    const meant = didYouMean(name, names);
    throw new RedriveError(
      'JOB_UNKNOWN',
      `no job "${name}" is registered in this config${meant}; --unregistered dispatches it all the same`,
    );
  };
}

function optionsOf(flags: DispatchFlags): DispatchOptions {
  const { queue, connection, delay, priority, maxAttempts, timeout } = flags;
  const options = { queue, connection, delay, priority, maxAttempts, timeout };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
