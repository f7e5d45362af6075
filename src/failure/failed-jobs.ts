import { checkOptions } from '../config/call-options.ts';
import type { QueueProvider } from '../provider/queue-provider.ts';
import type { FailedJobFilter, FailureLog } from '../record/failure-log.ts';
import type { Redactor } from '../record/redaction.ts';
import { byHour, byQueue, byType, groups, summary, type AnalysisContext } from './analysis.ts';
import { checkBulkPage, type BulkRetriesPage, type BulkRetryOptions } from './bulk-options.ts';
import type { BulkRetries } from './bulk-retries.ts';
import type { BulkRetry } from './bulk-retry.ts';
import { checkBy, listAudit, type AuditList, type AuditOptions } from './audit.ts';
import { checkJobIds, markFailed, resolve, type ByHandContext } from './by-hand.ts';
import type {
  FailedJob,
  FailedJobList,
  ForgetResult,
  ListOptions,
  MarkFailedResult,
  ResolveResult,
  RetryOptions,
  RetryResult,
} from './failed-job.ts';
import type { FailureGroup, Figures, GroupsOptions, HourCount, QueueCount, QueueSummary, TypeCount } from './figures.ts';
import { checkFilter, parseId } from './filter.ts';
import { forecast, type ForecastContext, type RetryForecast } from './forecast.ts';
import { checkIds } from './ids.ts';
import { listFailedJobs } from './list.ts';
import { onlyIfOn } from './only-if-on.ts';
import { presentFailedJob } from './present.ts';
import { forgetIds, forgetMatching } from './forget.ts';
import { checkPrune, prune, type PruneOptions, type PruneResult } from './prune.ts';
import { Retry } from './retry.ts';

export interface FailedJobsContext extends Omit<ForecastContext, 'log'>, Omit<ByHandContext, 'log'> {
  /** Undefined while the failed-jobs log is off. */
  readonly log: () => Promise<FailureLog | undefined>;
  readonly redactor: Redactor;
}

/** Finds, counts and retries failed jobs. Every call throws `FAILED_JOBS_OFF` while `logFailedJobs` is off. */
export class FailedJobs {
  constructor(
    private readonly context: FailedJobsContext,
    private readonly bulk: BulkRetries,
  ) {}

  /** Failed jobs, newest failure first; status `failed` unless the filter names one. A search that takes more than a second answers with what it has, `partial`, and a cursor to go on. Throws `FILTER_INVALID`, `CURSOR_INVALID`, `OPTIONS_INVALID`. */
  async list(filter: FailedJobFilter = {}, options: ListOptions = {}): Promise<FailedJobList> {
    const checked = checkFilter(filter);
    checkOptions('list', options, { limit: undefined, cursor: 'text', order: ['newest', 'oldest'] });
    return listFailedJobs(await this.analysed(), checked, options);
  }

  /** By job id or failed-job number, with every attempt of every run; undefined where there is none. */
  async find(id: string | number): Promise<FailedJob | undefined> {
    checkIds(id);
    const log = await this.log();
    const stored = await log.find(parseId(id));
    if (stored === undefined) return undefined;
    const provider = await this.providerOf(stored.connection);
    const attempts = stored.jobId === null || provider === undefined ? [] : await provider.attempts(stored.jobId);
    return presentFailedJob(stored, this.context.redactor, attempts);
  }

  /**
   * What retrying a failed job would do now, as far as this process can tell: whether and where it would go, by which rules, whether its
   * unique key is free, and whether its properties fit the schema. Changes nothing; undefined where there is no such failed job.
   */
  async forecast(id: string | number): Promise<RetryForecast | undefined> {
    checkIds(id);
    const log = await this.log();
    const stored = await log.find(parseId(id));
    return stored === undefined ? undefined : forecast({ ...this.context, log }, stored);
  }

  /** How many there are; however long that takes where `text` has to be looked for. */
  async count(filter: FailedJobFilter = {}): Promise<number> {
    const checked = checkFilter(filter);
    return (await this.log()).count(checked);
  }

  /** The largest groups of failures that share a fingerprint, the largest first. */
  async groups(filter: FailedJobFilter = {}, options: GroupsOptions = {}): Promise<Figures<FailureGroup>> {
    const checked = checkFilter(filter);
    checkOptions('groups', options, { limit: undefined });
    return groups(await this.analysed(), checked, options);
  }

  /** Failures by the type of their exception, most first. */
  async byType(filter: FailedJobFilter = {}): Promise<Figures<TypeCount>> {
    const checked = checkFilter(filter);
    return byType(await this.analysed(), checked);
  }

  /** Failures by queue, most first. */
  async byQueue(filter: FailedJobFilter = {}): Promise<Figures<QueueCount>> {
    const checked = checkFilter(filter);
    return byQueue(await this.analysed(), checked);
  }

  /** Failures in each hour, UTC, from `since` (by default the last 24 hours) to `until`; hours without one are there, too. */
  async byHour(filter: FailedJobFilter = {}): Promise<Figures<HourCount>> {
    const checked = checkFilter(filter);
    return byHour(await this.analysed(), checked);
  }

  /** Each queue's failures: how many, the first and the last, and those of each of the last seven days. */
  async summary(filter: FailedJobFilter = {}): Promise<Figures<QueueSummary>> {
    const checked = checkFilter(filter);
    return summary(await this.analysed(), checked);
  }

  /**
   * Puts failed jobs back: the same jobs, attempts from 0, history kept. Takes an id, ids, or a filter; what a
   * filter matches is fixed when the call starts. One outcome for each id; throws only for bad input and a lost store.
   */
  async retry(target: string | number | readonly (string | number)[] | FailedJobFilter, options: RetryOptions = {}): Promise<RetryResult> {
    const chosen = idsOrFilter(target);
    const retry = new Retry({ ...this.context, log: await this.log() }, options);
    return chosen.ids === undefined ? retry.matching(chosen.filter) : retry.ids(chosen.ids);
  }

  /**
   * Retries what a filter matches now as an operation of its own, stored beside the failed jobs: at a rate, with a canary, until too
   * many fail again; paused, resumed and cancelled from any process. This process drives it; if it dies, any running pool of the same
   * store takes it over. Resolves once the set is fixed; `done` resolves at its end. Throws `OPTIONS_INVALID`, `FILTER_INVALID`,
   * `PROPERTIES_INVALID`.
   */
  async bulkRetry(filter: FailedJobFilter, options: BulkRetryOptions = {}): Promise<BulkRetry> {
    return this.bulk.start(checkFilter(filter), options);
  }

  /** Bulk retries, newest first: `limit` of them (1 to 200; default 25), from before the one whose id is `before`. Throws `OPTIONS_INVALID`. */
  async bulkRetries(options: BulkRetriesPage = {}): Promise<readonly BulkRetry[]> {
    return this.bulk.list(checkBulkPage(options));
  }

  /** From now on, and until Redrive stops, this process takes over bulk retries whose driver is gone. Started pools do so by themselves. */
  driveBulkRetries(): void {
    this.bulk.watch();
  }

  /** A bulk retry by its id, whoever drives it; undefined where there is none. */
  async findBulkRetry(id: number | string): Promise<BulkRetry | undefined> {
    const number = parseId(id);
    return typeof number === 'number' && Number.isSafeInteger(number) ? this.bulk.find(number) : undefined;
  }

  /** Queued jobs become failed jobs of kind `manual`, held for a person; running ones are refused. One outcome for each id. */
  async markFailed(
    jobIds: string | readonly string[],
    options: { readonly reason?: string; readonly by?: string } = {},
  ): Promise<MarkFailedResult> {
    checkOptions('markFailed', options, { reason: 'text', by: undefined });
    return markFailed(await this.byHand(), checkJobIds(jobIds), {
      reason: options.reason ?? 'Marked as failed by hand',
      by: checkBy(options.by),
    });
  }

  /** Takes failed jobs off the list that were dealt with otherwise; they stay on record as `resolved`. */
  async resolve(
    ids: string | number | readonly (string | number)[],
    options: { readonly note?: string; readonly by?: string } = {},
  ): Promise<ResolveResult> {
    checkOptions('resolve', options, { note: 'text', by: undefined });
    const { note } = options;
    return resolve(await this.byHand(), checkIds(ids), { by: checkBy(options.by), ...(note === undefined ? {} : { note }) });
  }

  /**
   * Removes failed jobs for good, with their attempts; those being retried stay. Takes ids or a filter; what a filter matches is
   * fixed when the call starts. In small transactions, so that queues go on meanwhile.
   */
  async forget(
    target: string | number | readonly (string | number)[] | FailedJobFilter,
    options: { readonly by?: string; readonly onProgress?: (removed: number) => void } = {},
  ): Promise<ForgetResult> {
    checkOptions('forget', options, { by: undefined, onProgress: 'function' });
    const act = { ...options, by: checkBy(options.by) };
    const chosen = idsOrFilter(target);
    const context = await this.byHand();
    return chosen.ids === undefined ? forgetMatching(context, chosen.filter, act) : forgetIds(context, chosen.ids, act);
  }

  /**
   * Removes old failed jobs for good, resolved ones too: those older than `olderThan`, or not among the newest `keep`; with both, those
   * of which both is true. Those being retried stay. Throws `OPTIONS_INVALID`, `DURATION_INVALID`.
   */
  async prune(options: PruneOptions): Promise<PruneResult> {
    const checked = checkPrune(options);
    return prune(await this.byHand(), checked);
  }

  /** Who did what, when, to how many; newest first. Throws `OPTIONS_INVALID`, `CURSOR_INVALID`. */
  async audit(options: AuditOptions = {}): Promise<AuditList> {
    return listAudit((await this.log()).audit, options);
  }

  private async byHand(): Promise<ByHandContext> {
    return { ...this.context, log: await this.log() };
  }

  private async analysed(): Promise<AnalysisContext> {
    const { clock, redactor } = this.context;
    return { log: await this.log(), clock, redactor };
  }

  private async providerOf(connection: string): Promise<QueueProvider | undefined> {
    return this.context.provider(connection);
  }

  private async log(): Promise<FailureLog> {
    return onlyIfOn(await this.context.log());
  }
}

/** What a call is to work on. Throws `OPTIONS_INVALID` for bad ids, `FILTER_INVALID` for a bad filter. */
function idsOrFilter(
  target: unknown,
): { readonly ids: readonly (string | number)[] } | { readonly ids?: undefined; readonly filter: FailedJobFilter } {
  const isFilter = typeof target === 'object' && target !== null && !Array.isArray(target);
  return isFilter ? { filter: checkFilter(target) } : { ids: checkIds(target) };
}
