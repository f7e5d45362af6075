import { RedriveError } from '../errors.ts';
import type { QueueProvider } from '../provider/queue-provider.ts';
import type { FailedJobFilter, FailureLog } from '../record/failure-log.ts';
import type { Redactor } from '../record/redaction.ts';
import { checkBy, listAudit, type AuditList, type AuditOptions } from './audit.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { checkJobIds, forgetIds, forgetMatching, markFailed, resolve, type ByHandContext } from './by-hand.ts';
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
import { checkFilter, parseId } from './filter.ts';
import { presentFailedJob } from './present.ts';
import { Retry, type RetryContext } from './retry.ts';

const largestPage = 200;
const defaultPage = 25;

export interface FailedJobsContext extends Omit<RetryContext, 'log'>, Omit<ByHandContext, 'log'> {
  /** Undefined while the failed-jobs log is off. */
  readonly log: () => Promise<FailureLog | undefined>;
  readonly redactor: Redactor;
}

/** Finds, counts and retries failed jobs. Every call throws `FAILED_JOBS_OFF` while `logFailedJobs` is off. */
export class FailedJobs {
  constructor(private readonly context: FailedJobsContext) {}

  /** Failed jobs, newest failure first; status `failed` unless the filter names one. Throws `FILTER_INVALID`, `CURSOR_INVALID`, `OPTIONS_INVALID`. */
  async list(filter: FailedJobFilter = {}, options: ListOptions = {}): Promise<FailedJobList> {
    const checked = checkFilter(filter);
    const { limit = defaultPage, cursor, order = 'newest' } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > largestPage)
      throw new RedriveError('OPTIONS_INVALID', `limit: must be an integer from 1 to ${largestPage}`);
    const after = cursor === undefined ? {} : { after: decodeCursor(cursor, checked, order) };
    const log = await this.log();
    // One row more than asked for tells whether there is a next page.
    const rows = await log.list(checked, { limit: limit + 1, order, ...after });
    const items = rows.slice(0, limit);
    const last = items.at(-1);
    const more = rows.length > limit && last !== undefined ? { cursor: encodeCursor(last.place, checked, order) } : {};
    return { items: items.map((row) => presentFailedJob(row, this.context.redactor)), ...more };
  }

  /** By job id or failed-job number, with every attempt of every run; undefined where there is none. */
  async find(id: string | number): Promise<FailedJob | undefined> {
    const log = await this.log();
    const stored = await log.find(parseId(id));
    if (stored === undefined) return undefined;
    const provider = await this.providerOf(stored.connection);
    const attempts = stored.jobId === null || provider === undefined ? [] : await provider.attempts(stored.jobId);
    return presentFailedJob(stored, this.context.redactor, attempts);
  }

  async count(filter: FailedJobFilter = {}): Promise<number> {
    const checked = checkFilter(filter);
    return (await this.log()).count(checked);
  }

  /**
   * Puts failed jobs back: the same jobs, attempts from 0, history kept. Takes an id, ids, or a filter; what a
   * filter matches is fixed when the call starts. One outcome for each id; throws only for bad input and a lost store.
   */
  async retry(target: string | number | readonly (string | number)[] | FailedJobFilter, options: RetryOptions = {}): Promise<RetryResult> {
    const retry = new Retry({ ...this.context, log: await this.log() }, options);
    if (typeof target === 'string' || typeof target === 'number') return retry.ids([target]);
    if (Array.isArray(target)) return retry.ids(target as readonly (string | number)[]);
    return retry.matching(checkFilter(target));
  }

  /** Queued jobs become failed jobs of kind `manual`, held for a person; running ones are refused. One outcome for each id. */
  async markFailed(
    jobIds: string | readonly string[],
    options: { readonly reason?: string; readonly by?: string } = {},
  ): Promise<MarkFailedResult> {
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
    const { note } = options;
    return resolve(await this.byHand(), listOf(ids), { by: checkBy(options.by), ...(note === undefined ? {} : { note }) });
  }

  /** Removes failed jobs for good, with their attempts; those being retried stay. Takes ids or a filter. */
  async forget(
    target: string | number | readonly (string | number)[] | FailedJobFilter,
    options: { readonly by?: string } = {},
  ): Promise<ForgetResult> {
    const by = checkBy(options.by);
    const context = await this.byHand();
    if (typeof target === 'object' && !Array.isArray(target)) return forgetMatching(context, checkFilter(target), { by });
    return forgetIds(context, listOf(target as string | number | readonly (string | number)[]), { by });
  }

  /** Who did what, when, to how many; newest first. Throws `OPTIONS_INVALID`, `CURSOR_INVALID`. */
  async audit(options: AuditOptions = {}): Promise<AuditList> {
    return listAudit((await this.log()).audit, options);
  }

  private async byHand(): Promise<ByHandContext> {
    return { ...this.context, log: await this.log() };
  }

  private async providerOf(connection: string): Promise<QueueProvider | undefined> {
    return this.context.provider(connection);
  }

  private async log(): Promise<FailureLog> {
    const log = await this.context.log();
    if (log !== undefined) return log;
    throw new RedriveError('FAILED_JOBS_OFF', 'The failed-jobs log is off; set logFailedJobs: true in the config');
  }
}

function listOf(ids: string | number | readonly (string | number)[]): readonly (string | number)[] {
  return typeof ids === 'object' ? ids : [ids];
}
