import type { QueueProvider } from '../provider/queue-provider.ts';
import type { FailedJobFilter, Place, StoredFailedJob } from '../record/failure-log.ts';
import { noteOf } from './audit.ts';
import type { RetryOptions, RetryOutcome, RetryResult } from './failed-job.ts';
import { parseId } from './filter.ts';
import { Mover, outcomeOf, type MoverContext, type Target } from './mover.ts';
import { auditDetail, resolveRetry, type ResolvedRetry } from './retry-options.ts';

/** Failed jobs moved by one transaction. */
const chunkSize = 200;

export interface RetryContext extends MoverContext {
  readonly providers: () => Promise<ReadonlyMap<string, QueueProvider>>;
}

type Id = string | number;

/** One call of `failedJobs.retry`. */
export class Retry {
  private readonly options: ResolvedRetry;
  private readonly dryRun: boolean;
  private readonly onProgress: RetryOptions['onProgress'];

  /** Throws `OPTIONS_INVALID`, `DURATION_INVALID`, `PROPERTIES_INVALID`. */
  constructor(
    private readonly context: RetryContext,
    options: RetryOptions,
  ) {
    this.options = resolveRetry(options);
    this.dryRun = options.dryRun ?? false;
    this.onProgress = options.onProgress;
  }

  /** An outcome for each id, in order. */
  async ids(ids: readonly Id[]): Promise<RetryResult> {
    const mover = this.mover(undefined);
    const outcomes: RetryOutcome[] = [];
    for (let from = 0; from < ids.length; from += chunkSize) {
      outcomes.push(...(await this.chunk(ids.slice(from, from + chunkSize), mover)));
      this.tell(outcomes.length);
    }
    return summed(outcomes);
  }

  /** Everything that matches now; what fails again meanwhile has a higher number and is left alone. */
  async matching(filter: FailedJobFilter): Promise<RetryResult> {
    const mover = this.mover(filter);
    const outcomes: RetryOutcome[] = [];
    const through = await this.context.log.lastSeq();
    for (let after: Place | undefined; ;) {
      const page = { through, limit: chunkSize, order: 'oldest' as const, ...(after === undefined ? {} : { after }) };
      const rows = await this.context.log.list(filter, page);
      outcomes.push(...(await mover.move(rows.map((stored) => ({ id: stored.jobId ?? stored.id, stored })))));
      const last = rows.at(-1);
      if (last === undefined) return summed(outcomes);
      this.tell(outcomes.length);
      after = last.place;
    }
  }

  private tell(looked: number): void {
    try {
      this.onProgress?.(looked);
    } catch (error) {
      this.context.logger.warn({ err: error }, 'onProgress failed; what is put back is not affected');
    }
  }

  private mover(filter: FailedJobFilter | undefined): Mover {
    const { options, dryRun } = this;
    const detail = auditDetail(options);
    const audit = noteOf(
      {
        action: options.patch === undefined ? 'retried' : 'edited',
        by: options.by,
        ...(filter === undefined ? {} : { filter }),
        ...(detail === undefined ? {} : { detail }),
      },
      this.context,
    );
    return new Mover(this.context, { ...options, dryRun, audit });
  }

  private async chunk(ids: readonly Id[], mover: Mover): Promise<readonly RetryOutcome[]> {
    const found = await this.find(ids);
    const targets: Target[] = [];
    const seen = new Set<number>();
    const known = new Map<number, RetryOutcome>();
    for (const [index, id] of ids.entries()) {
      const stored = found.get(parseId(id));
      if (stored === undefined) known.set(index, await this.unknown(id));
      else if (seen.has(stored.id)) known.set(index, outcomeOf(id, 'not_failed', 'named twice'));
      else {
        seen.add(stored.id);
        targets.push({ id, stored });
      }
    }
    const moved = [...(await mover.move(targets))];
    return ids.map((id, index) => known.get(index) ?? moved.shift() ?? outcomeOf(id, 'error'));
  }

  /** The failed jobs of these ids, by number and by job id. */
  private async find(ids: readonly Id[]): Promise<ReadonlyMap<Id, StoredFailedJob>> {
    const possible = ids.map(parseId).filter(isPossible);
    const rows =
      possible.length === 0
        ? []
        : await this.context.log.list({ ids: possible, status: 'any' }, { limit: possible.length, order: 'oldest' });
    const found = new Map<Id, StoredFailedJob>();
    for (const row of rows) {
      found.set(row.id, row);
      if (row.jobId !== null) found.set(row.jobId, row);
    }
    return found;
  }

  /** What is to be said of an id that is no failed job's. */
  private async unknown(id: Id): Promise<RetryOutcome> {
    if (typeof id === 'string' && isPossible(id)) {
      for (const provider of (await this.context.providers()).values())
        if ((await provider.find(id)) !== undefined) return outcomeOf(id, 'not_failed', 'it has not failed');
    }
    return outcomeOf(id, 'not_found', 'there is no failed job of this id');
  }
}

/** False for what no job can be called: a database would refuse to look for it. */
function isPossible(id: Id): boolean {
  return typeof id === 'number' ? Number.isSafeInteger(id) : id !== '' && id.length <= 255 && !id.includes('\0');
}

function summed(outcomes: readonly RetryOutcome[]): RetryResult {
  return { requeued: outcomes.filter(({ status }) => status === 'requeued').length, outcomes };
}
