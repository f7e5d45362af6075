import type { Knex } from 'knex';
import { checkOptions, checkQueueName } from '../config/call-options.ts';
import { durationMs, type Duration } from '../duration.ts';
import { RedriveError } from '../errors.ts';
import type { FailedJobFilter, FailureLog, Place } from '../record/failure-log.ts';
import { checkBy, noteOf } from './audit.ts';
import type { ByHandContext } from './by-hand.ts';
import { Removal } from './removal.ts';

/** Which failed jobs are old enough to go; what is given narrows. */
export interface PruneOptions {
  /** Only those whose last failure is longer ago than this; 0: all. */
  readonly olderThan?: Duration;
  /** Not the newest of them, this many: of the queue where one is named, else of all. */
  readonly keep?: number;
  readonly queue?: string;
  /** Who asks; default `api`. */
  readonly by?: string;
  /** Told now and then how many have been removed. */
  readonly onProgress?: (removed: number) => void;
}

export interface PruneResult {
  /** Jobs really removed. */
  readonly removed: number;
}

/** Prune options, checked. */
export interface ResolvedPrune {
  readonly olderThanMs: number;
  readonly keep: number;
  readonly queue: string | undefined;
  readonly by: string;
  readonly onProgress: ((removed: number) => void) | undefined;
}

/** Throws `OPTIONS_INVALID`, `DURATION_INVALID`; also where nothing says which are old, since that would remove everything. */
export function checkPrune(options: PruneOptions): ResolvedPrune {
  checkOptions('prune', options, { olderThan: undefined, keep: undefined, queue: undefined, by: undefined, onProgress: 'function' });
  const { olderThan, keep, queue, by, onProgress } = options;
  if (olderThan === undefined && keep === undefined)
    throw new RedriveError('OPTIONS_INVALID', "prune needs olderThan, keep or both; forget({ queue }) removes a queue's failed jobs");
  if (keep !== undefined && (!Number.isSafeInteger(keep) || keep < 0))
    throw new RedriveError('OPTIONS_INVALID', 'keep: must be a whole number of at least 0');
  if (queue !== undefined) checkQueueName(queue);
  return {
    olderThanMs: olderThan === undefined ? 0 : durationMs(olderThan, 'olderThan'),
    keep: keep ?? 0,
    queue,
    by: checkBy(by),
    onProgress,
  };
}

/** Removes failed jobs, resolved ones too, that are old; those that are being retried stay. */
export async function prune(context: ByHandContext, { olderThanMs, keep, queue, by, onProgress }: ResolvedPrune): Promise<PruneResult> {
  const { log, clock } = context;
  const of: FailedJobFilter = { status: 'any', ...(queue === undefined ? {} : { queue }) };
  const filter = olderThanMs === 0 ? of : { ...of, until: new Date(clock.now() - olderThanMs) };
  const detail = { ...(olderThanMs === 0 ? {} : { olderThanMs }), ...(keep === 0 ? {} : { keep }) };
  const removal = new Removal(context, noteOf({ by, action: 'deleted', filter, detail }, context), onProgress);
  // What fails from now on stays; and rows that an old cbq wrote have their places in the order.
  const through = await log.lastSeq();
  const kept = keep === 0 ? undefined : await oldestKept(log, of, keep);
  if (kept === 'all') return { removed: 0 };
  await removeOldest(context, removal, { filter, through, ...(kept === undefined ? {} : { until: kept }) });
  await tidy(context);
  return { removed: removal.removed };
}

/** What to remove, from the oldest on. */
export interface Oldest {
  readonly filter: FailedJobFilter;
  /** What `lastSeq` said when it began. */
  readonly through: number;
  /** This one, and all that are newer, stay. */
  readonly until?: Place;
  readonly criteria?: (query: Knex.QueryBuilder) => void;
  /** Asked before each step; false: enough. */
  readonly mayGoOn?: () => Promise<boolean>;
}

/** Removes what is old, oldest first, so that whatever ends it half-way has removed the oldest. */
export async function removeOldest(
  { log }: ByHandContext,
  removal: Removal,
  { filter, through, until, criteria, mayGoOn = async () => true }: Oldest,
): Promise<void> {
  const page = { through, order: 'oldest' as const, ...(criteria === undefined ? {} : { criteria }) };
  for (let after: Place | undefined; await mayGoOn();) {
    const { refs, next } = await log.pick(filter, { ...page, ...(after === undefined ? {} : { after }) });
    await removal.remove(refs.filter(({ place }) => until === undefined || isBefore(place, until)));
    if (next === undefined || (until !== undefined && !isBefore(next, until))) return;
    after = next;
  }
}

/** The place of the last one that is kept; `all` where there are no more than that. */
async function oldestKept(log: FailureLog, filter: FailedJobFilter, keep: number): Promise<Place | 'all'> {
  let left = keep;
  for (let after: Place | undefined; ;) {
    const { refs, next } = await log.pick(filter, { order: 'newest', ...(after === undefined ? {} : { after }) });
    const last = refs[left - 1];
    if (last !== undefined) return last.place;
    if (next === undefined) return 'all';
    left -= refs.length;
    after = next;
  }
}

/** What the removed ones shared with each other goes as well, little by little. What cannot be tidied up now is found the next time. */
export async function tidy({ providers, logger }: Pick<ByHandContext, 'providers' | 'logger'>): Promise<void> {
  for (const [connection, provider] of await providers()) {
    try {
      for (let after = await provider.tidy(); after !== undefined;) after = await provider.tidy(after);
    } catch (error) {
      logger.warn({ err: error, connection }, 'What removed failed jobs left behind could not be tidied up; that is done the next time');
    }
  }
}

function isBefore(one: Place, other: Place): boolean {
  return one.at < other.at || (one.at === other.at && one.id < other.id);
}
