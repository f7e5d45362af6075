import type { BulkRetry, BulkRetryReport } from '../failure/bulk-retry.ts';
import type { Logger } from '../logger.ts';
import type { Cli } from './cli.ts';
import type { ExitCode } from './faults.ts';
import { Progress, type Standing } from './progress.ts';
import { listenForStop } from './stop-request.ts';

/** How often the progress line is brought up to date. */
const lookMs = 500;

/** Waits for the end of a bulk retry, showing how far it is. Ctrl-C pauses it where this process began it, and says how it goes on. */
export async function followBulkRetry(
  bulk: BulkRetry,
  how: { readonly by: string; readonly store: string; readonly logger: Logger; readonly pauses: boolean },
  cli: Cli,
): Promise<ExitCode> {
  const progress = new Progress(cli, `Bulk retry ${bulk.id}`);
  const stop = listenForStop(cli.io.signals, how.logger, 'the bulk retry is left');
  try {
    const done = bulk.done.then(() => 'over' as const);
    for (let seen: 'over' | 'up' | undefined = 'up'; seen === 'up';) {
      progress.update(standingOf(bulk));
      const wait = new Promise<'up'>((resolve) => void cli.services.clock.after(lookMs, () => resolve('up')));
      // Undefined: somebody wants this command to stop.
      seen = await stop.unless(Promise.race([done, wait]));
      if (seen === undefined) return await leave(bulk, how, cli);
    }
  } finally {
    stop.close();
  }
  await bulk.refresh();
  return bulk.state === 'done' && bulk.skipped === 0 ? 0 : 1;
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

async function leave(
  bulk: BulkRetry,
  { by, store, pauses }: { readonly by: string; readonly store: string; readonly pauses: boolean },
  cli: Cli,
): Promise<ExitCode> {
  if (pauses) await bulk.pause({ by });
  else await bulk.refresh();
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
