import type { Command } from 'commander';
import { didYouMean } from '../../config/nearest.ts';
import type { ResolvedConfig, ResolvedPool } from '../../config/resolved.ts';
import type { Logger } from '../../logger.ts';
import type { Redrive } from '../../redrive.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { UsageError, type ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { listenForStop, type StopRequest } from '../stop-request.ts';
import { workLogger } from '../work-logger.ts';

export interface WorkFlags extends CommonFlags {
  readonly pool?: readonly string[];
  readonly once?: boolean;
  readonly stopWhenEmpty?: boolean;
  readonly includeDelayed?: boolean;
}

export function workCommand(cli: Cli): Command {
  const command = newCommand('work', cli)
    .summary('run the worker pools of the config')
    .description('run the worker pools of the config until SIGTERM or SIGINT, which stop it gracefully; a second one stops it at once')
    .option('--pool <name...>', 'only these pools')
    .option('--once', 'work one job, then stop')
    .option('--stop-when-empty', 'stop when nothing is ready, running, or waiting for a retry')
    .option('--include-delayed', 'with --stop-when-empty: also wait for jobs that were dispatched with a delay');
  return complete(command, cli, { run: (flags: WorkFlags) => work(flags, cli), database: false });
}

interface Tally {
  completed: number;
  attemptsFailed: number;
  jobsFailed: number;
}

/** Runs worker pools until it is told to stop, or until the flags say that it is enough; then prints what was done. */
export async function work(flags: WorkFlags, cli: Cli): Promise<ExitCode> {
  if (flags.once === true && flags.stopWhenEmpty === true) throw new UsageError('give --once or --stop-when-empty, not both');
  if (flags.includeDelayed === true && flags.stopWhenEmpty !== true) throw new UsageError('--include-delayed goes with --stop-when-empty');
  const check = (config: ResolvedConfig): void => void choosePools(config, flags.pool);
  const loggerOf = (config: ResolvedConfig): Logger =>
    (flags.json === true ? undefined : config.logger) ?? workLogger(cli.io, flags.verbose === true);
  return withRedrive(cli, { flags, access: 'create', check, logger: loggerOf }, async ({ redrive, config, logger }) => {
    const pools = choosePools(config, flags.pool);
    const tally = countEvents(redrive);
    const stop = listenForStop(cli.io.signals, logger);
    try {
      sayPools(pools, logger);
      await run(redrive, { ...flags, pool: pools.map((pool) => pool.name) }, { stop, logger });
      // Still listening: a second signal must end also a stop that takes too long.
      await redrive.stop();
    } finally {
      stop.close();
    }
    printTally(tally, flags, cli);
    return stop.exitCode;
  });
}

function sayPools(pools: readonly ResolvedPool[], log: Logger): void {
  for (const { name, connection, queues, quantity } of pools) {
    const which = queues.includes('*') ? 'every queue' : queues.length === 1 ? `queue ${queues.join()}` : `queues ${queues.join(', ')}`;
    log.info({ pool: name, connection, queues, quantity }, `Pool ${name}: ${quantity} at a time from ${which} of connection ${connection}`);
  }
}

/** A queue that somebody paused looks just like one that nothing is wrong with and that stands still. */
async function sayPaused(redrive: Redrive, log: Logger): Promise<void> {
  const { connections } = await redrive.health();
  for (const [connection, { paused = [] }] of Object.entries(connections))
    for (const queue of paused)
      log.warn({ connection, queue }, `Queue ${queue} is paused: nothing of it is worked before redrive resume ${queue}`);
}

async function run(redrive: Redrive, flags: WorkFlags, { stop, logger }: { stop: StopRequest; logger: Logger }): Promise<void> {
  const names = { pools: flags.pool ?? [] };
  if (flags.once === true) {
    await stop.unless(redrive.workOnce(names));
    return;
  }
  await redrive.start(names);
  await sayPaused(redrive, logger);
  await stop.unless(flags.stopWhenEmpty === true ? redrive.idle({ includeDelayed: flags.includeDelayed === true }) : undefined);
}

function choosePools(config: ResolvedConfig, wanted: readonly string[] | undefined): readonly ResolvedPool[] {
  const { workerPools: pools } = config;
  if (!config.registerWorkers)
    throw new UsageError('this process only dispatches: registerWorkers is false in the config or in REDRIVE_REGISTER_WORKERS');
  const [firstConnection = 'default'] = config.connections.keys();
  if (pools.length === 0)
    throw new UsageError(`the config has no worker pools; add one: workerPools: { main: { connection: '${firstConnection}' } }`);
  if (wanted === undefined) return pools;
  const names = pools.map((pool) => pool.name);
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`there is no worker pool "${unknown}"${didYouMean(unknown, names)}; the config has ${names.join(', ')}`);
  return pools.filter((pool) => wanted.includes(pool.name));
}

function countEvents(redrive: Redrive): Tally {
  const tally: Tally = { completed: 0, attemptsFailed: 0, jobsFailed: 0 };
  redrive.on('onJobComplete', () => void (tally.completed += 1));
  redrive.on('onJobException', () => void (tally.attemptsFailed += 1));
  // What a dead worker left unannounced failed in its time, not in this one's.
  redrive.on('onJobFailed', ({ redelivered }) => void (tally.jobsFailed += redelivered ? 0 : 1));
  return tally;
}

function printTally(tally: Tally, flags: WorkFlags, cli: Cli): void {
  if (flags.json === true) cli.out.json(tally);
  else cli.out.line(`${tally.completed} completed, ${tally.attemptsFailed} attempt(s) failed, ${tally.jobsFailed} job(s) failed.`);
}
