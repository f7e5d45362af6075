import type { Command } from 'commander';
import type { ResolvedConfig } from '../../config/resolved.ts';
import { isRedriveError } from '../../errors.ts';
import type { HttpServer } from '../../http/server.ts';
import type { Logger } from '../../logger.ts';
import type { Redrive } from '../../redrive.ts';
import { notEmpty, wholeNumber } from '../arguments.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { AddressUnavailableError, UsageError, type ExitCode } from '../faults.ts';
import { withRedrive } from '../open.ts';
import { listenForStop } from '../stop-request.ts';
import { workLogger } from '../work-logger.ts';

export interface ServeFlags extends CommonFlags {
  readonly port: number;
  readonly host: string;
  readonly token?: string;
  readonly readOnly?: boolean;
  readonly allowHost?: readonly string[];
}

/** How long requests under way may take once it is told to stop. */
const graceMs = 10_000;

export function serveCommand(cli: Cli): Command {
  const command = newCommand('serve', cli)
    .summary('serve the REST API and its docs page')
    .description('serve the REST API and its docs page until SIGTERM or SIGINT')
    .option('--port <n>', 'the port; 0 takes any that is free (default: 3000)', wholeNumber(0, 65_535))
    .option('--host <address>', 'the address to listen on (default: 127.0.0.1, this machine alone)', notEmpty)
    .option('--token <token>', 'what callers must send as Authorization: Bearer (default: $REDRIVE_TOKEN)', notEmpty)
    .option('--read-only', 'refuse everything that would change something')
    .option('--allow-host <name...>', 'names under which it may be asked for, besides its address and those of this machine');
  return complete(command, cli, {
    run: (flags: Partial<ServeFlags>) => serve({ ...flags, port: flags.port ?? 3_000, host: flags.host ?? '127.0.0.1' }, cli),
  });
}

/** Serves until it is told to stop. Refuses to begin on a store that cannot be used, so that nobody takes an outage for an empty list. */
export async function serve(flags: ServeFlags, cli: Cli): Promise<ExitCode> {
  const { redriveHttp, listen, hostsFor, isLoopbackName } = await import('../../http/serving.ts');
  const token = flags.token ?? cli.io.env['REDRIVE_TOKEN'];
  if (token === undefined && !isLoopbackName(flags.host))
    throw new UsageError(`--host ${flags.host} can be reached from elsewhere; give --token, or set REDRIVE_TOKEN`);
  if (token === undefined && flags.allowHost !== undefined) throw new UsageError('--allow-host needs --token, or REDRIVE_TOKEN');
  const loggerOf = (config: ResolvedConfig): Logger =>
    (flags.json === true ? undefined : config.logger) ?? workLogger(cli.io, flags.verbose === true);
  const access = flags.readOnly === true ? 'look' : 'change';
  return withRedrive<ExitCode>(cli, { flags, access, logger: loggerOf }, async ({ redrive, logger }) => {
    await checkStores(redrive, logger);
    if (flags.readOnly !== true) redrive.failedJobs.driveBulkRetries();
    const { clock } = cli.services;
    const hosts = [...hostsFor(flags.host), ...(flags.allowHost ?? [])];
    const readOnly = flags.readOnly === true;
    const http = redriveHttp(redrive, { logger, clock, readOnly, ...(token === undefined ? {} : { token, hosts }) });
    const server = await listen(http, { host: flags.host, port: flags.port, clock }).catch((error: unknown) => {
      throw unavailable(error, flags);
    });
    await untilStopped(server, flags, { cli, logger });
    return 0;
  });
}

async function untilStopped(
  server: HttpServer,
  flags: ServeFlags,
  { cli, logger }: { readonly cli: Cli; readonly logger: Logger },
): Promise<void> {
  const stop = listenForStop(cli.io.signals, logger, 'the requests under way are answered');
  try {
    if (flags.json === true) cli.out.json({ url: server.url, docs: `${server.url}/docs` });
    else cli.out.line(`Redrive serves ${server.url}${flags.readOnly === true ? ', read-only' : ''}. Its page: ${server.url}/docs`);
    await stop.unless(undefined);
    await server.close(graceMs);
  } finally {
    stop.close();
  }
}

/** Opens every store there is; throws what is wrong with one. */
async function checkStores(redrive: Redrive, logger: Logger): Promise<void> {
  await redrive.stats();
  try {
    await redrive.failedJobs.count({ ids: [1] });
  } catch (error) {
    if (!isRedriveError(error, 'FAILED_JOBS_OFF')) throw error;
    logger.warn({}, 'The failed-jobs log is off, so that nothing of failed jobs can be served; set logFailedJobs: true in the config');
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; give another --port',
  EADDRNOTAVAIL: 'that address is not of this machine; give another --host',
  EACCES: 'this user may not listen there; give a --port of 1024 or more',
  ENOTFOUND: 'there is no such host; give an address of this machine as --host',
};

function unavailable(error: unknown, { host, port }: ServeFlags): unknown {
  const reason = error instanceof Error ? reasons[String((error as NodeJS.ErrnoException).code)] : undefined;
  return reason === undefined ? error : new AddressUnavailableError(`cannot listen on ${host}:${port}: ${reason}`);
}
