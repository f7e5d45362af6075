import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Duration } from '../../duration.ts';
import type { RetryOptions, RetryOutcome, RetryResult, RetryStatus } from '../../failure/failed-job.ts';
import type { FailedJobs } from '../../failure/failed-jobs.ts';
import type { FailedJobFilter } from '../../record/failure-log.ts';
import { duration, failedJobIds, notEmpty, wholeNumber } from '../arguments.ts';
import { addByFlag, byOf, type ByFlag } from '../by-flag.ts';
import { complete, newCommand, type Cli, type CommonFlags } from '../cli.ts';
import { yesOption } from '../confirm.ts';
import { UsageError, type ExitCode } from '../faults.ts';
import { addFilterFlags, filterOf, type FilterFlags } from '../filter-flags.ts';
import { bulkLine, followBulkRetry, patientLogger } from '../follow-bulk-retry.ts';
import { suspectJob } from '../job-names.ts';
import { withRedrive } from '../open.ts';
import { Progress } from '../progress.ts';

export interface RetryFlags extends CommonFlags, Omit<FilterFlags, 'ids' | 'queue' | 'status'>, ByFlag {
  readonly all?: boolean;
  readonly jobIds?: string;
  readonly fromQueue?: string;
  readonly dryRun?: boolean;
  readonly delay?: Duration;
  readonly queue?: string;
  readonly atFront?: boolean;
  readonly note?: string;
  readonly properties?: object;
  readonly rate?: string;
  readonly canary?: number;
  readonly stopAfter?: number;
}

export function retryCommand(cli: Cli): Command {
  const command = newCommand('retry', cli)
    .alias('requeue-failed')
    .summary('put failed jobs back on their queue')
    .description('put failed jobs back on their queue: same id, attempts back to 0, history kept')
    .argument('[id...]', 'numbers of failed jobs, or job ids')
    .option('--job-ids <ids>', 'the same as arguments, with commas between them: "1,2,3"')
    .option('--all', 'all failed jobs')
    .option('--from-queue <queue>', 'only jobs that failed on this queue', notEmpty);
  addFilterFlags(command, cli, { without: ['ids', 'queue', 'status'] })
    .option('--dry-run', 'change nothing, and say what would move')
    .option('--delay <duration>', 'wait this long before the first attempt', duration)
    .option('--queue <queue>', 'put them on this queue (default: the one each came from)', notEmpty)
    .option('--at-front', 'put them ahead of what is ready')
    .option('--properties <json>', 'edit each: a JSON merge patch of its properties, in which null removes a key', patch)
    .option('--rate <rate>', 'no faster than this: 10/s, 600/m', notEmpty)
    .option('--canary <n>', 'move so many first; they have to succeed before the others are moved', wholeNumber(1))
    .option('--stop-after <n>', 'stop once so many have failed again', wholeNumber(1))
    .option('--note <text>', 'why, for the record')
    // It never asks. A script that says it everywhere is not refused for it.
    .addOption(new Option(...yesOption).hideHelp());
  addByFlag(command);
  return complete(command, cli, { run: (ids: string[], flags: RetryFlags) => retry(ids, flags, cli) });
}

/** Puts failed jobs back and prints an outcome for each. Exit 1 where one of them was not moved. */
export async function retry(ids: readonly string[], flags: RetryFlags, cli: Cli): Promise<ExitCode> {
  const target = targetOf(ids, flags);
  const isBulk = flags.rate !== undefined || flags.canary !== undefined || flags.stopAfter !== undefined;
  if (isBulk && flags.dryRun === true) throw new UsageError('--dry-run goes without --rate, --canary and --stop-after');
  const logged = isBulk ? { logger: () => patientLogger(cli, flags) } : {};
  return withRedrive<ExitCode>(cli, { flags, access: 'change', ...logged }, async ({ redrive, config, logger, flags: store }) => {
    if (isBulk) {
      const { dryRun: _dryRun, ...options } = optionsOf(flags, cli.io.env);
      const { rate, canary, stopAfter } = flags;
      const pace = Object.fromEntries(Object.entries({ rate, canary, stopAfter }).filter(([, value]) => value !== undefined));
      const bulk = await redrive.failedJobs.bulkRetry(isFilter(target) ? target : { ids: target }, { ...options, ...pace });
      const code = await followBulkRetry(bulk, { by: byOf(flags, cli.io.env), store, logger, pauses: true }, cli);
      if (flags.json === true) cli.out.json(bulk);
      else cli.out.lines([bulkLine(bulk), `Re-queued ${bulk.moved} job(s).`]);
      return code;
    }
    const progress = new Progress(cli, flags.dryRun === true ? 'Looking' : 'Re-queueing');
    const total = isFilter(target) ? await totalOf(redrive.failedJobs, target, cli) : target.length;
    progress.update({ done: 0, total });
    const onProgress = (done: number): void => progress.update({ done, total });
    const result = await redrive.failedJobs.retry(target, { ...optionsOf(flags, cli.io.env), onProgress });
    const suspect = result.outcomes.length === 0 ? suspectJob(flags.job, config) : '';
    if (flags.json === true) cli.out.json({ requeued: result.requeued, outcomes: result.outcomes });
    else printOutcomes(result, { dryRun: flags.dryRun === true, byFilter: isFilter(target), suspect }, cli);
    const left = result.outcomes.filter((outcome) => !moved(outcome));
    if (left.length > 0) cli.out.fault(`redrive: ${left.length} not moved: ${named(left)}`);
    return left.length === 0 ? 0 : 1;
  });
}

type Target = readonly (string | number)[] | FailedJobFilter;

function isFilter(target: Target): target is FailedJobFilter {
  return !Array.isArray(target);
}

function targetOf(texts: readonly string[], flags: RetryFlags): Target {
  const ids = failedJobIds(texts, flags.jobIds);
  // `--queue` is where they go.
  const { fromQueue, queue: _queue, ...chosen } = flags;
  const filter = filterOf({ ...chosen, ...(fromQueue === undefined ? {} : { queue: fromQueue }) });
  const narrowed = Object.keys(filter).length > 0;
  const ways = [ids.length > 0, flags.all === true, narrowed].filter(Boolean).length;
  if (ways > 1) throw new UsageError('give either ids, or --all, or flags such as --job and --type that choose failed jobs');
  if (ways === 1) return ids.length > 0 ? ids : filter;
  const hint = flags.queue === undefined ? '' : '; --queue is where they go, --from-queue chooses where they failed';
  throw new UsageError(`say which failed jobs: ids, --all, or flags such as --job and --type${hint}`);
}

function optionsOf(flags: RetryFlags, env: Cli['io']['env']): RetryOptions {
  const { delay, queue, note, properties } = flags;
  return {
    by: byOf(flags, env),
    dryRun: flags.dryRun === true,
    atFront: flags.atFront === true,
    ...(delay === undefined ? {} : { delay }),
    ...(queue === undefined ? {} : { queue }),
    ...(note === undefined ? {} : { note }),
    ...(properties === undefined ? {} : { properties }),
  };
}

/** A JSON merge patch as it is typed. */
function patch(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new InvalidArgumentError('Give a JSON object, such as {"amount":10}.');
}

// Only a terminal is told how many: counting costs a query that a script has no use for.
async function totalOf(failedJobs: FailedJobs, filter: FailedJobFilter, cli: Cli): Promise<number | undefined> {
  return cli.io.isTty.stderr ? failedJobs.count(filter) : undefined;
}

const usualDetail: Readonly<Record<RetryStatus, string>> = {
  requeued: '',
  would_requeue: '',
  not_failed: 'it is queued, running or done',
  not_found: 'there is no failed job of this id',
  duplicate: 'a live job holds its unique key',
  error: '',
};

function moved(outcome: RetryOutcome): boolean {
  return outcome.status === 'requeued' || outcome.status === 'would_requeue';
}

// Of a large set only what was left behind is of interest; what would move is what a dry run is for.
const mostListed = 100;

function printOutcomes(
  result: RetryResult,
  how: { readonly dryRun: boolean; readonly byFilter: boolean; readonly suspect: string },
  cli: Cli,
): void {
  const summary = how.byFilter && !how.dryRun && result.outcomes.length > mostListed;
  for (const outcome of result.outcomes) {
    if (summary && moved(outcome)) continue;
    const detail = outcome.detail ?? usualDetail[outcome.status];
    cli.out.line(`${outcome.id}  ${outcome.status}  ${detail}`.trimEnd());
  }
  const count = how.dryRun ? result.outcomes.filter(moved).length : result.requeued;
  cli.out.line(`${how.dryRun ? 'Would re-queue' : 'Re-queued'} ${count} job(s)${how.suspect}.`);
}

function named(outcomes: readonly RetryOutcome[]): string {
  const shown = outcomes.slice(0, 20).map((outcome) => String(outcome.id));
  return outcomes.length > shown.length ? `${shown.join(', ')} and ${outcomes.length - shown.length} more` : shown.join(', ');
}
