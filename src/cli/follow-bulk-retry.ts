import { isRedriveError, RedriveError } from '../errors.ts';
import type { BulkRetry, BulkRetryReport } from '../failure/bulk-retry.ts';
import type { Logger } from '../logger.ts';
import type { Cli, CommonFlags } from './cli.ts';
import { commandLogger } from './command-logger.ts';
import { faultOf, type ExitCode } from './faults.ts';
import { Progress, type Standing } from './progress.ts';
import { listenForStop } from './stop-request.ts';

/** How often the progress line is brought up to date. */
const lookMs = 500;

/** How often it is looked whether its store is there. */
const askMs = 2_000;
/** A store that is away for longer is waited for no more. */
const patienceMs = 10_000;

interface Following {
  readonly by: string;
  /** The flags that lead another command to the same store. */
  readonly store: string;
  readonly logger: Logger;
  /** Whether a Ctrl-C pauses it. */
  readonly pauses: boolean;
}

/** While its store is away, whoever drives a bulk retry says so at every try: a command says it once, when it gives up. */
export function patientLogger({ out }: Cli, { verbose = false }: CommonFlags): Logger {
  const logger = commandLogger(out, verbose);
  return verbose ? logger : { ...logger, warn: () => undefined };
}

/**
 * Waits for the end of a bulk retry, showing how far it is. Ctrl-C pauses it where this process began it, and says how it goes on.
 * Throws where its store is away for long.
 */
export async function followBulkRetry(bulk: BulkRetry, how: Following, cli: Cli): Promise<ExitCode> {
  const progress = new Progress(cli, `Bulk retry ${bulk.id}`);
  const store = new StoreWatch(bulk, cli);
  const stop = listenForStop(cli.io.signals, how.logger, 'the bulk retry is left');
  try {
    const done = bulk.done.then(() => 'over' as const);
    for (let seen: 'over' | 'up' | undefined = 'up'; seen === 'up';) {
      progress.update(standingOf(bulk));
      store.look();
      if (store.lostBy !== undefined) throw lost(bulk, how, store.lostBy);
      const wait = new Promise<'up'>((resolve) => void cli.services.clock.after(lookMs, () => resolve('up')));
      // Undefined: somebody wants this command to stop.
      seen = await stop.unless(Promise.race([done, wait]));
      if (seen === undefined) return await leave(bulk, how, cli);
    }
  } finally {
    stop.close();
  }
  await bulk.refresh().catch((error: unknown) => {
    throw lost(bulk, how, error);
  });
  return bulk.state === 'done' && bulk.skipped === 0 ? 0 : 1;
}

/** Asks how a bulk retry stands now and then, and keeps why that cannot be had any more. */
class StoreWatch {
  /** Set once it has been away for long. */
  lostBy: unknown;
  private askedAt: number;
  private isAsking = false;
  private awaySince: number | undefined;

  constructor(
    private readonly bulk: BulkRetry,
    private readonly cli: Cli,
  ) {
    this.askedAt = cli.services.clock.now();
  }

  look(): void {
    const now = this.cli.services.clock.now();
    if (this.isAsking || now - this.askedAt < askMs) return;
    this.isAsking = true;
    this.askedAt = now;
    this.bulk
      .refresh()
      .then(() => (this.awaySince = undefined))
      .catch((error: unknown) => {
        this.awaySince ??= now;
        if (this.cli.services.clock.now() - this.awaySince >= patienceMs) this.lostBy = error;
      })
      .finally(() => (this.isAsking = false));
  }
}

function lost({ id }: BulkRetry, { store }: Following, error: unknown): RedriveError {
  const { message } = faultOf(error);
  return new RedriveError(
    isRedriveError(error) ? error.code : 'STORE_UNREACHABLE',
    `bulk retry ${id} cannot be followed any more: ${message.replace(/\.$/, '')}. What it has moved stays moved; once the store is back, a running pool or redrive serve goes on with it, or: redrive bulk-retry${store} ${id} --watch`,
    { cause: error },
  );
}

function standingOf({ state, matched, moved, skipped, failedAgain, underWay }: BulkRetryReport): Standing {
  const notes = [
    state === 'running' ? undefined : state,
    skipped === 0 ? undefined : `${skipped} skipped`,
    underWay === 0 ? undefined : `${underWay} under way`,
    failedAgain === 0 ? undefined : `${failedAgain} failed again`,
  ].filter((note) => note !== undefined);
  return { done: moved + skipped, total: matched, ...(notes.length === 0 ? {} : { note: notes.join(', ') }) };
}

async function leave(bulk: BulkRetry, how: Following, cli: Cli): Promise<ExitCode> {
  const { by, store, pauses } = how;
  try {
    if (pauses) await bulk.pause({ by });
    else await bulk.refresh();
  } catch (error) {
    throw lost(bulk, how, error);
  }
  cli.out.fault(
    pauses
      ? `redrive: bulk retry ${bulk.id} is paused. It goes on with: redrive bulk-retry${store} ${bulk.id} --resume --watch`
      : `redrive: bulk retry ${bulk.id} is ${bulk.state}; it is watched no more`,
  );
  return 1;
}

/** How a bulk retry stands, in one line. */
export function bulkLine({ id, state, matched, moved, skipped, succeeded, failedAgain, reason }: BulkRetryReport): string {
  const why = reason === undefined ? '' : ` (${reason})`;
  return `Bulk retry ${id} ${state}${why}: ${moved} of ${matched} moved, ${skipped} skipped, ${succeeded} succeeded, ${failedAgain} failed again`;
}
