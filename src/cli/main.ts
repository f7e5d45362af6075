import { CommanderError, type Argument, type Command } from 'commander';
import { systemClock } from '../clock.ts';
import { packageVersion } from '../package-version.ts';
import { newCommand, type Cli, type Services } from './cli.ts';
import { auditCommand } from './commands/audit.ts';
import { bulkRetryCommand } from './commands/bulk-retry.ts';
import { cancelCommand } from './commands/cancel.ts';
import { dispatchCommand } from './commands/dispatch.ts';
import { failedCommand } from './commands/failed.ts';
import { flushCommand } from './commands/flush.ts';
import { forgetCommand } from './commands/forget.ts';
import { initCommand } from './commands/init.ts';
import { markFailedCommand } from './commands/mark-failed.ts';
import { migrateCommand } from './commands/migrate.ts';
import { pauseCommand } from './commands/pause.ts';
import { pruneCommand } from './commands/prune.ts';
import { resolveCommand } from './commands/resolve.ts';
import { resumeCommand } from './commands/resume.ts';
import { retryCommand } from './commands/retry.ts';
import { serveCommand } from './commands/serve.ts';
import { statsCommand } from './commands/stats.ts';
import { statusCommand } from './commands/status.ts';
import { workCommand } from './commands/work.ts';
import { exitCodeOf, printFault } from './faults.ts';
import type { Io } from './io.ts';
import { Output } from './output.ts';

/** The real ones; each is loaded only when a command needs it. */
const ownServices: Services = {
  createRedrive: async (config, runtime) => (await import('../create-redrive.ts')).createRedrive(config, runtime),
  async loadConfigFile(from) {
    const [{ loadConfigFile }, { sharedModules }] = await Promise.all([import('../config/load.ts'), import('./shared-modules.ts')]);
    return loadConfigFile({ ...from, modules: await sharedModules() });
  },
  databaseProvider: () => import('../../providers/database/index.ts'),
  clock: systemClock,
};

/** Runs one command line (without `node` and the script) and resolves with its exit code; never rejects. Without any arguments: the help, 0. */
export async function runCli(argv: readonly string[], io: Io, services: Services = ownServices): Promise<number> {
  const cli: Cli = { io, services, out: new Output(io, services.clock), exitCode: 0 };
  const flags = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const style = { json: flags.includes('--json'), verbose: flags.includes('--verbose') };
  try {
    const program = buildProgram(cli);
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    // Help and version end that way, too.
    if (!(error instanceof CommanderError && error.exitCode === 0)) {
      cli.exitCode = exitCodeOf(error);
      printFault(error, cli.out, style);
    }
  }
  const lost = await cli.out.finished();
  if (lost === undefined) return cli.exitCode;
  cli.out.fault(`redrive: the output could not be written: ${lost.message}`);
  return cli.exitCode === 0 ? 1 : cli.exitCode;
}

/** The commands as the help lists them. */
const groups: readonly (readonly [heading: string, commands: readonly ((cli: Cli) => Command)[]])[] = [
  ['Set up:', [initCommand, migrateCommand]],
  ['Jobs:', [workCommand, dispatchCommand, statusCommand, cancelCommand, markFailedCommand]],
  ['Queues:', [statsCommand, pauseCommand, resumeCommand]],
  [
    'Failed jobs:',
    [failedCommand, retryCommand, bulkRetryCommand, resolveCommand, forgetCommand, flushCommand, pruneCommand, auditCommand],
  ],
  ['Over HTTP:', [serveCommand]],
];

function buildProgram(cli: Cli): Command {
  const program = newCommand('redrive', cli)
    .description('Runs background jobs, and looks after those that failed.')
    .version(packageVersion(), '-V, --version')
    .addHelpText(
      'after',
      '\nEvery command takes --json, and --help, which tells more of it.\nExit status: 0 done, 1 something was not done, 2 wrong usage or config.',
    )
    .configureHelp({
      subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(nameOf)].join(' '),
      visibleCommands: (command) => [...command.commands],
    });
  for (const [heading, commands] of groups) for (const command of commands) program.addCommand(command(cli).helpGroup(heading));
  return program;
}

function nameOf(argument: Argument): string {
  const name = `${argument.name().toUpperCase()}${argument.variadic ? '...' : ''}`;
  return argument.required ? name : `[${name}]`;
}
