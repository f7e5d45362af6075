import { Command } from 'commander';
import type { Clock } from '../clock.ts';
import type { RedriveConfig } from '../config/redrive-config.ts';
import type { Logger } from '../logger.ts';
import type { Redrive } from '../redrive.ts';
import type { StoreAccess } from '../store/sql-store.ts';
import type { ExitCode } from './faults.ts';
import type { Io } from './io.ts';
import type { Output } from './output.ts';

/** What every command takes. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly config?: string;
  readonly database?: string;
}

/** What the commands stand on; a test may lend its own. */
export interface Services {
  readonly createRedrive: (
    config: RedriveConfig,
    runtime: { readonly access: StoreAccess; readonly standsIn: boolean; readonly logger?: Logger; readonly clock?: Clock },
  ) => Promise<Redrive>;
  readonly loadConfigFile: (from: {
    readonly cwd: string;
    readonly file?: string;
  }) => Promise<{ readonly path: string; readonly config: unknown }>;
  readonly databaseProvider: () => Promise<{ readonly DatabaseProvider: unknown }>;
  readonly clock: Clock;
}

/** One call of the command line. */
export interface Cli {
  readonly io: Io;
  readonly out: Output;
  readonly services: Services;
  /** Set by the command that ran. */
  exitCode: ExitCode;
}

/** A command without any flags of its own yet; {@link complete} is what ends it. */
export function newCommand(name: string, cli: Cli): Command {
  return new Command(name)
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => cli.out.raw(text),
      // Errors come back as CommanderError, and are printed where all errors are.
      writeErr: () => undefined,
      getOutHelpWidth: () => cli.io.columns ?? 100,
    });
}

/** What a command does, given its arguments, its flags and itself, as Commander has it. */
export interface CommandAction<Given extends readonly unknown[]> {
  readonly run: (...given: Given) => Promise<ExitCode>;
  /** False for a command that needs a config file. Default true. */
  readonly database?: boolean;
}

/** Adds what every command takes, below its own flags, and what it does. */
export function complete<Given extends readonly unknown[]>(
  command: Command,
  cli: Cli,
  { run, database = true }: CommandAction<Given>,
): Command {
  if (database) command.option('--database <url-or-file>', 'a SQLite file or a PostgreSQL URL to work on, without any config');
  return command
    .option('--config <file>', 'the config file (default: redrive.config.{ts,mts,js,mjs} in the working directory)')
    .option('--json', 'print one JSON document on stdout, and nothing else there')
    .option('--verbose', 'log more, and print the stack of an error')
    .action(async (...given: unknown[]) => {
      cli.exitCode = await run(...(given as unknown as Given));
    });
}
