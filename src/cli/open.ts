import type { RedriveConfig } from '../config/redrive-config.ts';
import { resolveConfig } from '../config/resolve.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { Logger } from '../logger.ts';
import type { Redrive } from '../redrive.ts';
import type { StoreAccess } from '../store/sql-store.ts';
import type { Cli, CommonFlags } from './cli.ts';
import { commandLogger } from './command-logger.ts';
import { databaseProperties, shownDatabase } from './database-flag.ts';
import { UsageError } from './faults.ts';
import { shellWord } from './text.ts';

export interface Opened {
  readonly redrive: Redrive;
  readonly config: ResolvedConfig;
  readonly logger: Logger;
  /** The flags that lead another command to the same store, each with a space before it. */
  readonly flags: string;
}

export interface OpenOptions {
  readonly flags: CommonFlags;
  readonly access: StoreAccess;
  /** Looks at the config before anything is opened; throws what it finds wrong. */
  readonly check?: (config: ResolvedConfig) => void;
  /** Default: warnings and errors as lines on stderr. */
  readonly logger?: (config: ResolvedConfig) => Logger;
}

/** Runs `use` with the Redrive that the flags name, and closes it whatever happens, so that the process ends by itself. */
export async function withRedrive<T>(cli: Cli, options: OpenOptions, use: (opened: Opened) => Promise<T>): Promise<T> {
  const { flags } = options;
  const written = await configOf(flags, cli);
  const config = resolveConfig(written, cli.io.env);
  options.check?.(config);
  const logger = options.logger?.(config) ?? commandLogger(cli.out, flags.verbose === true);
  // A command's log goes to stderr whatever the config says: an application's own logger may write to stdout.
  const redrive = await cli.services.createRedrive(withoutLogger(written), {
    access: options.access,
    clock: cli.services.clock,
    logger,
    standsIn: flags.database !== undefined,
  });
  let result: T;
  try {
    result = await use({ redrive, config, logger, flags: sameStore(flags) });
  } catch (error) {
    // Why the command failed matters more than what its closing has to add.
    await redrive.stop().catch(() => undefined);
    throw error;
  }
  await redrive.stop();
  return result;
}

function withoutLogger(checked: unknown): RedriveConfig {
  const { logger: _logger, ...config } = checked as RedriveConfig;
  return config;
}

async function configOf(flags: CommonFlags, cli: Cli): Promise<unknown> {
  if (flags.database === undefined) {
    const { config } = await cli.services.loadConfigFile({
      cwd: cli.io.cwd,
      ...(flags.config === undefined ? {} : { file: flags.config }),
    });
    return config;
  }
  if (flags.config !== undefined) throw new UsageError('give --config or --database, not both');
  const properties = databaseProperties(flags.database, cli.io.cwd);
  const { DatabaseProvider } = await cli.services.databaseProvider();
  return {
    connections: { default: { provider: DatabaseProvider, properties } },
    logFailedJobs: true,
  };
}

function sameStore(flags: CommonFlags): string {
  if (flags.database !== undefined) return ` --database ${shellWord(shownDatabase(flags.database))}`;
  return flags.config === undefined ? '' : ` --config ${shellWord(flags.config)}`;
}
